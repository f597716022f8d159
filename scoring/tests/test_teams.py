import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

import scoring.readiness
from scoring.readiness import Demand, Draws, readiness
from scoring.teams import count_distribution, coverage, coverages

probabilities = st.lists(st.floats(0, 1), min_size=0, max_size=8)


@given(probabilities, st.integers(1, 5))
def test_exact_against_every_outcome_counted(p, people):
    exact = sum(
        math.prod(q if met else 1 - q for q, met in zip(p, outcome, strict=True))
        for outcome in itertools.product([False, True], repeat=len(p))
        if sum(outcome) >= people
    )
    found = coverage(p, people=people)
    assert found.at_least == pytest.approx(exact, abs=1e-9)
    assert found.expected == pytest.approx(sum(p))


@given(probabilities)
def test_counts_are_a_distribution(p):
    found = count_distribution(np.array(p))
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(1, 4))
def test_losing_the_best_one_never_helps(p, people):
    found = coverage(p, people=people)
    assert found.at_least_without_best <= found.at_least + 1e-12


def test_one_expert_does_not_cover_a_team():
    found = coverage([0.99, 0.05, 0.05], people=2)
    assert found.at_least < 0.15
    assert coverage([0.99, 0.05], people=1).at_least_without_best == pytest.approx(0.05)


@pytest.mark.parametrize(("p", "people"), [([1.2], 1), ([-0.1], 1), ([math.nan], 1), ([0.5], 0)])
def test_bad_input_is_refused(p, people):
    with pytest.raises(ValueError, match=r"must|holds|at least one"):
        coverage(p, people=people)


@given(probabilities, st.integers(1, 5))
def test_covered_against_every_outcome_counted(p, people):
    exact = sum(
        math.prod(q if met else 1 - q for q, met in zip(p, outcome, strict=True)) * min(people, sum(outcome))
        for outcome in itertools.product([False, True], repeat=len(p))
    )
    assert coverage(p, people=people).covered == pytest.approx(exact, abs=1e-9)


def test_one_deep_means_covered_but_not_without_the_best():
    assert coverage([0.95, 0.1], people=1).is_one_deep
    assert not coverage([0.95, 0.9], people=1).is_one_deep
    assert not coverage([0.3], people=1).is_one_deep
    assert coverage([0.95, 0.9], people=2).is_one_deep


@pytest.mark.parametrize(("p", "state"), [([0.95], "meets"), ([0.5], "uncertain"), ([0.05], "gap"), ([], "gap")])
def test_state_of_a_demand(p, state):
    assert coverage(p, people=1).state == state


def demand(people, z, *, skill=0, members=None):
    ids = np.arange(len(z)) if members is None else np.array(members)
    return Demand(people, skill, ids, np.array(z, dtype=float))


def ready(*demands, seed=1, **options):
    (found,) = readiness(demands, seed=seed, **options)
    return found


def drawn(demands, seed, draws):
    return Draws(demands, seed=seed, draws=draws).met.sum(axis=0)


@given(st.lists(st.floats(-3, 3), min_size=0, max_size=6), st.integers(1, 4))
def test_readiness_is_the_exact_share_and_its_interval_lies_on_0_to_1(z, people):
    found = ready(demand(people, z), draws=50)
    p = [0.5 * math.erfc(-one / math.sqrt(2)) for one in z]
    assert found.share == pytest.approx(coverage(p, people=people).covered / people)
    assert 0 <= found.low <= found.high <= 1
    assert found.covered == pytest.approx(found.share * found.needed)


def test_draws_agree_with_the_exact_mean():
    demands = [demand(2, [0.2, -0.5, 1.0]), demand(3, [0.0, 0.4, 0.3, -1.0], skill=1, members=[1, 2, 8, 9])]
    sums = drawn(demands, 3, 200_000)
    assert sums.mean() == pytest.approx(ready(*demands).covered, abs=0.01)


def test_one_person_s_residuals_are_shared_over_skills():
    """One person asked for in two skills meets both with Phi2(0, 0; rho) = 1/4 + asin(rho)/2pi."""
    demands = [demand(1, [0.0]), demand(1, [0.0], skill=1)]
    sums = drawn(demands, 5, 400_000)
    assert (sums == 2).mean() == pytest.approx(0.25 + math.asin(0.3) / (2 * math.pi), abs=0.003)
    strangers = drawn([demands[0], demand(1, [0.0], skill=1, members=[7])], 5, 400_000)
    assert (strangers == 2).mean() == pytest.approx(0.25, abs=0.003)


def test_the_same_skill_in_two_demands_is_met_by_one_and_the_same_level():
    """Who meets the higher level always meets the lower one."""
    sums = drawn([demand(1, [-1.0]), demand(1, [0.0])], 7, 20_000)
    assert set(np.unique(sums)) == {0.0, 1.0, 2.0}
    assert (sums == 2).mean() == pytest.approx(0.1587, abs=0.01)
    assert (sums >= 1).mean() == pytest.approx(0.5, abs=0.015)


def test_readiness_has_its_line_at_eighty():
    assert ready(demand(2, [3.0, 3.0, 3.0])).state == "meets"
    assert ready(demand(2, [0.5, 0.5])).state == "uncertain"
    assert ready(demand(2, [-3.0])).state == "gap"
    assert ready().state == "not_assessed"
    assert ready(demand(2, [])).share == 0.0


def test_the_same_seed_gives_the_same_interval():
    demands = [demand(2, [0.2, -0.5, 1.0]), demand(1, [0.3], skill=4, members=[2])]
    assert ready(*demands) == ready(*demands)
    assert ready(*demands, draws=20_000).low == pytest.approx(ready(*demands, draws=20_000, seed=2).low, abs=0.02)


def test_weights_make_groups_and_take_parts_of_demands():
    demands = [demand(2, [0.0, 0.0]), demand(1, [3.0], skill=1), demand(4, [])]
    half, none, everything = readiness(demands, seed=1, weights=[[0.5, 1, 0], [0, 0, 0], [1, 1, 1]])
    assert half.needed == 2.0
    assert half.covered == pytest.approx(0.5 * 1.0 + 0.99865, abs=1e-4)
    assert none.state == "not_assessed"
    assert everything.needed == 7
    assert readiness([], seed=1) == [none]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ([demand(0, [0.0])], {}, "at least one person"),
        ([demand(1, [math.nan])], {}, "finite"),
        ([demand(1, [0.0], members=[1, 2])], {}, "must have the same shape|Members"),
        ([demand(1, [0.0])], {"weights": [[-1.0]]}, "negative"),
        ([demand(1, [0.0])], {"weights": [[1.0, 1.0]]}, "Weights and demands"),
        ([demand(1, [0.0])], {"draws": 1}, "at least 10 draws"),
        ([demand(1, [0.0])], {"correlation": 1.0}, "below 1"),
    ],
)
def test_bad_demands_are_refused(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        ready(*arguments, **options)


def test_only_what_has_changed_is_drawn_again(monkeypatch):
    demands = [demand(2, [0.2, -0.5, 1.0]), demand(1, [0.3], skill=4, members=[2]), demand(1, [1.0], members=[5])]
    draws = Draws(demands, seed=1)
    everything = np.ones((1, 3))
    assert draws.readiness(everything) == [ready(*demands)]
    drawn_again = []
    real = scoring.readiness._meet
    monkeypatch.setattr(scoring.readiness, "_meet", lambda *a: drawn_again.append(a[2].tolist()) or real(*a))
    assert ready(*demands, known=draws.known()) == ready(*demands)
    assert drawn_again == [one.members.tolist() for one in demands]
    drawn_again.clear()
    changed = demand(1, [0.4], skill=4, members=[2])
    draws.replace(1, changed)
    assert drawn_again == [[2]]
    assert draws.readiness(everything) == [ready(demands[0], changed, demands[2])]
    with pytest.raises(ValueError, match="finite"):
        draws.replace(0, demand(1, [math.nan]))


@given(st.integers(0, 200))
def test_a_group_s_answer_hangs_on_its_own_weights_alone(seed):
    """To the last bit, so that what was worked out before may stand beside what is worked out anew."""
    rng = np.random.default_rng(seed)
    demands = [demand(2, rng.normal(size=5), skill=int(n), members=rng.choice(50, 5, replace=False)) for n in range(12)]
    draws = Draws(demands, seed=3, draws=100)
    weights = rng.random((6, 12)) * (rng.random((6, 12)) < 0.5)
    alone = [draws.readiness(weights[[g]])[0] for g in range(6)]
    assert draws.readiness(weights) == alone


def test_nobody_s_draws_depend_on_who_else_is_there():
    alone = drawn([demand(1, [0.2], members=[7])], 3, 5_000)
    beside = drawn([demand(9, [0.5, 0.2], members=[3, 7])], 3, 5_000) - drawn([demand(1, [0.5], members=[3])], 3, 5_000)
    assert (alone == beside).all()


def test_the_numbers_drawn_are_normal_and_independent():
    """P(residual >= -z) over many people and draws; draws and people uncorrelated."""
    many = drawn([demand(10_000, [0.7] * 400)], 11, 4_000)
    assert many.mean() / 400 == pytest.approx(0.75804, abs=0.001)
    assert many.std() == pytest.approx(math.sqrt(400 * 0.75804 * (1 - 0.75804)), rel=0.05)
    assert abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 0.05


@given(st.integers(0, 500))
def test_all_teams_at_once_are_covered_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    known = rng.random((30, 6)) < 0.7
    mean, sd = rng.normal(2.5, 1, (30, 6)), rng.uniform(0.3, 1, (30, 6))
    by_person = np.stack([mean, np.where(known, 1 / sd, 0)], axis=2).astype(np.float32)
    members = [rng.choice(30, size=n, replace=False) for n in (0, 1, 7, 15)]
    asked = {
        "team": rng.integers(0, 4, 9),
        "skill": rng.integers(0, 6, 9),
        "level": rng.integers(0, 6, 9),
        "people": rng.integers(1, 20, 9),
    }
    found = coverages(by_person, members, **asked)
    for d in range(9):
        skill, level = asked["skill"][d], asked["level"][d]
        rows = [row for row in members[asked["team"][d]] if known[row, skill]]
        z = np.array([(by_person[row, skill, 0] - level) * by_person[row, skill, 1] for row in rows])
        part = slice(found.edges[d], found.edges[d + 1])
        assert found.row[part].tolist() == rows
        assert found.z[part] == pytest.approx(z, abs=1e-5)
        alone = coverage(ndtr(found.z[part]), people=int(asked["people"][d]))
        for name in ("expected", "at_least", "at_least_without_best", "covered"):
            assert getattr(found.of(d), name) == pytest.approx(getattr(alone, name), abs=1e-9)


def test_teams_without_demands_and_bad_demands():
    by_person = np.zeros((2, 3, 2), dtype=np.float32)
    asked = {"team": [0], "skill": [0], "level": [3], "people": [1]}
    assert coverages(by_person, [], team=[], skill=[], level=[], people=[]).edges.tolist() == [0]
    with pytest.raises(ValueError, match="at least one person"):
        coverages(by_person, [np.array([1])], **{**asked, "people": [0]})
    with pytest.raises(ValueError, match="no skill column 3"):
        coverages(by_person, [np.array([1])], **{**asked, "skill": [3]})
