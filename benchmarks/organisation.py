"""A seeded organisation in PostgreSQL, written by COPY: people, estimates, a role of twelve requirements, teams."""

from __future__ import annotations

import io

import numpy as np
from django.db import connection
from django.utils import timezone

from accounts.models import User
from candidates.models import Estimate, Person
from roles import actions
from roles.models import EnterpriseFunction, RoleVersion, Skill
from teams.models import Demand, Initiative, Membership, Team

SKILLS = 40
SHARE = {10_000: 0.7, 100_000: 0.7, 1_000_000: 0.3}
"""Of a person's skills, so many are assessed: at a million fewer, so that loading stays within minutes."""


def fill(people: int) -> tuple[User, RoleVersion, RoleVersion]:
    """Everything; gives an HR manager, a published version with 3 of 12 essential, and a draft of the next."""
    hr = User.objects.create_user("hr@example.org", "x" * 20, name="HR", role="hr")
    skills = _skills()
    line = {"target": 4, "weight": 2, "reason": ""}
    version = actions.create_role(
        by=hr,
        title="Bench",
        function=EnterpriseFunction.objects.first(),
        phase="manage",
        lines=[{**line, "skill_id": s.pk, "level": 3, "is_essential": n < 3} for n, s in enumerate(skills[:12])],
    )
    actions.publish(version, by=hr)
    draft = actions.next_version(version.role, by=hr)
    _people(people)
    _estimates(people, skills)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return hr, version, RoleVersion.objects.get(pk=draft.pk)


def _skills() -> list[Skill]:
    found = list(Skill.objects.order_by("column"))
    for n in range(len(found), SKILLS):
        column = 1 + max(skill.column for skill in found)
        group = found[n % len(found)].skill_set
        found.append(Skill.objects.create(name=f"Skill {n}", slug=f"bench-{n}", skill_set=group, column=column))
    return found[:SKILLS]


def _copy(table: str, columns: str, fields: list[tuple[str, str]], arrays: dict[str, np.ndarray]) -> None:
    """Rows in the binary form of COPY: each field with its length before it. ``fields``: name and big-endian type."""
    layout = [("n", ">i2")]
    for name, kind in fields:
        layout += [(f"length of {name}", ">i4"), (name, kind)]
    rows = np.zeros(len(next(iter(arrays.values()))), dtype=layout)
    rows["n"] = len(fields)
    for name, kind in fields:
        rows[f"length of {name}"], rows[name] = np.dtype(kind).itemsize, arrays[name]
    header = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    with connection.cursor() as cursor:
        # Replicas do not fire triggers: loading is not what is measured.
        cursor.execute("SET session_replication_role = replica")
        file = io.BytesIO(header + rows.tobytes() + b"\xff\xff")
        cursor.cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)", file, 1 << 20)
        cursor.execute("SET session_replication_role = origin")


def _people(n: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO candidates_person "
            "(subject, code, name, email, kind, job_title, location, offers_help, created_at) "
            "SELECT gen_random_uuid(), 'C' || lpad(to_hex(n), 11, '0'), 'Person ' || n, 'p' || n || '@example.org', "
            "CASE n %% 2 WHEN 1 THEN 'employee' ELSE 'candidate' END, 'Job', 'Here', false, now() "
            "FROM generate_series(1, %s) n",
            [n],
        )


def _estimates(n: int, skills: list[Skill]) -> None:
    rng = np.random.default_rng(n)
    first = Person.objects.order_by("pk").values_list("pk", flat=True)[0]
    today = np.int32((timezone.localdate() - timezone.datetime(2000, 1, 1).date()).days)
    month = np.int32((timezone.localdate().replace(day=1) - timezone.datetime(2000, 1, 1).date()).days)
    for start in range(0, n, 100_000):
        size = min(100_000, n - start)
        person, skill = np.nonzero(rng.random((size, len(skills))) < SHARE.get(n, 0.3))
        count = len(person)
        _copy(
            "candidates_estimate",
            "person_id, skill_id, mean, sd, evidence_count, newest_on, as_of, engine, parameters",
            [
                ("person", ">i8"), ("skill", ">i8"), ("mean", ">f8"), ("sd", ">f8"), ("count", ">i4"),
                ("newest", ">i4"), ("as_of", ">i4"), ("engine", "S3"), ("parameters", "S9"),
            ],
            {
                "person": first + start + person,
                "skill": np.array([one.pk for one in skills])[skill],
                "mean": np.clip(rng.normal(2.5, 1.1, count), 0, 5),
                "sd": rng.uniform(0.3, 1.1, count),
                "count": np.full(count, 3),
                "newest": np.full(count, today),
                "as_of": np.full(count, month),
                "engine": np.full(count, b"1.0"),
                "parameters": np.full(count, b"shipped-1"),
            },
        )  # fmt: skip


def teams() -> User:
    """200 teams of 25 to 50 of the employees, and 1,000 demands of 100 initiatives; gives an executive."""
    rng = np.random.default_rng(2)
    today = timezone.localdate()
    functions, skills = list(EnterpriseFunction.objects.all()), _skills()[:14]
    people = list(Person.objects.filter(kind="employee").order_by("pk").values_list("pk", flat=True)[:20_000])
    made = Team.objects.bulk_create(Team(name=f"Team {n}", function=functions[n % 8]) for n in range(200))
    Membership.objects.bulk_create(
        Membership(team=team, person_id=int(pk), share=50, joined_on=today)
        for team in made
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
            team=made[n % 200],
            skill=skills[n % 14],
            level=int(rng.integers(2, 5)),
            people=int(rng.integers(1, 15)),
            due_on=today,
        )
        for n in range(1000)
    )
    return User.objects.create_user("ruth@example.org", "x" * 20, name="R", role="executive")


def an_estimate() -> Estimate:
    return Estimate.objects.order_by("pk")[1000]


def a_member_s_estimate() -> Estimate:
    """One that a demand hangs on: of somebody in the team, in the skill."""
    for demand in Demand.objects.order_by("pk"):
        members = Membership.objects.filter(team=demand.team_id).values("person")
        found = Estimate.objects.filter(person__in=members, skill=demand.skill_id).first()
        if found:
            return found
    raise LookupError("No member of any team is assessed in what is asked of the team.")


def change(estimate: Estimate) -> None:
    estimate.mean = (estimate.mean + 1) % 5
    estimate.save(update_fields=["mean"])
