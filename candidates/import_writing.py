"""Writing what the preview has promised, and the rows that were not taken."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import record
from candidates import actions, import_awaiting, import_refusing
from candidates.import_fields import OWN
from candidates.import_lookup import own_field, runs
from candidates.imports import ImportBatch, ImportRow, let_go
from candidates.models import OwnField, OwnText, Person
from candidates.readdressing import addresses_entered
from socialstrategy.lib.text import clean, harmless

CHUNK = 1000
PLAIN = ("name", "email", "kind", "job_title", "location")
WHY = "Why it was not taken"
LATER = "The manager is not set yet: their row was not taken. It is set as soon as they are on the list."
ARCHIVED = "The manager is not set yet: they have been archived meanwhile. It is set as soon as they are on the list."
NOT_YET = re.compile(r"The manager is not set yet: .*? as soon as they are on the list\.")
NOBODY, GONE = 0, -1
"""Instead of somebody's key: not on the list yet, and erased."""


@dataclass(frozen=True)
class Asked:
    """Whom one row names as manager: as the file says it, and as the preview has understood it."""

    row: int
    said: str
    manager: dict[str, Any]

    def above(self, people: dict[int, int | None]) -> int | None:
        """Their key, NOBODY, GONE, or None where the manager is to go; ``people``: whom each line is about."""
        if "pk" in self.manager:
            return self.manager["pk"]
        if "wanted" in self.manager:
            return NOBODY
        return people.get(self.manager["line"], GONE) or NOBODY


def write(batch: ImportBatch, tell: Callable[[int, int], None] = lambda done, total: None, *, by=None) -> None:
    """Write new and changed people in chunks, managers afterwards; a repeated run does no harm."""
    own = _own_fields(batch)
    import_refusing.refuse_namesakes(batch)
    rows = batch.rows.filter(fate__in=[ImportRow.Fate.CREATE, ImportRow.Fate.UPDATE])
    keys = list(rows.values_list("pk", flat=True))
    done = 0
    for run in runs(keys):
        _write_chunk(batch, run, own, by)
        done += len(run)
        tell(done, len(keys))
    _write_managers(batch, keys)
    _tell_waiting(batch)
    counts = batch.counts()
    with transaction.atomic():
        ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.DONE)
        let_go([batch])
        record("people.imported", batch, batch.file_name, by=by, **counts)


def _own_fields(batch: ImportBatch) -> dict[str, OwnField]:
    """The organisation's own fields that the file fills, those made that are not there yet."""
    found = {}
    for name in (field.removeprefix(OWN) for field in batch.columns if field.startswith(OWN)):
        found[OWN + name] = own_field(name) or OwnField.objects.create(name=name)
    return found


def _write_chunk(batch: ImportBatch, keys: list[int], own: dict[str, OwnField], by) -> None:
    """Once more where somebody else has entered one of the addresses at the same moment."""
    for _ in range(3):
        try:
            with transaction.atomic():
                return _write_rows(batch, keys, own, by)
        except IntegrityError:
            continue
    with transaction.atomic():
        return _write_rows(batch, keys, own, by)


def _write_rows(batch: ImportBatch, keys: list[int], own: dict[str, OwnField], by) -> None:
    import_refusing.wait_for_others()
    rows = list(ImportRow.objects.filter(pk__in=keys).order_by("number"))
    # Those that an interrupted run has written are known by their person.
    new = [row for row in rows if row.fate == ImportRow.Fate.CREATE and not row.values.get("person")]
    changed = [row for row in rows if row.fate == ImportRow.Fate.UPDATE]
    right = import_refusing.still_right(new + changed, batch)
    new = [row for row in right if row.fate == ImportRow.Fate.CREATE]
    changed = [row for row in right if row.fate == ImportRow.Fate.UPDATE]
    before = dict(Person.objects.filter(pk__in=[row.values["person"] for row in changed]).values_list("pk", "email"))
    people = _create(new)
    people |= _change(changed, by)
    _write_own(people, own)
    entered = [person for row, person in people.values() if "email" in row.values["plan"]]
    addresses_entered(entered, by=by, before=before)


def _create(rows: list[ImportRow]) -> dict[int, tuple[ImportRow, Person]]:
    people = []
    for row in rows:
        plan = row.values["plan"]
        plain = {name: plan[name] for name in PLAIN if name in plan}
        people.append(Person(**plain, function_id=plan.get("function")))
    Person.objects.bulk_create(people, batch_size=500)
    for row, person in zip(rows, people, strict=True):
        row.values["person"] = person.pk
    ImportRow.objects.bulk_update(rows, ["values"], batch_size=200)
    return {person.pk: (row, person) for row, person in zip(rows, people, strict=True)}


def _change(rows: list[ImportRow], by) -> dict[int, tuple[ImportRow, Person]]:
    wanted = {row.values["person"]: row for row in rows}
    locked = list(Person.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    left = import_refusing.not_about(wanted, locked)
    people = {person.pk: (wanted[person.pk], person) for person in locked if person.pk not in left}
    for row, person in people.values():
        plan = row.values["plan"]
        for name in PLAIN:
            if name in plan:
                setattr(person, name, plan[name])
        if "function" in plan:
            person.function_id = plan["function"]
    changed = [person for _, person in people.values()]
    Person.objects.bulk_update(changed, [*PLAIN, "function"], batch_size=200)
    for row, person in people.values():
        if "archived" in row.values["plan"]:
            actions.set_archived(person, by=by, archived=False)
    return people


def _write_own(people: dict[int, tuple[ImportRow, Person]], own: dict[str, OwnField]) -> None:
    texts, gone = [], []
    for pk, (row, _) in people.items():
        for name, field in own.items():
            text = row.values["plan"].get(name)
            if text:
                texts.append(OwnText(person_id=pk, field=field, text=text))
            elif text == "":
                gone.append((pk, field))
    OwnText.objects.bulk_create(
        texts, batch_size=500, update_conflicts=True, unique_fields=["person", "field"], update_fields=["text"]
    )
    for pk, field in gone:
        OwnText.objects.filter(person=pk, field=field).delete()


def _write_managers(batch: ImportBatch, keys: list[int]) -> None:
    """Set managers once everybody is there; whoever is not yet is waited for, and rows say so."""
    key, asked = batch.rules.get("key", ""), _asked(keys)
    wanted, awaited, told = _sorted(batch, asked)
    found = import_awaiting.meant(awaited.values(), key)
    came = {person: found[said] for person, said in awaited.items() if said in found}
    awaited = {person: said for person, said in awaited.items() if said not in found}
    wanted |= came
    # The preview has told it of the others.
    told |= {
        person: ARCHIVED if "pk" in asked[person].manager else LATER
        for person in awaited
        if "wanted" not in asked[person].manager
    }
    _take_back([asked[person].row for person in came])
    told |= import_awaiting.set_managers(wanted)
    import_awaiting.wait(awaited, key)
    import_awaiting.wait_no_more(_confirmed(batch))
    _tell({asked[person].row: sentence for person, sentence in told.items()})


def _confirmed(batch: ImportBatch) -> set[int]:
    """Of whom the file names the manager whom they have already."""
    rows = batch.rows.filter(fate__in=[ImportRow.Fate.SAME, ImportRow.Fate.UPDATE])
    said = rows.values_list("values__person", "values__manager", "values__plan__manager")
    return {person for person, manager, planned in said if person and manager and not planned}


def _asked(keys: list[int]) -> dict[int, Asked]:
    """Whom each person's row names as manager."""
    found = {}
    for run in runs(keys):
        rows = ImportRow.objects.filter(pk__in=run, fate__in=[ImportRow.Fate.CREATE, ImportRow.Fate.UPDATE])
        for pk, values in rows.values_list("pk", "values"):
            manager = values.get("plan", {}).get("manager")
            if manager and "person" in values:
                found[values["person"]] = Asked(pk, values["manager"], manager)
    return found


def _sorted(
    batch: ImportBatch, asked: dict[int, Asked]
) -> tuple[dict[int, int | None], dict[int, str], dict[int, str]]:
    """(managers that can be set, texts of those who are not on the list yet, sentences where they are gone for good),
    all by person."""
    rows = batch.rows.values_list("number", "values__person", "values__name")
    people = {number: person for number, person, name in rows if name is not None}
    meant = {person: one.above(people) for person, one in asked.items()}
    on_list: dict[int, bool] = {}
    for run in runs(set(filter(None, meant.values()))):
        states = Person.objects.filter(pk__in=run).values_list("pk", "archived_at")
        on_list |= {pk: archived_at is None for pk, archived_at in states}
    wanted, awaited, told = {}, {}, {}
    for person, above in meant.items():
        if above is None or on_list.get(above):
            wanted[person] = above
        elif above == GONE or (above != NOBODY and above not in on_list):
            told[person] = import_awaiting.NOT_THERE
        else:
            awaited[person] = asked[person].said
    return wanted, awaited, told


def _tell_waiting(batch: ImportBatch) -> None:
    """Give managers to those who waited for somebody of this file; rows say where that cannot be."""
    rows = dict(batch.rows.filter(values__has_key="person").values_list("values__person", "pk"))
    closing = import_awaiting.settle(rows)
    names = dict(Person.objects.filter(pk__in=closing).values_list("pk", "name"))
    _tell(
        {
            rows[above]: f"{names[pk]} waits for them as manager, and would report to themselves."
            for pk, above in closing.items()
        }
    )


def _tell(sentences: dict[int, str]) -> None:
    """Set a sentence before what rows say already."""
    for run in runs(sentences):
        rows = list(ImportRow.objects.filter(pk__in=run))
        for row in rows:
            if sentences[row.pk] not in row.message:
                row.message = f"{sentences[row.pk]} {row.message}".strip()[:300]
        ImportRow.objects.bulk_update(rows, ["message"], batch_size=200)


def _take_back(keys: list[int]) -> None:
    """The preview has said of these rows that their manager is not there yet; by now they are."""
    for run in runs(keys):
        rows = list(ImportRow.objects.filter(pk__in=run))
        for row in rows:
            row.message = NOT_YET.sub("", row.message).strip()
        ImportRow.objects.bulk_update(rows, ["message"], batch_size=200)


def error_file(batch: ImportBatch) -> str:
    """The rows that were not taken, with the reason beside each, to correct and send again.

    With the separator of the file that was sent: their spreadsheet will read it as it has written it.
    """
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=batch.about.get("separator") or ",")
    header = [cell for cell in batch.header if clean(cell) != WHY]
    writer.writerow([*map(harmless, header), WHY])
    left_out = [at for at, cell in enumerate(batch.header) if clean(cell) == WHY]
    for row in batch.rows.filter(fate=ImportRow.Fate.ERROR).iterator(chunk_size=2000):
        width = max(len(batch.header), len(row.cells))
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        writer.writerow([*(harmless(cell) for at, cell in enumerate(cells) if at not in left_out), row.message])
    return out.getvalue()
