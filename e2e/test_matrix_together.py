"""Interleaved transactions on a real PostgreSQL: no committed change is missed, and no reader sees half of one."""

import random
import threading
import time
from contextlib import closing, contextmanager

import numpy as np
import pytest
from django.db import connection, connections, transaction

from candidates import changes, matrix
from candidates.factories import make_person
from candidates.models import Estimate, Person
from candidates.tests.test_matrix import same_as_fresh, skills, some_estimate

pytestmark = [pytest.mark.servers]
SECONDS = 3


@pytest.fixture
def people(transactional_db):
    """Eight people with the same four skills."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts one")
    from roles.models import Skill, SkillSet

    if not Skill.objects.exists():
        group = SkillSet.objects.create(name="Set", slug="set", position=1)
        for n in range(4):
            Skill.objects.create(name=f"Skill {n}", slug=f"skill-{n}", skill_set=group, column=n, position=n)
    people = [make_person() for _ in range(8)]
    Estimate.objects.bulk_create(some_estimate(person, skill, mean=1.0) for person in people for skill in skills())
    matrix.forget()
    yield people
    matrix.forget()


@contextmanager
def another():
    """A second connection, with a transaction of its own."""
    other = connection.copy()
    with closing(other):
        other.set_autocommit(False)
        yield other


def put(database, person, mean: float) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE candidates_estimate SET mean = %s WHERE person_id = %s", [mean, person.pk])


def level(person) -> float:
    latest = matrix.current()
    (row,) = latest.rows([person.pk])
    return float(latest.profiles.mean[skills()[0].column, row])


def test_who_began_first_and_commits_last_is_not_missed(people):
    first, second = people[:2]
    matrix.current()
    with another() as early, another() as late:
        put(early, first, 2.0)
        put(late, second, 3.0)
        late.commit()
        assert (level(first), level(second)) == (1.0, 3.0)
        # Others go on meanwhile, and the log grows beyond what the first will add to it.
        put(connection, people[2], 4.0)
        assert level(people[2]) == 4.0
        early.commit()
        assert level(first) == 2.0
    same_as_fresh()


def test_who_had_not_yet_written_anything_is_not_missed(people):
    matrix.current()
    with another() as early:
        with early.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM candidates_person")
        put(connection, people[1], 3.0)
        assert level(people[1]) == 3.0
        put(early, people[0], 2.0)
        assert level(people[0]) == 1.0
        early.commit()
    assert level(people[0]) == 2.0


def test_what_is_rolled_back_beside_what_is_committed_is_never_seen(people):
    matrix.current()
    with another() as other:
        put(other, people[0], 2.0)
        put(connection, people[1], 3.0)
        assert level(people[0]) == 1.0
        other.rollback()
    assert (level(people[0]), level(people[1])) == (1.0, 3.0)
    same_as_fresh()


def test_a_savepoint_that_fails_takes_back_what_this_process_has_seen(people):
    matrix.current()
    with transaction.atomic():
        with transaction.atomic():
            put(connection, people[0], 2.0)
            assert level(people[0]) == 2.0
            transaction.set_rollback(True)
        assert level(people[0]) == 1.0
    same_as_fresh()


def test_a_snapshot_taken_while_somebody_writes_misses_nothing(people):
    with another() as other:
        put(other, people[0], 2.0)
        matrix.renew_snapshot()
        other.commit()
    matrix.forget()
    assert matrix.current().table.path is not None
    assert level(people[0]) == 2.0
    same_as_fresh()


def test_old_changes_are_read_once_while_a_long_transaction_runs(people):
    matrix.current()
    with another() as other:
        put(other, people[0], 2.0)
        put(connection, people[1], 3.0)
        version = matrix.current().version
        assert matrix.current().version == version
        assert changes.since(matrix._keeper.published.mark).people == frozenset()
        other.commit()
    assert matrix.current().version == version + 1


def write(people, until: float, seed: int) -> None:
    """Change all four skills of somebody at once, or none of them."""
    rng = random.Random(seed)
    known = skills()
    try:
        while time.monotonic() < until:
            person, mean = rng.choice(people), float(rng.randint(0, 50)) / 10
            with transaction.atomic():
                Person.objects.select_for_update().get(pk=person.pk)
                for skill in known:
                    Estimate.objects.filter(person=person, skill=skill).update(mean=mean)
                    time.sleep(rng.random() / 500)
                if rng.random() < 0.2:
                    transaction.set_rollback(True)
    finally:
        connections.close_all()


def test_no_reader_sees_half_of_a_change(people):
    columns = [skill.column for skill in skills()]
    until = time.monotonic() + SECONDS
    torn, versions = [], set()

    def read() -> None:
        try:
            while time.monotonic() < until:
                held = matrix.current()
                rows = held.rows([person.pk for person in people])
                before = held.profiles.mean[np.ix_(columns, rows)].copy()
                versions.add(held.version)
                time.sleep(0.002)
                after = held.profiles.mean[np.ix_(columns, rows)]
                if (before != before[0]).any() or (before != after).any():
                    torn.append((held.version, before))
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(people, until, seed)) for seed in range(4)]
    readers = [threading.Thread(target=read) for _ in range(3)]
    for thread in [*writers, *readers]:
        thread.start()
    for thread in [*writers, *readers]:
        thread.join(60)
    assert not torn
    assert len(versions) > 20
    same_as_fresh()
