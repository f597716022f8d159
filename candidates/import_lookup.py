"""Who is on the list already: the people a file may speak of, found in a few queries however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from candidates.models import OwnField, OwnText, Person
from socialstrategy.lib.searching import folded

CHUNK = 1000
COLUMNS = ("pk", "name", "email", "kind", "job_title", "function", "location", "manager", "archived_at")


@dataclass(slots=True)
class Known:
    """Somebody on the list, as far as a file may change them."""

    pk: int
    name: str
    email: str | None
    kind: str
    job_title: str
    function: int | None
    location: str
    manager: int | None
    is_archived: bool
    own: dict[str, str] = field(default_factory=dict)

    @property
    def contact(self) -> str:
        return self.email or "no address"


class People:
    """Everybody that a file names, by address, by the text of the key, and by name."""

    def __init__(self, key: str):
        self.key = key
        self.by_pk: dict[int, Known] = {}
        self.by_email: dict[str, Known] = {}
        self.by_key: dict[str, list[Known]] = defaultdict(list)
        self.by_name: dict[str, list[Known]] = defaultdict(list)

    def look_up(self, emails: Iterable[str], keys: Iterable[str], names: set[str]) -> None:
        """Find whom addresses, texts of the key and (folded) names mean."""
        found: set[int] = set()
        for run in runs(emails):
            found.update(Person.objects.at(*run).order_by().values_list("pk", flat=True))
        for run in runs(keys):
            texts = OwnText.objects.filter(field=own_field(self.key), text__in=run)
            found.update(texts.order_by().values_list("person", flat=True))
        if names:
            # Once through all names: no index knows them without accents and capitals.
            everybody = Person.objects.order_by().values_list("pk", "name").iterator(chunk_size=5000)
            found.update(pk for pk, name in everybody if folded(name) in names)
        self._load(found)
        self._load(self._managers() - self.by_pk.keys())
        for person in self.by_pk.values():
            if person.pk in found:
                self._enter(person)

    def _managers(self) -> set[int]:
        return {person.manager for person in self.by_pk.values() if person.manager is not None}

    def _load(self, keys: Iterable[int]) -> None:
        for run in runs(keys):
            for pk, name, email, kind, job, function, location, manager, archived in Person.objects.filter(
                pk__in=run
            ).values_list(*COLUMNS):
                self.by_pk[pk] = Known(pk, name, email, kind, job, function, location, manager, archived is not None)
            own = OwnText.objects.filter(person__in=run).values_list("person", "field__name", "text")
            for pk, name, text in own.order_by():
                self.by_pk[pk].own[name.lower()] = text

    def _enter(self, person: Known) -> None:
        if person.email:
            self.by_email[person.email] = person
        self.by_name[folded(person.name) or ""].append(person)
        if self.key and (text := person.own.get(self.key.lower())):
            self.by_key[text].append(person)


def own_field(name: str) -> OwnField | None:
    """The organisation's own field of a name, in whatever case; they are few, and SQLite knows only ASCII's cases."""
    return next((field for field in OwnField.objects.all() if field.name.lower() == name.lower()), None)


def names_of(text: str) -> set[str]:
    """A name as it is looked for, also where the last name stands first ("Lovelace, Ada")."""
    last, comma, first = text.partition(",")
    return {folded(text) or "", *([folded(f"{first.strip()} {last.strip()}") or ""] if comma else [])}


def lines_up(start: Iterable[int]) -> dict[int, int | None]:
    """Who manages whom, from some people upwards to the top."""
    managers: dict[int, int | None] = {}
    wanted = set(start)
    while wanted:
        for run in runs(wanted):
            managers |= dict(Person.objects.filter(pk__in=run).order_by().values_list("pk", "manager"))
        # Those who are gone have no line.
        managers |= dict.fromkeys(wanted - managers.keys())
        wanted = {above for above in managers.values() if above is not None} - managers.keys()
    return managers


def runs(things: Iterable) -> Iterator[list]:
    """A thousand at a time, which every database takes in one query."""
    run: list = []
    for thing in things:
        run.append(thing)
        if len(run) >= CHUNK:
            yield run
            run = []
    if run:
        yield run
