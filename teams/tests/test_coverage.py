"""The board: demands against teams, exactly for HR, by units for executives, and never behind a change."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from candidates import actions as people_actions
from candidates import matrix
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Person
from scoring.teams import coverage as covered
from teams import actions, coverage, publication, views
from teams.factories import join, make_demand, make_initiative, make_team
from teams.figures import Figures, Share
from teams.models import Telling
from teams.privacy import MINIMUM, Group, merge_small

pytestmark = pytest.mark.django_db


def able(team, slug="tone-empathy", value=5, **fields):
    """A new member with strong evidence."""
    person = make_person(kind="employee", **fields)
    join(team, person)
    for source in ("work_sample", "manager", "peer"):
        give_evidence(person, slug, value, source)
    return person


def test_a_cell_is_the_expected_number_of_people_up_to_what_is_asked():
    team = make_team()
    for value in (5, 5, 1):
        able(team, value=value)
    make_person(kind="employee")
    make_demand(make_initiative(), team, people=2)
    board = coverage.current()
    (line,) = board.lines
    assert board.exact.cells["service-support/communicating"].covered == pytest.approx(
        covered(line.probability, people=2).covered
    )
    assert board.exact.total.needed == 2
    assert line.members == 3
    assert line.unknown == 0


def test_a_change_of_evidence_shows_at_once():
    team = make_team()
    person = able(team, value=1)
    make_demand(make_initiative(), team)
    before = coverage.current().exact.total.covered
    for source in ("work_sample", "manager", "peer"):
        give_evidence(person, "tone-empathy", 5, source)
    assert coverage.current().exact.total.covered > before + 0.3


def test_members_nobody_has_assessed_are_counted_apart_and_cover_nothing():
    team = make_team(people=4)
    make_demand(make_initiative(), team)
    (line,) = coverage.current().lines
    assert line.unknown == 4
    assert line.coverage.covered == 0
    assert line.best is None


def test_only_active_initiatives_count():
    team = make_team(people=1)
    planned = make_initiative("Planned", active=False)
    ended = make_initiative("Ended")
    for one in (planned, ended):
        make_demand(one, team)
    actions.end(ended, day=timezone.localdate(), by=None)
    board = coverage.current()
    assert not board.lines
    assert board.exact.total.state == "not_assessed"
    actions.activate(planned, day=timezone.localdate(), by=None)
    assert len(coverage.current().lines) == 1


def test_an_initiative_without_demands_asks_for_nobody():
    one = make_initiative()
    assert coverage.current().exact.initiatives[one.pk].word == "Asks for nobody"


def test_who_has_left_or_is_archived_covers_nothing():
    team = make_team()
    leaver, archived = able(team), able(team)
    make_demand(make_initiative(), team)
    actions.leave_team(leaver.memberships.get(), day=timezone.localdate(), by=None)
    people_actions.set_archived(archived, by=None, archived=True)
    (line,) = coverage.current().lines
    assert line.members == 0


def test_one_expert_is_a_single_point_of_failure_and_a_second_one_ends_it():
    team = make_team()
    able(team, value=5)
    make_demand(make_initiative(), team)
    assert len(coverage.current().one_deep) == 1
    able(team, value=5)
    assert not coverage.current().one_deep


def test_a_team_of_one_is_covered_and_hangs_on_that_one():
    team = make_team()
    able(team, value=5)
    make_demand(make_initiative(), team, people=1)
    board = coverage.current()
    (line,) = board.lines
    assert line.members == 1
    assert line.coverage.at_least_without_best == 0
    assert board.one_deep == [0]


def test_the_number_of_queries_does_not_grow_with_demands(django_assert_num_queries):
    teams = [make_team(people=2) for _ in range(3)]
    for n in range(2):
        initiative = make_initiative(f"Number {n}")
        for team in teams:
            make_demand(initiative, team)
    coverage.current()
    with django_assert_num_queries(1):
        coverage.current()
    coverage.forget()
    with django_assert_num_queries(9):
        coverage.current()


CHANGES = ("evidence", "outsider", "doubt", "rename", "archive", "delete", "join", "demand", "anew")


def somehow_changed(data, what: str, people: list, teams: list) -> None:
    person = data.draw(st.sampled_from(people))
    slug, value = data.draw(st.sampled_from(["tone-empathy", "video"])), data.draw(st.integers(0, 5))
    if what == "evidence":
        give_evidence(person, slug, value, data.draw(st.sampled_from(["work_sample", "manager"])))
    elif what == "outsider":
        give_evidence(make_person(kind="employee"), slug, value)
    elif what == "doubt":
        Estimate.objects.filter(person=person).update(sd=1.1)
    elif what == "rename":
        Person.objects.filter(pk=person.pk).update(name=f"New {value}")
    elif what == "archive":
        people_actions.set_archived(person, by=None, archived=person.archived_at is None)
    elif what == "delete":
        Estimate.objects.filter(person=person).delete()
    elif what == "join":
        join(data.draw(st.sampled_from(teams)), make_person(kind="employee"), share=50)
    elif what == "demand":
        make_demand(make_initiative(), data.draw(st.sampled_from(teams)), slug, level=3, people=2)
    else:
        matrix.forget()


def as_drawn(users) -> list:
    """What the overview shows each, and everything it is drawn from."""
    board = coverage.current()
    lines = [(line.people.tolist(), line.z.tolist(), line.members, line.coverage) for line in board.lines]
    figures = board.exact, board.one_deep, board.lines_by_cell
    return [lines, figures, [views._board(user, "") for user in users]]


@given(st.data())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_board_made_from_the_one_before_is_as_one_made_anew(data):
    with transaction.atomic():
        coverage.forget()
        matrix.forget()
        users = [User(name="HR", role="hr", pk=1)]
        initiative = make_initiative()
        teams = [make_team(people=size) for size in (2, 3, 6)]
        for team in teams:
            make_demand(initiative, team, people=2)
            make_demand(initiative, team, "video", people=1)
        people = list(Person.objects.filter(memberships__isnull=False).distinct())
        for person in people[::2]:
            give_evidence(person, "tone-empathy", 4)
        for what in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=6)):
            as_drawn(users)
            somehow_changed(data, what, people, teams)
        found, latest = as_drawn(users), dict(coverage._latest)
        coverage.forget()
        assert found == as_drawn(users)
        assert latest
        transaction.set_rollback(True)


def test_somebody_outside_all_teams_changes_nothing_but_the_open_cell(monkeypatch):
    team = make_team()
    able(team, value=2)
    make_demand(make_initiative(), team, people=3)
    hr = User(name="HR", role="hr", pk=1)
    before = views._board(hr, "")
    board = coverage.current()
    monkeypatch.setattr(coverage, "Line", lambda *_: pytest.fail("a demand was worked out again"))
    for source in ("work_sample", "manager", "peer"):
        give_evidence(make_person(kind="employee"), "tone-empathy", 5, source)
    after = views._board(hr, "")
    assert coverage.current() is not board
    assert coverage.current().exact is board.exact
    assert {name for name in after if after[name] != before[name]} == {"board_cell"}
    assert "Ask around" in after["board_cell"]


# Executives


def told() -> dict:
    return publication.make(timezone.localdate()).figures


def test_small_teams_are_merged_and_only_their_sum_is_told():
    """Two teams of three: which of them is short cannot be told, whatever is subtracted from what."""
    strong, weak, big = make_team("Strong"), make_team("Weak"), make_team("Big")
    for _ in range(3):
        able(strong, value=5)
        able(weak, value=1)
    for _ in range(6):
        able(big, value=4)
    first, second = make_initiative("First"), make_initiative("Second")
    make_demand(first, strong, people=2)
    make_demand(second, weak, people=2)
    make_demand(second, big, people=2)
    found = told()
    assert {tuple(row.teams) for row in Telling.objects.filter(kind="unit")} == {(big.pk,), (strong.pk, weak.pk)}
    exact = coverage.current().exact
    assert exact.initiatives[first.pk].share > 0.9
    assert found["initiatives"][str(first.pk)][4] < 0.8
    assert found["total"][:2] == [round(exact.total.covered), 6]


def test_fewer_than_five_people_in_all_are_not_told_at_all():
    team = make_team()
    for _ in range(4):
        able(team)
    make_demand(make_initiative(), team, people=2)
    found = told()
    assert not found["cells"]
    assert found["total"][1] == 0
    assert coverage.current().exact.total.needed == 2


groups = st.lists(st.frozensets(st.integers(1, 40), max_size=9), min_size=1, max_size=12)


@given(groups)
def test_merged_groups_keep_everybody_and_are_large_or_alone(sets):
    merged = merge_small([Group((n,), people) for n, people in enumerate(sets)])
    assert [key for group in merged for key in group.keys] == list(range(len(sets)))
    for group in merged:
        others = frozenset().union(*(other.people for other in merged if other is not group))
        assert len(merged) == 1 or len(group.people - others) >= MINIMUM
        assert group.people == frozenset().union(*(sets[key] for key in group.keys))


# Words and colours


@pytest.mark.parametrize(
    ("covered", "tint"), [(10, 0), (9.6, 0), (9, 1), (7.5, 1), (7, 2), (5, 2), (3, 3), (2.5, 3), (2, 4), (0, 4)]
)
def test_tint_by_the_share_that_is_short(covered, tint):
    assert Share(covered, 10).tint == tint


def test_figures_survive_being_stored():
    team = make_team()
    able(team)
    make_demand(make_initiative(), team, people=3)
    figures = coverage.current().exact
    assert Figures.restored(figures.stored()) == figures


def test_estimates_older_than_a_year_are_counted_with_their_people():
    today = timezone.localdate()
    person = make_person()
    for slug in ("video", "audio"):
        give_evidence(person, slug, 3, observed_on=today - timedelta(days=400))
    give_evidence(make_person(), "video", 3)
    assert coverage.stale(today) == {"old": 2, "all": 3, "people": 1}
