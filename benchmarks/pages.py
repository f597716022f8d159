"""Pages at 10,000 people against a trivial page: the same process, middleware and sign-in, Django's test client.

Runs on a database of its own in a temporary folder and leaves nothing behind.
"""

from __future__ import annotations

import os
import tempfile

from benchmarks.speed import medians

PEOPLE = 10_000


def rows() -> list[dict]:
    """One row a page: median milliseconds, and the ratio to the trivial page in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "LOG_LEVEL": "ERROR"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialstrategy.settings")
        import django

        django.setup()
        return _measure()


def _measure() -> list[dict]:
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    call_command("migrate", verbosity=0)
    hr, version, draft = _organisation()
    client = Client()
    client.force_login(hr)
    _teams()
    executive = Client()
    executive.force_login(User.objects.create_user("ruth@example.org", "x" * 20, name="R", role="executive"))
    htmx = {"HX-Request": "true"}
    pages = {
        "trivial (settings)": lambda: client.get("/settings/"),
        "live preview": lambda: client.get(f"/hiring/{draft.pk}/who-fits/", headers=htmx),
        "ranking": lambda: client.get(f"/hiring/{version.pk}/"),
        "people": lambda: client.get("/people/"),
        "overview": lambda: client.get("/"),
        "overview for executives": lambda: executive.get("/"),
    }
    for name, page in pages.items():
        assert page().status_code == 200, name
    times = medians(pages)
    base = times["trivial (settings)"]
    return [{"people": PEOPLE, "task": name, "ms": 1000 * s, "ratio": s / base} for name, s in times.items()]


def _organisation():
    """10,000 people with estimates on every skill of one role of fourteen requirements, five essential."""
    import numpy as np
    from django.utils import timezone

    from accounts.models import User
    from candidates.models import Estimate, Person
    from roles import actions
    from roles.models import EnterpriseFunction, RoleVersion, Skill

    hr = User.objects.create_user("hr@example.org", "x" * 20, name="HR", role="hr")
    skills = list(Skill.objects.all()[:14])
    line = {"target": 4, "weight": 2, "reason": ""}
    version = actions.create_role(
        by=hr,
        title="Bench",
        function=EnterpriseFunction.objects.first(),
        phase="manage",
        lines=[{**line, "skill_id": s.pk, "level": 3, "is_essential": n < 5} for n, s in enumerate(skills)],
    )
    actions.publish(version, by=hr)
    draft = actions.next_version(version.role, by=hr)
    Person.objects.bulk_create(
        Person(name=f"Person {n}", email=f"p{n}@example.org", kind="employee" if n % 2 else "candidate")
        for n in range(PEOPLE)
    )
    rng = np.random.default_rng(1)
    today = timezone.localdate()
    keys = list(Person.objects.values_list("pk", flat=True))
    Estimate.objects.bulk_create(
        (
            Estimate(
                person_id=key,
                skill=skill,
                mean=float(rng.normal(2.7, 1)),
                sd=float(rng.uniform(0.4, 1)),
                evidence_count=3,
                newest_on=today,
                as_of=today.replace(day=1),
            )
            for key in keys
            for skill in skills
        ),
        batch_size=2000,
    )
    return hr, version, RoleVersion.objects.get(pk=draft.pk)


def _teams():
    """200 teams of 25 to 50 of the employees, and 1,000 demands of 100 initiatives."""
    import numpy as np
    from django.utils import timezone

    from candidates.models import Person
    from roles.models import EnterpriseFunction, Skill
    from teams.models import Demand, Initiative, Membership, Team

    rng = np.random.default_rng(2)
    today = timezone.localdate()
    functions, skills = list(EnterpriseFunction.objects.all()), list(Skill.objects.all()[:14])
    people = list(Person.objects.filter(kind="employee").values_list("pk", flat=True))
    teams = Team.objects.bulk_create(Team(name=f"Team {n}", function=functions[n % 8]) for n in range(200))
    Membership.objects.bulk_create(
        Membership(team=team, person_id=int(pk), share=50, joined_on=today)
        for team in teams
        for pk in rng.choice(people, size=int(rng.integers(25, 51)), replace=False)
    )
    initiatives = Initiative.objects.bulk_create(
        Initiative(title=f"Initiative {n}", function=functions[n % 8], goal="x", deadline_on=today, activated_on=today)
        for n in range(100)
    )
    Demand.objects.bulk_create(
        Demand(
            initiative=initiatives[n % 100],
            phase="manage",
            team=teams[n % 200],
            skill=skills[n % 14],
            level=int(rng.integers(2, 5)),
            people=int(rng.integers(1, 15)),
            due_on=today,
        )
        for n in range(1000)
    )
