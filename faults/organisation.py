"""The organisation that works while servers fail: accounts, a role, and people of whom something is known."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from candidates import actions
from candidates.models import Evidence, Person
from faults.clients import PASSWORD, Asker, Importer, Overseer, Rater, Recruiter
from roles import actions as roles
from roles.models import EnterpriseFunction, RoleVersion, Skill

KNOWN, QUIET = 160, 40
"""People who are rated meanwhile, and people of whom nothing changes."""


def fill() -> RoleVersion:
    """Everything; gives the published version that people are invited to."""
    for one in (Recruiter, Importer, Asker, Overseer):
        hr = User.objects.create_user(one.email, PASSWORD, name=one.__name__, role=User.Role.HR)
    User.objects.create_user(Rater.email, PASSWORD, name="Rater", role=User.Role.ASSESSOR)
    skills = list(Skill.objects.order_by("column")[:4])
    line = {"level": 3, "target": 4, "weight": 2, "reason": ""}
    version = roles.create_role(
        by=hr,
        title="Community host",
        function=EnterpriseFunction.objects.first(),
        phase="manage",
        lines=[{**line, "skill_id": skill.pk, "is_essential": n == 0} for n, skill in enumerate(skills)],
    )
    roles.publish(version, by=hr)
    people = Person.objects.bulk_create(
        Person(name=f"{name} {n}", email=f"{name}{n}@faults.example")
        for name, count in (("known", KNOWN), ("quiet", QUIET))
        for n in range(count)
    )
    today = timezone.localdate()
    Evidence.objects.bulk_create(
        Evidence(person=person, skill=skill, source=source, value=(person.pk + skill.pk) % 6, observed_on=today)
        for person in people
        for skill in skills
        for source in ("work_sample", "certificate")
    )
    actions.refresh_estimates([person.pk for person in people])
    return RoleVersion.objects.get(pk=version.pk)
