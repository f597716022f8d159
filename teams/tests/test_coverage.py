"""The board: demands against teams, exactly for HR, merged for executives, and never behind a change."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from candidates import actions as people_actions
from candidates.factories import give_evidence, make_person
from scoring.teams import coverage as covered
from teams import actions, coverage
from teams.coverage import Figures, Share
from teams.factories import join, make_demand, make_initiative, make_team
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
    assert not board.merged.cells


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


# Executives


def executive_board():
    board = coverage.current()
    return board, board.merged


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
    board, merged = executive_board()
    assert {unit.label for unit in board.units} == {"Strong and Weak", "Big"}
    exact = board.exact
    assert exact.initiatives[first.pk].share > 0.9
    assert merged.initiatives[first.pk].share == pytest.approx(
        (exact.total.covered - merged.initiatives[second.pk].covered) / 2
    )
    assert merged.initiatives[first.pk].share < 0.8
    assert merged.total.covered == pytest.approx(exact.total.covered)


def test_fewer_than_five_people_in_all_are_not_told_at_all():
    team = make_team()
    for _ in range(4):
        able(team)
    make_demand(make_initiative(), team, people=2)
    board, merged = executive_board()
    assert not merged.cells
    assert merged.total.needed == 0
    assert board.exact.total.needed == 2


groups = st.lists(st.frozensets(st.integers(1, 40), max_size=9), min_size=1, max_size=12)


@given(groups)
def test_merged_groups_keep_everybody_and_are_large_or_alone(sets):
    merged = merge_small([Group((n,), people) for n, people in enumerate(sets)])
    assert [key for group in merged for key in group.keys] == list(range(len(sets)))
    assert len(merged) == 1 or all(len(group.people) >= MINIMUM for group in merged)
    for group in merged:
        assert group.people == frozenset().union(*(sets[key] for key in group.keys))


def test_merged_figures_are_sums_of_whole_units(db):
    """The matrix that makes them has one row pattern per unit: nothing inside a unit can be recovered."""
    rng = np.random.default_rng(4)
    initiatives = [make_initiative(f"I{n}") for n in range(3)]
    teams = [make_team(f"T{n}", function) for n, function in enumerate(("it", "marketing", "it", "innovation"))]
    for team in teams:
        for _ in range(int(rng.integers(1, 5))):
            able(team, value=int(rng.integers(1, 6)))
        make_demand(initiatives[int(rng.integers(3))], team, people=2)
    board = coverage.current()
    needed = np.array([float(line.demand.people) for line in board.lines])
    pooled = coverage.Pooled(board.units, needed)
    pooling = np.stack([pooled.parts(one) for one in np.eye(len(needed))], axis=1)
    weights = rng.random((3, len(needed)))
    assert np.allclose(pooled.weights(weights), weights @ pooling)
    for unit in board.units:
        block = pooling[np.ix_(unit.lines, unit.lines)]
        assert np.linalg.matrix_rank(block) <= 1
        people = {int(p) for n in unit.lines for p in board.lines[n].people}
        assert unit.is_hidden == (len(people) < MINIMUM)


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
