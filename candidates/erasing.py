"""Erasing a person: everything that is known of them goes, in one transaction, and what must stay names nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import CASCADE, Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.closing import blank_entries, close, may_close
from accounts.erasure import Erasure, erasing
from accounts.models import AuditEntry, Link, User
from assessments import actions as assessments
from assessments.models import Rating, RatingRequest, Response
from candidates.evidence import Evidence
from candidates.imports import AwaitedManager, ImportBatch, ImportRow, let_go
from candidates.models import Person
from socialstrategy.jobs.models import Job
from socialstrategy.lib.addresses import canonical
from socialstrategy.lib.blanking import Blank
from socialstrategy.lib.text import clean
from socialstrategy.mail.models import Mail, about

TEXTS = {
    AuditEntry: ["summary", "detail"],
    AwaitedManager: ["wanted"],
    Evidence: ["note"],
    ImportRow: ["cells", "values", "message"],
    Job: ["arguments", "result", "message"],
    LogEntry: ["object_repr", "change_message"],
    Mail: ["to_name", "subject", "text", "error", "answer"],
    Rating: ["note"],
    Response: ["note"],
}
"""Where somebody may be named in rows that are about something else."""
WORDS = {
    "candidates.background": ("entry of their background", "entries of their background"),
    "candidates.estimate": ("level", "levels"),
    "candidates.evidence": ("piece of evidence", "pieces of evidence"),
    "candidates.owntext": ("text in a field of your own", "texts in fields of your own"),
    "candidates.storedfit": ("fit that was kept", "fits that were kept"),
    "teams.membership": ("place in a team", "places in teams"),
}
"""One of them, and several, where the model's own name would not tell."""


@dataclass
class Traces:
    """Everything that leads to one person: their keys, and whatever they are or were called."""

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
            for detail in _entries(row).values_list("detail", flat=True):
                found.names |= {text for key, text in _texts(detail) if key == "name"}
                found.addresses |= {text for _, text in _texts(detail) if "@" in text}
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

    @property
    def import_rows(self) -> list[int]:
        """Keys of the lines of files that were about them."""
        return [row.pk for row in self._lines() if self._is_about(row)]

    @property
    def import_files(self) -> set:
        """Keys of the files that speak of them, also as somebody's manager."""
        return {row.batch_id for row in self._lines()}

    def _lines(self) -> QuerySet[ImportRow]:
        """Lines that are about them or name them, in a cell or put together from two."""
        wanted = Q(values__person=self.person.pk)
        for word in self.addresses | self.names:
            for form in (word, json.dumps(word)[1:-1]):
                wanted |= Q(line__icontains=form) | Q(said__icontains=form)
        texts = {"line": Cast("cells", TextField()), "said": Cast("values", TextField())}
        return ImportRow.objects.alias(**texts).filter(wanted).select_related("batch")

    def _is_about(self, row: ImportRow) -> bool:
        """By whom it was found to be about, by its own address, or by the name where the line has none; not where they
        are somebody's manager."""
        if row.values.get("person") == self.person.pk:
            return True
        values = row.values or {name: row.cells[n] for name, n in row.batch.columns.items() if n < len(row.cells)}
        address = canonical(values.get("email") or "")
        if "@" in address:
            return address in self.addresses
        return clean(values.get("name") or "").casefold() in {name.casefold() for name in self.names}

    def namesakes(self) -> bool:
        """Whether somebody else is called the same, so that the name in a text may be theirs."""
        same = Q()
        for name in self.names:
            same |= Q(name__iexact=name)
        people = Person.objects.exclude(pk=self.person.pk).filter(same)
        return people.exists() or User.objects.exclude(person=self.person).filter(same).exists()

    def words(self) -> set[str]:
        """What is taken out of texts. A name of one word, or one that two people bear, is left: it may be no name."""
        names = set() if self.namesakes() else {name for name in self.names if " " in name.strip()}
        return self.addresses | names


def _entries(row):
    return AuditEntry.objects.filter(label=row._meta.label_lower, target=str(row.pk))


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


def what_goes(person: Person) -> list[tuple[int, str]]:
    """(how many, of what) goes with somebody, the most first; what there is none of is left out."""
    traces = Traces.of(person)
    found = []
    for relation in Person._meta.related_objects:
        if relation.on_delete is CASCADE:
            meta = relation.related_model._meta
            count = relation.related_model._base_manager.filter(**{relation.field.name: person}).count()
            found.append((count, *WORDS.get(meta.label_lower, (meta.verbose_name, meta.verbose_name_plural))))
    answers = Response.objects.filter(sitting__subject=person.subject).count()
    asked = RatingRequest.objects.filter(subject=person.subject).count()
    found += [
        (answers, "answer in an assessment", "answers in assessments"),
        (asked, "rating of them, asked for or given", "ratings of them, asked for or given"),
        (traces.links.count(), "link", "links"),
        (traces.mails.count(), "mail", "mails"),
        (len(traces.import_rows), "line of an imported file", "lines of imported files"),
    ]
    return _counted(sorted(found, key=lambda one: -one[0]))


def what_stays(person: Person) -> list[tuple[int, str]]:
    """(how many, of what) stays, and names nobody any more."""
    given = RatingRequest.objects.filter(rater=person.user_id).exclude(submitted_at=None)
    instead = f"about {person.code} instead of a name"
    return _counted(
        [
            (_entries(person).count(), f"entry in the audit log, {instead}", f"entries in the audit log, {instead}"),
            (given.count() if person.user_id else 0, "rating that they gave", "ratings that they gave others"),
            (person.reports.count(), "person who reported to them", "people who reported to them"),
        ]
    )


def _counted(found) -> list[tuple[int, str]]:
    return [(count, str(one if count == 1 else several)) for count, one, several in found if count]


@transaction.atomic
def erase(person: Person, *, reason: str, by: User, close_account: bool = False) -> dict[str, int] | None:
    """Erase somebody; returns what went, or None where somebody else has done it meanwhile.

    All of it or nothing: one transaction, listed among the erasures and audited with the key instead of the name.
    """
    locked = Person.objects.select_for_update(of=("self",)).select_related("user").filter(pk=person.pk).first()
    if locked is None:
        return None
    traces = Traces.of(locked)
    blank, user = Blank(traces.words()), locked.user
    with erasing(Erasure.Kind.PERSON, reason, by=by, row=person, key=locked.code) as erasure:
        counts = _erase_rows(traces)
        blank_entries(person, locked.code)
        if user and close_account and may_close(user, by=by):
            counts |= assessments.leave_open(user)
            close(user, by=by)
        counts["texts"] = sum(blank.rows(model._base_manager.all(), fields) for model, fields in TEXTS.items())
        erasure.counts = {name: number for name, number in counts.items() if number}
    return erasure.counts


def _erase_rows(traces: Traces) -> dict[str, int]:
    """What leads to them first, themselves next with all that hangs on them, what they have answered last."""
    subject = traces.person.subject
    files = ImportBatch.objects.filter(pk__in=traces.import_files)
    AwaitedManager.objects.filter(wanted__in=traces.addresses | traces.names).delete()
    counts = {
        "links": traces.links.delete()[0],
        "mails": traces.mails.delete()[0],
        "lines of files": _empty(traces.import_rows),
    }
    let_go(files)
    counts |= {label.lower(): number for label, number in traces.person.delete()[1].items()}
    return counts | assessments.forget(subject)


def _empty(keys: list[int]) -> int:
    """Lines of files lose what stood in them and keep their place; one that was still to be written no longer is."""
    lines = ImportRow.objects.filter(pk__in=keys)
    lines.update(cells=[], values={}, message="This person has been erased.")
    lines.exclude(batch__state=ImportBatch.State.DONE).update(fate=ImportRow.Fate.ERROR)
    return len(keys)


def is_named_in(person: Person, text: str) -> bool:
    """Whether a text holds their address, or any part of their name that is long enough to be one."""
    traces = Traces.of(person)
    parts = {part for name in traces.names for part in name.split() if len(part) > 2}
    return Blank(traces.addresses | traces.names | parts)(text) != text
