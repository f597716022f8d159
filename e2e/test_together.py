"""What happens when two people do the same thing at the same moment, on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.utils import timezone

from candidates.factories import make_person
from teams import actions, snapshots
from teams.factories import make_team
from teams.models import Membership, Snapshot, Team

pytestmark = [pytest.mark.servers]


@pytest.fixture
def together(transactional_db):
    """A function that runs others at the same moment, each with a connection of its own; gives what each returned."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts one")

    def run(*tasks):
        start = Barrier(len(tasks))

        def one(task):
            start.wait(10)
            try:
                return task()
            except ValidationError as error:
                return error.messages[0]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(one, tasks))

    return run


def test_two_teams_never_take_more_than_all_of_somebody(together):
    person = make_person("Wanted Twice", kind="employee")
    teams = [make_team("One"), make_team("Two")]
    today = timezone.localdate()
    found = together(
        *[lambda team=team: actions.put_in_team(team, person, share=60, day=today, by=None) for team in teams]
    )
    assert Membership.objects.time_of(person) == 60
    assert sum(isinstance(one, str) and "would work 120%" in one for one in found) == 1


def test_nobody_joins_a_team_that_is_being_closed(together):
    person, team = make_person(kind="employee"), make_team()
    today = timezone.localdate()
    together(
        lambda: actions.put_in_team(team, person, share=100, day=today, by=None),
        lambda: actions.close_team(team, into=None, day=today, by=None),
    )
    team.refresh_from_db()
    assert team.closed_on == today
    assert not Membership.objects.current().filter(team=team).exists()


def test_two_teams_that_merge_into_each_other_do_so_once(together):
    one, two = make_team("One", people=2), make_team("Two", people=2)
    today = timezone.localdate()
    found = together(
        lambda: actions.close_team(one, into=two, day=today, by=None),
        lambda: actions.close_team(two, into=one, day=today, by=None),
    )
    assert sum(isinstance(answer, str) for answer in found) == 1
    assert Team.objects.current().count() == 1
    assert Membership.objects.current().filter(team__in=Team.objects.current()).count() == 4


def test_a_quarter_is_stored_once_by_two_schedulers(together):
    end = snapshots.last_quarter_end(timezone.localdate())
    taken = together(*[lambda: snapshots.take(end)] * 2)
    assert sorted(taken) == [False, True]
    assert Snapshot.objects.count() == 1
