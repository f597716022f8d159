"""Who reports to whom: nobody to themselves, not by a detour either."""

from candidates.models import Person
from socialstrategy.lib.searching import Folded, folded


class CircleError(ValueError):
    """Somebody would report to themselves; the text is a sentence that names the line."""


def chain(person_id: int, manager_id: int | None, managers: dict[int, int | None] | None = None) -> list[int]:
    """From ``manager_id`` upwards until nobody, ``person_id``, or somebody who has been met.

    ``managers`` gives everybody's manager where they are known; otherwise each step asks the database.
    """
    line: list[int] = []
    while manager_id is not None and manager_id not in line:
        line.append(manager_id)
        if manager_id == person_id:
            break
        if managers is not None:
            manager_id = managers.get(manager_id)
        else:
            manager_id = Person.objects.filter(pk=manager_id).values_list("manager", flat=True).first()
    return line


def check(person: Person, manager: Person | None) -> None:
    """Refuse a manager who reports to the person, directly or through others.

    Raises
    ------
    CircleError : with the names on the way.
    """
    if manager is None or person.pk is None:
        return
    line = chain(person.pk, manager.pk)
    if line[-1] != person.pk:
        return
    if len(line) == 1:
        raise CircleError("Somebody can't be their own manager.")
    names = dict(Person.objects.filter(pk__in=line).values_list("pk", "name"))
    raise CircleError(circle_words([names.get(pk, "") for pk in line]))


def circle_words(names: list[str]) -> str:
    """``names``: from the manager up to the person themselves."""
    way = ", who reports to ".join(names[1:4] if len(names) <= 4 else [*names[1:3], "others", names[-1]])
    return f"{names[0]} reports to {way}. That would be a circle."


def lock(person: Person, manager: Person | None) -> None:
    """Hold everybody on the way up until the transaction ends, so that two changes at once make no circle together."""
    if manager is None or person.pk is None:
        return
    line = {person.pk, *chain(person.pk, manager.pk)}
    list(Person.objects.select_for_update().filter(pk__in=line).order_by("pk").values_list("pk"))


def find(text: str) -> list[Person]:
    """Whom an address or a name means: nobody, one, or two of several."""
    if "@" in text:
        return list(Person.objects.filter(email=text.lower())[:2])
    alike = Person.objects.current().alias(folded_name=Folded("name")).filter(folded_name=folded(text))
    exact = list(alike.filter(name=text)[:2])
    return exact if len(exact) == 1 else list(alike[:2])
