"""People and evidence for tests."""

from itertools import count

from django.utils import timezone

from candidates import actions, inviting
from candidates.models import Person
from roles.models import Skill

_numbers = count(1)


def make_person(name="", kind=Person.Kind.CANDIDATE, **fields) -> Person:
    n = next(_numbers)
    values = {"email": f"someone{n}@example.org", **fields}
    return actions.save_person(Person(name=name or f"Someone Number{n}", kind=kind, **values), by=None)


def give_evidence(person, slug, value, source="work_sample", **fields) -> None:
    """One piece of evidence on the skill called ``slug``."""
    row = {"skill": Skill.objects.get(slug=slug), "source": source, "value": value, "observed_on": timezone.localdate()}
    actions.add_evidence(person, [row | fields])


def make_invitation(person, version, by, days=10):
    """An open invitation, as `invite` sends it."""
    deadline = timezone.localdate() + timezone.timedelta(days=days)
    sent, _ = inviting.invite([person], version, deadline_on=deadline, by=by)
    return sent[0]
