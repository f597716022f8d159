"""The pass over everybody: its Phi, its bounds, and that a ranking cut short is the ranking."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from scoring import counting, kernels, loops, normal, ranking
from scoring.fit import CORRELATION, Requirement, prepare
from scoring.ranking import Draft, Profiles, best_roles, rank, rank_many, score


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
    assert np.abs(kernels.phi(grid) - ndtr(grid.astype(np.float64))).max() < loops.PHI_ERROR - 3e-6


def parts(profiles: Profiles):
    return profiles.mean, profiles.inverse, profiles.assessed


@given(st.integers(0, 200), st.integers(0, 7), st.sampled_from([0.0, 0.4]))
def test_f_and_p_all_of_everybody_are_within_their_errors(seed, essentials, error):
    profiles, lines = people(60, seed), role(essentials, error, skills=7)
    exact = score(profiles, lines)
    found = kernels.everybody(*parts(profiles), prepare(lines, 8))
    assert np.abs(found.fit - exact.fit).max() < 7 * loops.PHI_ERROR
    assert np.abs(found.joint - exact.all_essentials).max() < kernels.joint_error(essentials)
    assert (found.known == profiles.assessed[:7].any(axis=0)).all()
    assert (found.complete == profiles.assessed[:essentials].all(axis=0)).all()


@given(st.integers(0, 200), st.integers(1, 5))
def test_only_assessed_essentials_are_judged(seed, essentials):
    profiles, lines = people(60, seed, share=0.5), role(essentials)
    found = kernels.everybody(*parts(profiles), prepare(lines, 8))
    for i in range(60):
        seen = [line for line in lines if line.essential and profiles.assessed[line.skill, i]]
        exact = score(profiles, seen, among=[i]).all_essentials[0] if seen else 1.0
        assert found.judged[i] == pytest.approx(exact, abs=kernels.joint_error(essentials))


@pytest.mark.parametrize("essentials", [1, 2, 3, 5, 6, 12, 20, 25])
def test_fewer_nodes_are_enough(essentials):
    """All deviations equal is the worst case; a fine walk along it, and random ones beside it."""
    rng = np.random.default_rng(essentials)
    equal = np.repeat(np.linspace(-6, 6, 4_001)[:, None], essentials, axis=1)
    z = np.concatenate([equal, rng.uniform(-4, 4, (4_000, essentials)), rng.normal(0, 1.5, (4_000, essentials))])
    shifts, weights, _ = kernels._rule(essentials)
    p = ndtr((z[..., None] + shifts.astype(np.float64)) / np.sqrt(1 - CORRELATION))
    error = np.abs(p.prod(axis=-2) @ weights.astype(np.float64) - normal.joint_plain(z, CORRELATION)).max()
    assert error < kernels.joint_error(essentials) - essentials * loops.PHI_ERROR


def test_p_all_is_within_a_ten_thousandth_for_five_essentials():
    assert kernels.joint_error(5) < 1e-4


@given(st.integers(0, 300), st.integers(0, 4), st.integers(0, 5), st.sampled_from([0.0, 0.5]))
def test_one_requirement_changed_ranks_as_the_whole_role_anew(seed, essentials, k, error):
    profiles, lines = people(300, seed, share=0.6), role(essentials)
    rng = np.random.default_rng(seed)
    new = Requirement(k, rng.uniform(0, 5), rng.uniform(0.1, 9), bool(rng.random() < 0.5), error)
    found = Draft(profiles, lines).rank(k, new, top=10)
    anew = rank(profiles, [*lines[:k], new, *lines[k + 1 :]], top=10)
    assert list(found.rows) == list(anew.rows)
    assert list(found.fit) == list(anew.fit)


def test_a_draft_changes_no_requirement_into_one_of_another_skill():
    with pytest.raises(ValueError, match="asks for skill 1"):
        Draft(people(20), role(2)).rank(1, Requirement(2, 3, 1))


def many_roles(n: int, seed: int = 3) -> list[list[Requirement]]:
    rng = np.random.default_rng(seed)
    return [
        [
            Requirement(
                int(skill), int(rng.integers(1, 6)), 1 + k % 3, essential=k < r % 4, standard_error=0.3 * (r % 2)
            )
            for k, skill in enumerate(rng.choice(8, 4, replace=False))
        ]
        for r in range(n)
    ]


@pytest.mark.parametrize(("n", "share"), [(40_000, 0.7), (3_000, 0.01), (40, 0.5)])
def test_many_roles_at_once_rank_as_one_by_one(n, share):
    profiles, roles = people(n, n, share=share), many_roles(12)
    for found, one in zip(rank_many(profiles, roles, top=20), roles, strict=True):
        alone = rank(profiles, one, top=20)
        assert list(found.rows) == list(alone.rows)
        assert list(found.all_essentials) == list(alone.all_essentials)


def test_where_all_are_alike_many_roles_still_rank():
    """Nobody can be left out by bounds, and there is more of them than room."""
    n = 70_000
    same = Profiles(np.full((8, n), 3.0), np.full((8, n), 0.5), np.ones((8, n), dtype=bool))
    (found,) = rank_many(same, [role(2)], top=5)
    assert list(found.rows) == [0, 1, 2, 3, 4]


@given(st.integers(0, 100))
def test_best_roles_of_each_person_are_those_of_each_score(seed):
    profiles, roles = people(70, seed, share=0.3), many_roles(9, seed)
    found = best_roles(profiles, roles, top=3)
    scores = [score(profiles, one) for one in roles]
    for i in range(70):
        keys = {r: (one.all_essentials[i], one.fit[i]) for r, one in enumerate(scores) if one.band[i] < 3}
        listed = [r for r in found.role[i] if r >= 0]
        assert len(listed) == min(3, len(keys))
        assert len(set(listed)) == len(listed)
        best = sorted(keys.values(), reverse=True)
        for place, r in enumerate(listed):
            assert keys[r][0] == pytest.approx(best[place][0], abs=2e-4)
            assert found.fit[i, place] == pytest.approx(keys[r][1], abs=4 * loops.PHI_ERROR)


def test_the_best_of_no_roles_is_an_error():
    with pytest.raises(ValueError, match="no roles"):
        best_roles(people(3), [])
    assert rank_many(people(3), []) == []


@pytest.mark.parametrize(
    ("n", "share", "essentials"),
    [
        *itertools.product([10_000, 100_000], [0.7], [0, 1, 3, 5]),
        (3_000, 0.01, 0),
        (3_000, 0.01, 3),
        (1_000_000, 0.7, 3),
    ],
)
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
    exact = ranking._score

    def counted(profiles, role, rows, thresholds):
        asked.append(len(rows))
        return exact(profiles, role, rows, thresholds)

    monkeypatch.setattr(ranking, "_score", counted)
    rank(profiles, lines, top=50)
    assert asked[0] < 1_000


def test_when_fewer_are_assessed_than_asked_for_the_rest_follows():
    profiles = people(40, share=0.02)
    found = rank(profiles, role(2), top=40)
    assert sorted(found.rows.tolist()) == list(range(40))
    assert found.band[-1] == "not_assessed"


@pytest.mark.parametrize(
    ("name", "value"), [("mean", np.nan), ("mean", np.inf), ("sd", np.nan), ("sd", np.inf), ("sd", 0.0), ("sd", -1.0)]
)
def test_one_bad_estimate_among_many_is_an_error_and_never_a_wrong_ranking(name, value):
    good = people(5_000)
    arrays = {"mean": good.mean.copy(), "sd": good.sd}
    arrays[name][2, 4_321] = value
    profiles = Profiles(**arrays, assessed=good.assessed)
    with pytest.raises(ValueError, match=r"finite|above 0"):
        rank(profiles, role(2))
    with pytest.raises(ValueError, match=r"finite|above 0"):
        rank_many(profiles, [role(2)])
    with pytest.raises(ValueError, match=r"finite|above 0"):
        Draft(profiles, role(2)).rank(2, Requirement(2, 3, 1, essential=True))
    rank(profiles, [Requirement(7, 3, 1, essential=True)])


@given(st.lists(st.tuples(st.floats(-1, 6, width=32), st.booleans()), max_size=60))
def test_levels_are_whole_and_end_at_five(rows):
    mean, known = np.array([m for m, _ in rows], dtype=np.float32), np.array([k for _, k in rows], dtype=np.bool_)
    wanted = np.bincount(np.clip(np.floor(mean[known]), 0, 5).astype(int), minlength=6)
    assert list(counting.levels(mean, known)) == list(wanted)
