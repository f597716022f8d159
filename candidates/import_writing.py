"""Writing what the preview has promised, and the rows that were not taken."""

import csv
import io
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import record
from candidates import actions
from candidates.import_fields import OWN
from candidates.import_lookup import lines_up, names_of, runs
from candidates.import_managers import circles
from candidates.imports import AwaitedManager, ImportBatch, ImportRow, let_go
from candidates.models import OwnField, OwnText, Person
from candidates.readdressing import addresses_entered
from candidates.reporting_lines import find
from socialstrategy.lib.searching import folded
from socialstrategy.lib.text import clean, harmless

CHUNK = 1000
PLAIN = ("name", "email", "kind", "job_title", "location")
WHY = "Why it was not taken"


def write(batch: ImportBatch, tell: Callable[[int, int], None] = lambda done, total: None, *, by=None) -> None:
    """Write new and changed people in chunks, managers afterwards; a repeated run does no harm."""
    own = _own_fields(batch)
    rows = batch.rows.filter(fate__in=[ImportRow.Fate.CREATE, ImportRow.Fate.UPDATE])
    keys = list(rows.values_list("pk", flat=True))
    done = 0
    for run in runs(keys):
        _write_chunk(run, own, by)
        done += len(run)
        tell(done, len(keys))
    _write_managers(batch, keys)
    _settle_awaited(batch)
    counts = batch.counts()
    with transaction.atomic():
        ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.DONE)
        let_go([batch])
        record("people.imported", batch, batch.file_name, by=by, **counts)


def _own_fields(batch: ImportBatch) -> dict[str, OwnField]:
    """The organisation's own fields that the file fills, those made that are not there yet."""
    found = {}
    for name in (field.removeprefix(OWN) for field in batch.columns if field.startswith(OWN)):
        known = OwnField.objects.filter(name__iexact=name).first()
        found[OWN + name] = known or OwnField.objects.create(name=name)
    return found


def _write_chunk(keys: list[int], own: dict[str, OwnField], by) -> None:
    """Once more where somebody else has entered one of the addresses at the same moment."""
    for _ in range(3):
        try:
            with transaction.atomic():
                return _write_rows(keys, own, by)
        except IntegrityError:
            continue
    with transaction.atomic():
        return _write_rows(keys, own, by)


def _write_rows(keys: list[int], own: dict[str, OwnField], by) -> None:
    rows = list(ImportRow.objects.filter(pk__in=keys).order_by("number"))
    # Those that an interrupted run has written are known by their person.
    new = [row for row in rows if row.fate == ImportRow.Fate.CREATE and not row.values.get("person")]
    changed = [row for row in rows if row.fate == ImportRow.Fate.UPDATE]
    _refuse_taken(new + changed)
    new = [row for row in new if row.fate == ImportRow.Fate.CREATE]
    before = dict(Person.objects.filter(pk__in=[row.values["person"] for row in changed]).values_list("pk", "email"))
    people = _create(new)
    people |= _change([row for row in changed if row.fate == ImportRow.Fate.UPDATE], by)
    _write_own(people, own)
    entered = [person for row, person in people.values() if "email" in row.values["plan"]]
    addresses_entered(entered, by=by, before=before)


def _refuse_taken(rows: list[ImportRow]) -> None:
    """Addresses that somebody else has got since the preview."""
    wanted = {row.values["plan"]["email"]: row for row in rows if row.values["plan"].get("email")}
    for person in Person.objects.at(*wanted):
        row = wanted.get(person.email)
        if row and row.values.get("person") != person.pk:
            row.fate, row.message = ImportRow.Fate.ERROR, f"{person.name} has got this address meanwhile."
            row.save(update_fields=["fate", "message"])


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
    locked = Person.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    people = {person.pk: (wanted[person.pk], person) for person in locked}
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
    """Set managers once everybody is there; whoever is not yet is waited for."""
    wanted: dict[int, int | None] = {}
    awaited: dict[int, str] = {}
    lines = dict(batch.rows.filter(values__has_key="person").values_list("number", "values__person"))
    for run in runs(keys):
        for plan, person in ImportRow.objects.filter(pk__in=run).values_list("values__plan", "values__person"):
            manager: dict[str, Any] = (plan or {}).get("manager") or {}
            if person is None or not manager:
                continue
            if "wanted" in manager:
                awaited[person] = manager["wanted"]
            else:
                above = manager["pk"] if "pk" in manager else lines.get(manager["line"])
                if above is not None or "pk" in manager:
                    wanted[person] = above
    closing = set_managers(wanted)
    _tell_closing(batch, closing)
    for run in runs(awaited):
        now = dict(Person.objects.filter(pk__in=run).values_list("pk", "manager"))
        rows = [AwaitedManager(person_id=pk, wanted=awaited[pk], instead_of=above) for pk, above in now.items()]
        AwaitedManager.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["person"], update_fields=["wanted", "instead_of"]
        )


def _tell_closing(batch: ImportBatch, people: set[int]) -> None:
    sentence = "The manager is not set: by what has changed meanwhile, somebody would report to themselves."
    for person in people:
        batch.rows.filter(values__person=person).update(message=sentence)


def set_managers(wanted: dict[int, int | None]) -> set[int]:
    """Set managers; returns those who would close a circle by what has changed since the preview, and keep theirs."""
    above = lines_up([*wanted, *(pk for pk in wanted.values() if pk is not None)])
    closing = {pk for circle in circles(above | wanted) for pk in circle}
    safe = [pk for pk in wanted if pk not in closing]
    for run in runs(safe):
        with transaction.atomic():
            managers = {pk: wanted[pk] for pk in run}
            there = set(Person.objects.filter(pk__in=filter(None, managers.values())).values_list("pk", flat=True))
            people = list(Person.objects.select_for_update().filter(pk__in=run).order_by("pk"))
            for person in people:
                manager = managers[person.pk]
                if manager is None or manager in there:
                    person.manager_id = manager
            Person.objects.bulk_update(people, ["manager"], batch_size=200)
            AwaitedManager.objects.filter(person__in=run).delete()
    return closing & wanted.keys()


def _settle_awaited(batch: ImportBatch) -> None:
    """Give managers to those who waited for somebody of this file."""
    if not AwaitedManager.objects.exists():
        return
    came = set(batch.rows.filter(values__has_key="person").values_list("values__person", flat=True))
    called: set[str] = set()
    for run in runs(came):
        for name, email in Person.objects.current().filter(pk__in=run).values_list("name", "email"):
            called |= {folded(name) or "", email or ""}
    wanted: dict[int, int | None] = {}
    for awaited in AwaitedManager.objects.select_related("person"):
        if awaited.person.manager_id != awaited.instead_of:
            awaited.delete()
        elif not called.isdisjoint({awaited.wanted, *names_of(awaited.wanted)}):
            found = find(awaited.wanted)
            if len(found) == 1 and found[0].pk in came:
                wanted[awaited.person_id] = found[0].pk
    set_managers(wanted)


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
