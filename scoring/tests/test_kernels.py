"""The pass over everybody: its Phi, its bounds, and that a ranking cut short is the ranking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from scoring import kernels, ranking
from scoring.fit import Requirement, prepare
from scoring.ranking import Profiles, rank, score


def people(n: int, seed: int = 1, skills: int = 8, share: float = 0.7) -> Profiles:
    rng = np.random.default_rng(seed)
    known = rng.random((skills, n)) < share
    mean = np.where(known, rng.normal(2.5, 1.1, (skills, n)), 2.5).astype(np.float32)
    sd = np.where(known, rng.uniform(0.3, 1.1, (skills, n)), 1.25).astype(np.float32)
    return Profiles(mean, sd, known)


def role(essentials: int, error: float = 0.0, skills: int = 6) -> list[Requirement]:
    return [Requirement(k, 2 + k % 3, 1 + k % 3, essential=k < essentials, standard_error=error) for k in range(skills)]


def test_phi_is_within_its_error_everywhere():
    """Steps of 8e-6 times the largest slope, .4, leave 3e-6 between the points."""
    grid = np.linspace(-8, 8, 2_000_001).astype(np.float32)
    assert np.abs(kernels.phi(grid) - ndtr(grid.astype(np.float64))).max() < kernels.PHI_ERROR - 3e-6


@given(st.integers(0, 200), st.integers(0, 5), st.sampled_from([0.0, 0.4]))
def test_the_bounds_hold_p_all_and_f_is_f(seed, essentials, error):
    profiles, lines = people(60, seed), role(essentials, error)
    exact = score(profiles, lines)
    found = kernels.one_pass(profiles.mean, profiles.sd, profiles.assessed, prepare(lines, 8))
    slack = 6 * kernels.PHI_ERROR
    assert np.abs(found.fit - exact.fit).max() < slack
    assert (found.low <= exact.all_essentials + slack).all()
    assert (found.high >= exact.all_essentials - slack).all()
    assert (found.known == profiles.assessed[:6].any(axis=0)).all()


@pytest.mark.parametrize("essentials", [0, 1, 3, 5])
@pytest.mark.parametrize(("n", "share"), [(10_000, 0.7), (100_000, 0.7), (3_000, 0.01)])
def test_the_first_fifty_are_those_of_everybody_scored(n, share, essentials):
    profiles, lines = people(n, n + essentials, share=share), role(essentials)
    whole = score(profiles, lines)
    found = rank(profiles, lines, top=50)
    assert (found.rows == whole.order()[:50]).all()
    assert (found.all_essentials == whole.all_essentials[found.rows]).all()
    assert (found.fit == whole.fit[found.rows]).all()


def test_few_of_many_are_scored_exactly(monkeypatch):
    profiles, lines = people(100_000), role(3)
    asked = []
    exact = ranking.score

    def counted(*arguments, among, **options):
        asked.append(len(among))
        return exact(*arguments, among=among, **options)

    monkeypatch.setattr(ranking, "score", counted)
    rank(profiles, lines, top=50)
    assert asked[0] < 10_000


def test_when_fewer_are_assessed_than_asked_for_the_rest_follows():
    profiles = people(40, share=0.02)
    found = rank(profiles, role(2), top=40)
    assert sorted(found.rows.tolist()) == list(range(40))
    assert found.band[-1] == "not_assessed"


@pytest.mark.parametrize(
    ("name", "value"), [("mean", np.nan), ("mean", np.inf), ("sd", np.nan), ("sd", np.inf), ("sd", 0.0), ("sd", -1.0)]
)
def test_one_bad_estimate_among_many_is_an_error_and_never_a_wrong_ranking(name, value):
    profiles = people(5_000)
    getattr(profiles, name)[2, 4_321] = value
    with pytest.raises(ValueError, match=r"finite|above 0"):
        rank(profiles, role(2))
    rank(profiles, [Requirement(7, 3, 1, essential=True)])


@given(st.integers(1, 3_000), st.integers(0, 5), st.sampled_from([1.0, 0.01]))
def test_the_kth_largest_is_found_with_and_without_ties(k, seed, coarse):
    values = np.random.default_rng(seed).random(100_000).astype(np.float32)
    values = np.floor(values / np.float32(coarse)) if coarse < 1 else values
    assert ranking._largest(values, k) == np.sort(values)[-k]
