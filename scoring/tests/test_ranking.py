import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.fit import Requirement, fit
from scoring.kernels import PHI_ERROR, joint_error
from scoring.ranking import BANDS, Profiles, Standing, rank, relax, score

ROLE = [Requirement(0, 3, 3, True), Requirement(2, 2, 2, True), Requirement(3, 4, 1)]


def people(n, seed=0, unknown=0.3):
    """Profiles of n people over five skills; where not assessed, the prior stands."""
    rng = np.random.default_rng(seed)
    known = rng.random((5, n)) > unknown
    mean = np.where(known, rng.normal(2.5, 1.2, (5, n)), 2.5).astype(np.float32)
    sd = np.where(known, rng.uniform(0.3, 1.0, (5, n)), 1.25).astype(np.float32)
    return Profiles(mean, sd, known)


@given(st.integers(1, 60), st.integers(0, 1000))
def test_ranking_agrees_with_the_fit_of_each_person(n, seed):
    profiles = people(n, seed)
    found = rank(profiles, ROLE, top=n)
    one_by_one = fit(profiles.mean.T, profiles.sd.T, ROLE, assessed=profiles.assessed.T)
    assert sorted(found.rows) == list(range(n))
    assert found.fit == pytest.approx(one_by_one.fit[found.rows], abs=1e-6)
    assert found.all_essentials == pytest.approx(one_by_one.all_essentials[found.rows], abs=1e-6)
    assert list(found.band) == list(one_by_one.band[found.rows])
    assert found.contribution.sum(axis=1) == pytest.approx(found.fit, abs=1e-12)


@given(st.integers(2, 60), st.integers(0, 1000))
def test_order_is_by_chance_then_fit_and_the_not_assessed_come_last(n, seed):
    found = rank(people(n, seed, unknown=0.6), ROLE, top=n)
    assessed = found.band != "not_assessed"
    assert (np.diff(assessed.astype(int)) <= 0).all()
    keys = list(zip(found.all_essentials[assessed], found.fit[assessed], strict=True))
    assert keys == sorted(keys, reverse=True)


@given(st.integers(2, 40), st.integers(0, 1000), st.randoms())
def test_permuting_people_permutes_the_answer(n, seed, random):
    profiles = people(n, seed)
    order = list(range(n))
    random.shuffle(order)
    shuffled = Profiles(profiles.mean[:, order], profiles.sd[:, order], profiles.assessed[:, order])
    first, second = score(profiles, ROLE), score(shuffled, ROLE)
    assert second.fit == pytest.approx(first.fit[order], abs=1e-12)
    assert list(second.band) == list(first.band[order])


@given(st.integers(2, 40), st.integers(0, 1000))
def test_adding_a_person_changes_nobody_else(n, seed):
    profiles = people(n, seed)
    fewer = Profiles(profiles.mean[:, :-1], profiles.sd[:, :-1], profiles.assessed[:, :-1])
    assert score(profiles, ROLE).fit[:-1] == pytest.approx(score(fewer, ROLE).fit, abs=0)


def test_among_ranks_only_those_and_names_their_columns():
    profiles = people(30)
    found = rank(profiles, ROLE, among=np.array([3, 7, 21]), top=10)
    assert sorted(found.rows) == [3, 7, 21]
    mask = np.zeros(30, dtype=bool)
    mask[[3, 7, 21]] = True
    assert list(rank(profiles, ROLE, among=mask, top=10).rows) == list(found.rows)


def test_relaxing_equals_ranking_anew_with_the_lower_level():
    profiles = people(200, seed=4)
    before = score(profiles, ROLE)
    for found in relax(Standing(profiles, ROLE, relaxing=True)):
        eased = list(ROLE)
        old = ROLE[found.requirement]
        eased[found.requirement] = Requirement(old.skill, found.level, old.weight, old.essential)
        after = score(profiles, eased)
        assert found.likely == (after.band == 0).sum() - (before.band == 0).sum()
        anybody = before.band != 3
        assert found.fit == pytest.approx((after.fit - before.fit)[anybody].mean(), abs=2 * PHI_ERROR)
        more = (after.all_essentials - before.all_essentials)[anybody]
        assert found.expected == pytest.approx(more.sum(), abs=2 * len(more) * joint_error(2))


@pytest.mark.parametrize("size", [9, 120])
def test_relaxing_for_some_is_relaxing_without_the_others(size):
    """Few are copied out of everybody's arrays, many are looked at where they are."""
    profiles, rows = people(200, seed=4), np.sort(np.random.default_rng(1).choice(200, size, replace=False))
    alone = Profiles(profiles.mean[:, rows], profiles.sd[:, rows], profiles.assessed[:, rows])
    some = relax(Standing(profiles, ROLE, among=rows, relaxing=True))
    for found, wanted in zip(some, relax(Standing(alone, ROLE, relaxing=True)), strict=True):
        assert (found.requirement, found.likely) == (wanted.requirement, wanted.likely)
        assert found.expected == pytest.approx(wanted.expected, abs=1e-4)
        assert found.fit == pytest.approx(wanted.fit, abs=1e-6)


def test_relaxing_leaves_level_0_out_and_only_essentials_make_people_likely():
    role = [Requirement(0, 0, 1, True), Requirement(1, 3, 1, True), Requirement(2, 3, 1)]
    found = {one.requirement: one for one in relax(Standing(people(20), role, relaxing=True))}
    assert set(found) == {1, 2}
    assert (found[2].likely, found[2].expected) == (0, 0.0)
    assert found[2].fit > 0


def test_nobody_gives_an_empty_ranking():
    empty = Profiles(np.zeros((5, 0), np.float32), np.zeros((5, 0), np.float32), np.zeros((5, 0), bool))
    found = rank(empty, ROLE)
    assert found.rows.size == 0
    assert found.probability.shape == (0, 3)


def test_bad_profiles_and_requests_are_refused():
    profiles = people(3)
    broken = profiles.mean.copy()
    broken[0, 1] = np.nan
    with pytest.raises(ValueError, match="nan"):
        rank(Profiles(broken, profiles.sd, profiles.assessed), ROLE)
    with pytest.raises(ValueError, match="above 0"):
        rank(Profiles(profiles.mean, np.zeros_like(profiles.sd), profiles.assessed), ROLE)
    with pytest.raises(ValueError, match="same shape"):
        Profiles(profiles.mean, profiles.sd[:, :2], profiles.assessed)
    with pytest.raises(ValueError, match="at least one person"):
        rank(profiles, ROLE, top=0)
    with pytest.raises(ValueError, match="no person 9"):
        rank(profiles, ROLE, among=[9])
    with pytest.raises(ValueError, match="without requirements"):
        rank(profiles, [])


@given(st.integers(1, 400), st.integers(0, 1000), st.sampled_from([0, 1, 3]), st.booleans())
def test_a_standing_has_the_order_of_exact_scores_band_by_band(n, seed, essentials, narrowed):
    profiles, role = people(n, seed, unknown=0.4), [Requirement(k, 3, 1, k < essentials) for k in range(4)]
    standing, exact = Standing(profiles, role), score(profiles, role)
    assert list(standing.band) == list(exact.band)
    keep = np.random.default_rng(seed).random(n) < 0.5 if narrowed else np.ones(n, dtype=bool)
    order = exact.order()
    order = order[np.argsort(exact.band[order], kind="stable")]
    order = order[keep[order]]
    for start, stop in ((0, n), (0, 7), (n // 3, n // 2), (n - 3, n + 9)):
        assert list(standing.ordered(max(start, 0), stop, keep)) == list(order[max(start, 0) : stop])
    mine, others, expected = standing.counts(keep)
    for found, who in ((mine, keep), (others, ~keep)):
        assert found == {band: int((exact.band[who] == code).sum()) for code, band in enumerate(BANDS)}
    assert expected == pytest.approx(exact.all_essentials[exact.band < 3].sum(), abs=n * joint_error(essentials))


def test_a_slice_of_many_scores_few_exactly(monkeypatch):
    """Places 1,000 to 1,050 of 50,000: the rest is ahead or behind by more than the errors."""
    profiles = people(50_000, seed=2, unknown=0.1)
    standing = Standing(profiles, ROLE)
    asked = []
    exact = Standing._exact
    monkeypatch.setattr(Standing, "_exact", lambda self, chosen: asked.append(len(chosen)) or exact(self, chosen))
    found = standing.ordered(1_000, 1_050)
    assert asked[0] < 2_000
    assert list(found) == list(standing.ordered(0, 1_050)[1_000:])


def test_those_who_are_not_present_stand_nowhere():
    profiles = people(40, seed=5)
    present = np.arange(40) % 3 > 0
    some = Profiles.of_inverse(profiles.mean, profiles.inverse, profiles.assessed, present)
    among = rank(profiles, ROLE, among=np.flatnonzero(present), top=40)
    assert list(rank(some, ROLE, top=40).rows) == list(among.rows)
    assert list(Standing(some, ROLE).rows) == list(np.flatnonzero(present))
    assert set(rank(some, ROLE, top=3).rows) == set(among.rows[:3])


def test_a_bad_estimate_is_no_standing():
    profiles = people(50)
    broken = profiles.mean.copy()
    broken[0, 17] = np.inf
    with pytest.raises(ValueError, match="finite"):
        Standing(Profiles(broken, profiles.sd, profiles.assessed), ROLE)
