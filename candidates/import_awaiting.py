"""Managers as they are written, and those who are waited for: set as soon as they are on the list, by whatever way."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from accounts.models import record
from candidates.import_lookup import Known, People, lines_up, names_of, runs
from candidates.import_managers import circles
from candidates.imports import AwaitedManager
from candidates.models import OwnText, Person
from socialstrategy.lib.searching import folded

CIRCLE = "The manager is not set: by what has changed meanwhile, somebody would report to themselves."
NOT_THERE = "The manager is not set: they have left the list meanwhile."


def set_managers(wanted: dict[int, int | None]) -> dict[int, str]:
    """Set managers; returns whose manager stays as it was, by what has changed since the preview, and why."""
    above = lines_up([*wanted, *(pk for pk in wanted.values() if pk is not None)])
    refused = {pk: CIRCLE for circle in circles(above | wanted) for pk in circle if pk in wanted}
    for run in runs([pk for pk in wanted if pk not in refused]):
        with transaction.atomic():
            there = present(filter(None, (wanted[pk] for pk in run)))
            gone = [pk for pk in run if wanted[pk] is not None and wanted[pk] not in there]
            refused |= dict.fromkeys(gone, NOT_THERE)
            people = list(Person.objects.select_for_update().filter(pk__in=set(run) - set(gone)).order_by("pk"))
            for person in people:
                person.manager_id = wanted[person.pk]
            Person.objects.bulk_update(people, ["manager"], batch_size=200)
            AwaitedManager.objects.filter(person__in=people).delete()
    return refused


def present(keys: Iterable[int]) -> set[int]:
    """Those of some people who are on the list."""
    found: set[int] = set()
    for run in runs(set(keys)):
        found.update(Person.objects.current().filter(pk__in=run).order_by().values_list("pk", flat=True))
    return found


def wait(awaited: dict[int, str], key: str) -> None:
    """Keep whom people wait for, as their file says it; ``key``: the own field whose text it may be."""
    for run in runs(awaited):
        now = dict(Person.objects.filter(pk__in=run).values_list("pk", "manager"))
        rows = [
            AwaitedManager(person_id=pk, wanted=awaited[pk], key=key, instead_of=above) for pk, above in now.items()
        ]
        said = ["wanted", "key", "instead_of", "since"]
        AwaitedManager.objects.bulk_create(rows, update_conflicts=True, unique_fields=["person"], update_fields=said)


def wait_no_more(people: Iterable[int]) -> None:
    """A later file has said that their manager is whom they have."""
    for run in runs(people):
        AwaitedManager.objects.filter(person__in=run).delete()


def meant(texts: Iterable[str], key: str) -> dict[str, int]:
    """Who of those on the list addresses, texts of the key and names mean, all found at once; left out where it is
    nobody, or may be two."""
    texts = set(texts)
    names = {text for text in texts if "@" not in text}
    people = People(key)
    people.look_up(texts - names, names if key else (), {form for text in names for form in names_of(text)} - {""})
    found = {}
    for text in texts:
        fitting = _present(people.by_key.get(text, ())) if text in names else set()
        if len(fitting) != 1:
            alike = [one for form in names_of(text) for one in people.by_name.get(form, ())] if text in names else []
            fitting = _present([people.by_email[text]] if text in people.by_email else alike)
        if len(fitting) == 1:
            found[text] = fitting.pop()
    return found


def _present(people: Iterable[Known]) -> set[int]:
    return {person.pk for person in people if not person.is_archived}


def settle(came: Iterable[int], *, by=None) -> dict[int, int]:
    """Give managers to those who waited for one of these people, who have just been entered, changed or brought back.

    Returns who would report to themselves by it, with whom they waited for: they wait on.
    """
    if not AwaitedManager.objects.exists():
        return {}
    came = present(came)
    called = _called(came)
    waiting: dict[str, list[tuple[int, str]]] = defaultdict(list)
    passed = []
    rows = AwaitedManager.objects.values_list("person", "wanted", "key", "instead_of", "person__manager")
    for pk, said, key, before, now in rows:
        if now != before:
            # HR has chosen somebody else since.
            passed.append(pk)
        elif not called.isdisjoint({said, *names_of(said)}):
            waiting[key].append((pk, said))
    wanted: dict[int, int | None] = {}
    for key, those in waiting.items():
        found = meant((said for _, said in those), key)
        wanted |= {pk: found[said] for pk, said in those if found.get(said) in came}
    for run in runs(passed):
        AwaitedManager.objects.filter(person__in=run).delete()
    refused = set_managers(wanted)
    for pk in wanted.keys() - refused.keys() if by else ():
        person = Person.objects.get(pk=pk)
        record("person.changed", person, person.code, by=by)
    return {pk: above for pk, above in wanted.items() if pk in refused and above is not None}


def _called(people: Iterable[int]) -> set[str]:
    """Every text by which somebody may have been waited for."""
    called: set[str] = set()
    for run in runs(people):
        for name, email in Person.objects.filter(pk__in=run).order_by().values_list("name", "email"):
            called |= {folded(name), email or ""}
        called.update(OwnText.objects.filter(person__in=run).values_list("text", flat=True))
    return called - {""}
