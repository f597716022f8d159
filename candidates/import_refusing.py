"""What has changed since the preview: rows that would be written to somebody else, or twice, are refused."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet

from candidates.import_fields import EMPTIES, OWN
from candidates.import_lookup import own_field
from candidates.imports import ImportBatch, ImportRow
from candidates.models import OwnText, Person
from socialstrategy.lib.searching import folded

LONGEST_WRITING = timedelta(hours=1)
"""Whom another import is writing while a file is sent, has been entered before and is seen only afterwards."""
IMPORTS = 7_364_001
"""The number of the lock by which imports wait for one another."""
Fate = ImportRow.Fate


def wait_for_others() -> None:
    """Until the transaction ends no other import writes; SQLite lets nobody else write anyhow."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTS])


def refuse_namesakes(batch: ImportBatch) -> None:
    """All rows that are recognised by a name, against all names: the list is gone through once, as for the preview."""
    if not batch.rules.get("key"):
        new = batch.rows.filter(fate=Fate.CREATE).defer("cells").iterator(chunk_size=2000)
        _refuse_names(new, Person.objects.all())


def still_right(rows: list[ImportRow], batch: ImportBatch) -> list[ImportRow]:
    """The rows that can be written as the preview has promised; the others are refused."""
    key = batch.rules.get("key", "")
    emails = {row.values["email"]: row for row in rows if row.values.get("email") not in {None, "", EMPTIES}}
    for person in Person.objects.at(*emails):
        _refuse(emails.get(person.email or ""), person.pk, f"{person.name} has got this address meanwhile.")
    if key:
        texts = {row.values[OWN + key]: row for row in rows}
        holders = OwnText.objects.filter(field=own_field(key), text__in=texts).select_related("person")
        for held in holders:
            _refuse(texts[held.text], held.person_id, f"{held.person.name} has got the {key} {held.text} meanwhile.")
    else:
        _refuse_names(rows, Person.objects.filter(created_at__gte=batch.created_at - LONGEST_WRITING))
    return [row for row in rows if row.fate != Fate.ERROR]


def not_about(rows: dict[int, ImportRow], people: Iterable[Person]) -> set[int]:
    """Keys of whom rows must not change any more, by person: they are archived now, or gone; the rows say so."""
    here = {person.pk: person for person in people}
    left = set()
    for pk, row in rows.items():
        person = here.get(pk)
        if person is None:
            _set(row, Fate.ERROR, "They have left the list meanwhile.")
        elif person.archived_at and "archived" not in row.values["plan"]:
            _set(row, Fate.ARCHIVED, f"{person.name} has been archived meanwhile and stays so.")
        else:
            continue
        left.add(pk)
    return left


def _refuse_names(rows: Iterable[ImportRow], people: QuerySet[Person]) -> None:
    """New rows without an address, whose name somebody bears who has come, or got it, since the preview."""
    names = {
        folded(row.values["name"]): row
        for row in rows
        if row.fate == Fate.CREATE and not row.values.get("person") and not row.values["plan"].get("email")
    }
    if not names:
        return
    taken = {}
    for name in people.order_by().values_list("name", flat=True).iterator(chunk_size=5000):
        if folded(name) in names:
            taken[folded(name)] = name
    for form, name in taken.items():
        _set(names[form], Fate.ERROR, f"{name} has come on the list meanwhile. Send this row again, or give an e-mail.")


def _refuse(row: ImportRow | None, holder: int, sentence: str) -> None:
    """Unless it is about whoever holds what it says."""
    if row and row.values.get("person") != holder:
        _set(row, Fate.ERROR, sentence)


def _set(row: ImportRow, fate: str, sentence: str) -> None:
    row.fate, row.message = fate, sentence[:300]
    row.save(update_fields=["fate", "message"])
