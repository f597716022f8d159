"""Everything that leads to one person: their keys, whatever they are or were called, and how that may be written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db.models import Q

from accounts.models import AuditEntry, Link, User
from candidates.import_fields import said
from candidates.imports import AwaitedManager, ImportBatch, ImportFile, ImportRow
from candidates.models import OwnText, Person
from socialstrategy.lib.addresses import canonical, shown
from socialstrategy.lib.blanking import Blank
from socialstrategy.lib.searching import Folded, folded
from socialstrategy.lib.text import clean
from socialstrategy.mail.models import Mail, about

FILE_TEXTS = ["file_name", "header", "columns", "about", "choices", "rules", "message"]
"""What an imported file says by itself, apart from its lines."""


def entries(row):
    """What the audit log says about a row."""
    return AuditEntry.objects.filter(label=row._meta.label_lower, target=str(row.pk))


def forms(name: str) -> set[str]:
    """A name, also with the last name first ("Lovelace, Ada"), as imports read it."""
    last, comma, first = name.partition(",")
    plain = f"{first.strip()} {last.strip()}".strip() if comma else name
    parts = plain.split()
    return {name, plain, *(f"{' '.join(parts[n:])}, {' '.join(parts[:n])}" for n in range(1, len(parts)))}


@dataclass
class Traces:
    """Traces of one person."""

    person: Person
    invitations: list = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, person: Person) -> "Traces":
        found = cls(person, list(person.invitations.values_list("pk", flat=True)))
        holders: list[Any] = [row for row in (person, person.user) if row]
        for row in holders:
            found.names.add(row.name)
            found.addresses |= {row.email or "", getattr(row, "new_email", None) or ""}
            for detail in entries(row).values_list("detail", flat=True):
                found.names |= {text for key, text in _texts(detail) if key == "name"}
                found.addresses |= {text for _, text in _texts(detail) if "@" in text}
        found.addresses |= {shown(address) for address in found.addresses}
        found.names.discard("")
        found.addresses.discard("")
        return found

    @property
    def links(self):
        assessment = Q(purpose=Link.Purpose.ASSESSMENT, target__in=map(str, self.invitations))
        return Link.objects.filter(assessment | Q(purpose=Link.Purpose.REPORT, target=str(self.person.pk)))

    @property
    def mails(self):
        mine = [about("invitation", key) for key in self.invitations] + [about("report", self.person.pk)]
        return Mail.objects.filter(Q(to__in=self.addresses) | Q(about__in=mine))

    @cached_property
    def forms(self) -> set[str]:
        """Their names in every order."""
        return {form for name in self.names for form in forms(name)}

    @cached_property
    def folded(self) -> set[str]:
        return {" ".join(folded(form).split()) for form in self.forms} - {""}

    @cached_property
    def everything(self) -> Blank:
        """Finds every name and address of theirs, also where a name may be somebody else's."""
        return Blank(self.addresses | self.forms)

    @cached_property
    def lines(self) -> list[ImportRow]:
        """Lines of files that are about them or name them, in a cell or put together from two."""
        rows = ImportRow.objects.select_related("batch")
        found = {row.pk: row for row in rows.filter(values__person=self.person.pk)}
        for row in self.everything.holding(rows, ["cells", "values"]).iterator(chunk_size=500):
            texts = [row.cells, row.values]
            if self.everything(texts) != texts or self._is_about(row.values, row.cells, row.batch):
                found[row.pk] = row
        return list(found.values())

    @property
    def import_rows(self) -> list[int]:
        """Keys of the lines of files that were about them."""
        mine = self.person.pk
        lines = self.lines
        return [
            row.pk
            for row in lines
            if row.values.get("person") == mine or self._is_about(row.values, row.cells, row.batch)
        ]

    @cached_property
    def import_files(self) -> set:
        """Keys of the files that speak of them, also as somebody's manager, in their heading or by their own name,
        and of those that may."""
        files = {row.batch_id for row in self.lines}
        kept = ImportBatch.objects.filter(pk__in=ImportFile.objects.values("batch"))
        files.update(batch.pk for batch in kept if _is_read_in_part(batch))
        for batch in ImportBatch.objects.exclude(pk__in=files).iterator():
            texts = [getattr(batch, name) for name in FILE_TEXTS]
            is_named = self.everything(texts) != texts or self.everything.names_whole(batch.file_name)
            if is_named or self.is_first(batch):
                files.add(batch.pk)
        return files

    def is_first(self, batch: ImportBatch) -> bool:
        """Whether what was taken for the heading of a file is their line: the file has none."""
        return self._is_about({}, batch.header, batch)

    def _is_about(self, values: dict, cells: list[str], batch: ImportBatch) -> bool:
        """By its own address, or by the name where the line has none; not where they are somebody's manager.

        Where nobody has told yet what the columns hold, the first address is taken for its own.
        """
        values = values or said(cells, batch.columns)
        address = canonical(values.get("email") or "")
        name = clean(values.get("name") or "")
        if not batch.columns:
            address = next((canonical(cell) for cell in cells if "@" in cell), "")
        if "@" in address:
            return address in self.addresses
        found = [name]
        if not batch.columns:
            pairs = list(pairwise(cells))
            found = [*cells, *map(" ".join, pairs), *(f"{last}, {first}" for last, first in pairs)]
        return any(" ".join(folded(clean(one)).split()) in self.folded for one in found)

    def awaited(self) -> list[int]:
        """Keys of those who wait for them as a manager, by an address, a name, or a text of a field of one's own."""
        own = set(OwnText.objects.filter(person=self.person).values_list("text", flat=True))
        names = set() if self.namesakes else self.folded
        rows = AwaitedManager.objects.values_list("pk", "wanted").iterator(chunk_size=2000)
        return [
            pk
            for pk, wanted in rows
            if wanted in own or canonical(wanted) in self.addresses or " ".join(folded(wanted).split()) in names
        ]

    @cached_property
    def namesakes(self) -> bool:
        """Whether somebody else is called the same, so that the name in a text may be theirs."""
        people = Person.objects.exclude(pk=self.person.pk)
        accounts = User.objects.exclude(person=self.person)
        return any(
            rows.alias(folded_name=Folded("name")).filter(folded_name__in=self.folded).exists()
            for rows in (people, accounts)
        )

    def words(self) -> set[str]:
        """What is taken out of texts. A name of one word, or one that two people bear, is left: it may be no name."""
        return self.addresses | (set() if self.namesakes else _long(self.forms))


def _is_read_in_part(batch: ImportBatch) -> bool:
    """Whether a kept file may say more than its lines: not read yet, of several sheets, in letters that are guessed, or
    read as HR has chosen."""
    is_sure = not (batch.choices or batch.about.get("is_encoding_guessed"))
    return batch.state == ImportBatch.State.READING or len(batch.about.get("sheets", [])) > 1 or not is_sure


def _long(names: Iterable[str]) -> set[str]:
    return {name for name in names if " " in name.strip()}


def _texts(detail, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an entry's detail, however deep, with the key it stands under."""
    if isinstance(detail, str):
        yield key, detail
    elif isinstance(detail, dict):
        for name, value in detail.items():
            yield from _texts(value, name)
    elif isinstance(detail, list):
        for value in detail:
            yield from _texts(value, key)
