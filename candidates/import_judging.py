"""Judging a file of people: each row's fate, and each cell's, before anything is written.

A row is refused for what is wrong with it alone; what only its manager's row lacks is told and made good later. Rows
are about somebody by the organisation's own key where HR has chosen one, else by address, else by a name that only one
person has; what would be a guess between two is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from candidates import import_fields as fields
from candidates.import_fields import EMPTIES, OWN
from candidates.import_lookup import Known, People, names_of
from candidates.import_managers import Lines
from candidates.imports import ImportBatch, ImportRow
from candidates.models import Person
from roles.models import EnterpriseFunction
from socialstrategy.lib.addresses import canonical, shown
from socialstrategy.lib.searching import folded
from socialstrategy.lib.uploads.delimited import SEPARATORS

CHUNK = 1000
Fate = ImportRow.Fate


@dataclass(frozen=True)
class Rules:
    """What HR has decided for a whole file.

    ``key``: the own field by which people are recognised, empty: their address. ``newcomers``: what people are whose
    row does not say it. ``bring_back``: whether archived people come back on the list.
    """

    key: str = ""
    newcomers: str = Person.Kind.CANDIDATE
    bring_back: bool = False


@dataclass(slots=True)
class Entry:
    """One row while it is judged."""

    pk: int
    number: int
    values: dict[str, str]
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    person: Known | None = None
    manager: dict | None = None
    fate: str = ""
    plan: dict = field(default_factory=dict)
    changes: list[list[str]] = field(default_factory=list)

    @property
    def email(self) -> str:
        said = self.values.get("email", "")
        return "" if said == EMPTIES else said

    @property
    def name(self) -> str:
        return self.values["name"]


def judge(batch: ImportBatch, tell: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Decide every row's fate; writes nothing but the preview. Can be repeated with other columns and rules."""
    judging = Judging(batch)
    total = len(judging.entries)
    judging.decide()
    for start in range(0, total, CHUNK):
        chunk = judging.entries[start : start + CHUNK]
        ImportRow.objects.bulk_update(map(_row, chunk), ["values", "fate", "message"], batch_size=200)
        tell(min(start + CHUNK, total), total)
    # Not where somebody has confirmed the preview of before meanwhile.
    open_ = ImportBatch.objects.filter(pk=batch.pk, state__in=[ImportBatch.State.READING, ImportBatch.State.PREVIEW])
    open_.update(state=ImportBatch.State.PREVIEW, message="")


def _row(entry: Entry) -> ImportRow:
    values: dict = {**entry.values, "plan": entry.plan, "changes": entry.changes}
    if entry.person:
        values["person"] = entry.person.pk
    message = entry.problem or " ".join(entry.notes)
    return ImportRow(pk=entry.pk, values=values, fate=entry.fate, message=message[:300])


class Judging:
    """All rows of a file together: they name one another, and must not be about the same person."""

    def __init__(self, batch: ImportBatch):
        self.columns, self.width = batch.columns, len(batch.header)
        self.rules = Rules(**batch.rules)
        self.hint = _separator_hint(batch.about.get("separator", ""))
        self.key = OWN + self.rules.key if OWN + self.rules.key in batch.columns else ""
        named = EnterpriseFunction.objects.values_list("pk", "slug", "name")
        self.function_names = {pk: name for pk, _, name in named}
        self.functions = {key.lower(): pk for pk, slug, name in named for key in (slug, name)}
        rows = batch.rows.values_list("pk", "number", "cells", "flaw").iterator(chunk_size=2000)
        self.entries = [self._entry(*row) for row in rows]
        self.people = People(self.key.removeprefix(OWN))
        self.names = Counter(folded(entry.name) for entry in self.entries)

    def decide(self) -> None:
        self._look_up()
        self._recognise()
        self._tell_doubles()
        Lines(self).decide()
        for entry in self.entries:
            self._settle(entry)

    def _entry(self, pk: int, number: int, cells: list[str], flaw: str) -> Entry:
        values = fields.said(cells, self.columns)
        for name in ("email", "manager"):
            said = values.get(name, "")
            if "@" in said:
                values[name] = canonical(said)
        entry = Entry(pk, number, values)
        entry.problem = flaw or self._problem(cells, values)
        return entry

    def _problem(self, cells: list[str], values: dict[str, str]) -> str:
        """What is wrong with a row alone, in a sentence, or an empty text."""
        if len(cells) > self.width:
            return f"The row has {len(cells)} cells, the heading {self.width}. {self.hint}".strip()
        for name, text in values.items():
            problem = _cell_problem(name, text)
            if problem:
                return problem
        if not values["name"] or values["name"] == EMPTIES:
            return "Name is missing."
        if self.key and values[self.key] in {"", EMPTIES}:
            return f"{self.rules.key} is missing, by which people are recognised."
        if fields.key(values["name"]) in fields.TOTALS and not values.get("email"):
            return "This looks like a row of totals and not like a person."
        return self._value_problem(values)

    def _value_problem(self, values: dict[str, str]) -> str:
        email, kind, function = (values.get(name, "") for name in ("email", "kind", "function"))
        if email and email != EMPTIES:
            try:
                validate_email(email)
            except ValidationError:
                return f"{email} is not an e-mail address."
        if kind and kind.lower() not in fields.KINDS:
            return f"“{kind}” is neither candidate nor employee."
        if function and function != EMPTIES and function.lower() not in self.functions:
            return f"There is no function called “{function}”."
        if email and email == values.get("manager"):
            return "Somebody can't be their own manager."
        return ""

    def _look_up(self) -> None:
        """Everybody whom the rows mean or name as manager."""
        emails, keys, names = set(), set(), set()
        for entry in self.entries:
            emails.add(entry.email)
            if self.key:
                keys.add(entry.values[self.key])
            elif not entry.email:
                names.add(folded(entry.name))
            manager = entry.values.get("manager", "")
            if "@" in manager:
                emails.add(manager)
            elif manager:
                keys.add(manager)
                names.update(names_of(manager))
        self.people.look_up(emails - {""}, keys - {""} if self.key else (), names - {""})

    def _recognise(self) -> None:
        """Whom each row is about; no two rows may be about the same person, and no guess is made between two."""
        seen: dict[tuple[str, object], int] = {}
        for entry in self.entries:
            if entry.problem:
                continue
            entry.problem = self._find(entry)
            marks: list[tuple[str, object, str]] = [("email", entry.email, "e-mail")] if entry.email else []
            if self.key:
                marks.append(("key", entry.values[self.key], self.rules.key))
            if entry.person:
                marks.append(("person", entry.person.pk, "person"))
            for kind, mark, word in marks:
                if not entry.problem and (kind, mark) in seen:
                    entry.problem = f"The same {word} stands in line {seen[kind, mark]} already."
            if not entry.problem:
                seen |= dict.fromkeys(((kind, mark) for kind, mark, _ in marks), entry.number)

    def _tell_doubles(self) -> None:
        """Somebody new with an address may be one who was entered without; only HR can tell."""
        new = [entry for entry in self.entries if not entry.problem and entry.person is None and entry.email]
        if not new:
            return
        nameless = Person.objects.current().filter(email=None).order_by().values_list("name", flat=True)
        names = {folded(name) for name in nameless.iterator(chunk_size=5000)}
        for entry in new:
            if folded(entry.name) in names:
                entry.notes.append(
                    f"{entry.name} is on the list without an e-mail. This adds another person; where they are one, "
                    "give them the e-mail on their page first."
                )

    def _find(self, entry: Entry) -> str:
        """Set whom a row is about (nobody: somebody new); a sentence where that cannot be told."""
        if self.key:
            return self._find_by_key(entry)
        if entry.email:
            entry.person = self.people.by_email.get(entry.email)
            return ""
        return self._find_by_name(entry)

    def _find_by_key(self, entry: Entry) -> str:
        word, text = self.rules.key, entry.values[self.key]
        found = self.people.by_key.get(text, [])
        if len(found) > 1:
            return f"{len(found)} people have the {word} {text}: {_names(found)}."
        holder = self.people.by_email.get(entry.email) if entry.email else None
        if found:
            if holder and holder is not found[0]:
                return f"{shown(entry.email)} belongs to {holder.name}, the {word} {text} to {found[0].name}."
            entry.person = found[0]
        elif holder and holder.own.get(word.lower()):
            return f"{shown(entry.email)} belongs to {holder.name}, whose {word} is {holder.own[word.lower()]}."
        elif holder:
            entry.person = holder
            entry.notes.append(f"Recognised by the e-mail: {holder.name} has no {word} yet.")
        return ""

    def _find_by_name(self, entry: Entry) -> str:
        if self.names[folded(entry.name)] > 1:
            return f"Another row is about somebody called {entry.name}. Give an e-mail, so that they can be told apart."
        found = self.people.by_name.get(folded(entry.name) or "", [])
        if len(found) > 1:
            return f"{len(found)} people are called {entry.name} ({_names(found)}). Give an e-mail."
        if found:
            entry.person = found[0]
            entry.notes.append(f"Without an e-mail, recognised by the name: {found[0].name}, {found[0].contact}.")
        else:
            entry.notes.append("Without an e-mail: later files recognise them by the name.")
        return ""

    def _settle(self, entry: Entry) -> None:
        """A row's fate, what is to be written, and the same in words."""
        if entry.problem:
            entry.fate, entry.plan, entry.changes = Fate.ERROR, {}, []
            return
        person = entry.person
        if person and person.is_archived and not self.rules.bring_back:
            entry.fate = Fate.ARCHIVED
            entry.notes = [f"{person.name} is archived and stays so. “Bring back” among the columns changes that."]
            return
        self._plan(entry)
        if person is None:
            entry.fate = Fate.CREATE
        else:
            entry.fate = Fate.UPDATE if entry.plan else Fate.SAME

    def _plan(self, entry: Entry) -> None:
        person, said = entry.person, entry.values
        if person and person.is_archived:
            self._put(entry, "archived", False, "On the list", "archived", "back")
        # Exactly: capitals and accents that the file mends are shown and written, however the person was recognised.
        if person is None or person.name != entry.name:
            self._put(entry, "name", entry.name, "Name", person.name if person else "", entry.name)
        if said.get("email"):
            before = person.email if person else None
            if (entry.email or None) != before:
                self._put(entry, "email", entry.email or None, "E-mail", shown(before), shown(entry.email))
        kind = fields.KINDS.get(said.get("kind", "").lower()) or (person.kind if person else self.rules.newcomers)
        if person is None or kind != person.kind:
            words = dict(Person.Kind.choices)
            self._put(entry, "kind", str(kind), "Kind", words[person.kind] if person else "", words[kind])
        for plain in ("job_title", "location"):
            self._put_text(entry, plain, getattr(person, plain) if person else "")
        self._plan_function(entry)
        for own in (name for name in said if name.startswith(OWN)):
            self._put_text(entry, own, person.own.get(own.removeprefix(OWN).lower(), "") if person else "")
        self._plan_manager(entry)

    def _plan_function(self, entry: Entry) -> None:
        said = entry.values.get("function", "")
        before = entry.person.function if entry.person else None
        after = None if said == EMPTIES else self.functions.get(said.lower())
        if said and after != before:
            names = self.function_names
            self._put(entry, "function", after, "Function", names.get(before or 0, ""), names.get(after or 0, ""))

    def _plan_manager(self, entry: Entry) -> None:
        if entry.manager is None:
            return
        before = self.people.by_pk.get(entry.person.manager or 0) if entry.person else None
        after = entry.manager
        if "pk" in after and before and before.pk == after["pk"]:
            return
        if after.get("pk", 0) is None and before is None:
            return
        self._put(entry, "manager", after, "Manager", before.name if before else "", after.get("name", ""))

    def _put_text(self, entry: Entry, name: str, before: str) -> None:
        said = entry.values.get(name, "")
        after = "" if said == EMPTIES else said
        if said and after != before:
            self._put(entry, name, after, fields.label(name), before, after)

    @staticmethod
    def _put(entry: Entry, name: str, value: object, label: str, before: str, after: str) -> None:
        entry.plan[name] = value
        entry.changes.append([label, before, after])


def _cell_problem(name: str, text: str) -> str:
    label = fields.label(name)
    longest = fields.LONGEST_OWN if name.startswith(OWN) else fields.LONGEST.get(name, 1000)
    if len(text) > longest:
        return f"{label} is longer than {longest} characters."
    if text.upper() in fields.MISTAKES:
        return f"{label} holds {text}, which is a spreadsheet's word for a mistake."
    if text.startswith(("=", "＝")):
        return f"{label} holds a formula ({text[:40]}) without its result. Open the file in a spreadsheet, and save it."
    return ""


def _separator_hint(separator: str) -> str:
    """What one may do where text has been taken apart too often; nothing for workbooks, which have no separator."""
    word = SEPARATORS.get(separator, separator).lower()
    if not word:
        return ""
    return f"Is a {word} missing its quotation marks? If not, choose another separator under “Read it in another way”."


def _names(people: Iterable[Known]) -> str:
    return "; ".join(f"{person.name}, {shown(person.email) or 'no address'}" for person in list(people)[:3])
