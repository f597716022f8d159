import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from scoring import normal
from scoring.fit import Requirement, fit

levels = st.floats(0, 5)
spreads = st.floats(0.2, 1.25)


@st.composite
def cases(draw, essentials=True):
    """(mean, sd, assessed, requirements) of one person over one to seven skills."""
    size = draw(st.integers(1, 7))
    mean = np.array(draw(st.lists(levels, min_size=size, max_size=size)))
    sd = np.array(draw(st.lists(spreads, min_size=size, max_size=size)))
    known = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    role = [
        Requirement(
            skill,
            draw(levels),
            draw(st.integers(1, 3)),
            essential=essentials and draw(st.booleans()),
            standard_error=draw(st.sampled_from([0.0, 0.3])),
        )
        for skill in range(size)
    ]
    return mean, sd, known, role


@given(cases())
def test_fit_is_exactly_additive_and_a_share(case):
    mean, sd, known, role = case
    found = fit(mean, sd, role, assessed=known)
    assert found.fit == pytest.approx(found.contribution.sum(), abs=1e-12)
    assert 0 <= found.fit_low <= found.fit <= found.fit_high <= 1


@given(cases(), st.floats(0.1, 3))
def test_a_surplus_never_pays_for_a_missing_essential(case, surplus):
    """Being better elsewhere leaves a requirement's loss, and the chance of meeting the essentials, where they were."""
    mean, sd, _, role = case
    role = [Requirement(0, 4.0, 2, essential=True), *[Requirement(r.skill, r.level, r.weight) for r in role[1:]]]
    better = mean.copy()
    better[1:] += surplus
    before, after = fit(mean, sd, role), fit(better, sd, role)
    assert after.all_essentials == pytest.approx(before.all_essentials, abs=1e-12)
    assert after.probability[0] == before.probability[0]
    weight = role[0].weight / sum(r.weight for r in role)
    assert after.fit <= 1 - weight * (1 - after.probability[0]) + 1e-12


@given(cases(), st.permutations(range(7)))
def test_permuting_skills_and_requirements_permutes_the_answer(case, order):
    mean, sd, known, role = case
    order = [index for index in order if index < len(role)]
    straight = fit(mean, sd, role, assessed=known)
    shuffled = fit(mean, sd, [role[index] for index in order], assessed=known)
    assert shuffled.fit == pytest.approx(straight.fit, abs=1e-12)
    assert shuffled.fit_low == pytest.approx(straight.fit_low, abs=1e-9)
    assert shuffled.all_essentials == pytest.approx(straight.all_essentials, abs=1e-9)
    assert list(shuffled.state) == [straight.state[index] for index in order]


@given(cases(), st.floats(0.1, 10))
def test_weights_are_normalised_and_apart_from_levels(case, factor):
    mean, sd, known, role = case
    scaled = [Requirement(r.skill, r.level, r.weight * factor, r.essential, r.standard_error) for r in role]
    first, second = fit(mean, sd, role, assessed=known), fit(mean, sd, scaled, assessed=known)
    assert second.fit == pytest.approx(first.fit, abs=1e-12)
    assert second.probability == pytest.approx(first.probability, abs=1e-15)


@given(cases())
def test_the_target_never_enters(case):
    mean, sd, known, role = case
    aimed = [Requirement(r.skill, r.level, r.weight, r.essential, r.standard_error, target=5.0) for r in role]
    assert fit(mean, sd, aimed, assessed=known).fit == fit(mean, sd, role, assessed=known).fit


@given(cases())
def test_unknown_is_neither_nothing_nor_met(case):
    mean, sd, _, role = case
    nobody = np.zeros(len(mean), dtype=bool)
    prior = fit(np.full_like(mean, 2.5), np.full_like(sd, 1.25), role, assessed=nobody)
    assert set(prior.state) == {"not_assessed"}
    assert prior.band == "not_assessed"
    assert 0 < prior.fit < 1


@given(cases())
def test_one_person_and_many_give_the_same(case):
    mean, sd, known, role = case
    one = fit(mean, sd, role, assessed=known)
    many = fit(np.stack([mean, mean + 1]), np.stack([sd, sd]), role, assessed=np.stack([known, known]))
    assert many.fit.shape == (2,)
    assert many.probability.shape == (2, len(role))
    assert many.fit[0] == pytest.approx(one.fit, abs=1e-15)
    assert many.band[0] == one.band
    assert list(many.state[0]) == list(one.state)


def test_closed_form_points():
    role = [Requirement(0, 3.0, 1.0, essential=True)]
    found = fit(np.array([3.0]), np.array([0.6]), role)
    assert found.probability[0] == pytest.approx(0.5)
    assert found.all_essentials == pytest.approx(0.5, abs=1e-9)
    assert found.shortfall[0] == pytest.approx(0.6 / math.sqrt(2 * math.pi))
    with_panel = fit(np.array([4.0]), np.array([0.6]), [Requirement(0, 3.0, 1.0, standard_error=0.8)])
    assert with_panel.probability[0] == pytest.approx(stats.norm.cdf(1.0))


def test_two_equal_essentials_match_the_bivariate_normal():
    z = 0.4
    found = fit(np.array([3 + z, 3 + z]), np.ones(2), [Requirement(k, 3.0, 1, essential=True) for k in (0, 1)])
    exact = stats.multivariate_normal(cov=[[1, 0.3], [0.3, 1]]).cdf([z, z])
    assert found.all_essentials == pytest.approx(exact, abs=1e-5)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_quadrature_equals_adaptive_integration(z):
    def integrand(g):
        return stats.norm.pdf(g) * np.prod(stats.norm.cdf((np.array(z) + math.sqrt(0.3) * g) / math.sqrt(0.7)))

    exact = integrate.quad(integrand, -9, 9, epsabs=1e-11)[0]
    assert normal.joint(np.array([z]), 0.3)[0] == pytest.approx(exact, abs=1e-6)
    assert normal.joint(np.array([z]), 0.3)[0] == pytest.approx(normal.joint_plain(np.array([z]), 0.3)[0], abs=1e-6)


def test_chance_of_all_essentials_and_the_interval_agree_with_a_simulation():
    """100,000 draws of correlated residuals (fixed seed): P_all, F and the spread of the share that is met."""
    rng = np.random.default_rng(7)
    mean, sd = np.array([3.4, 2.8, 3.9, 2.2]), np.array([0.5, 0.7, 0.9, 0.6])
    role = [Requirement(0, 3, 2, True), Requirement(1, 3, 3, True), Requirement(2, 3, 1, True), Requirement(3, 2, 2)]
    shared = rng.standard_normal((100_000, 1))
    residual = math.sqrt(0.3) * shared + math.sqrt(0.7) * rng.standard_normal((100_000, 4))
    met = mean + sd * residual >= np.array([r.level for r in role])
    share = met @ np.array([2, 3, 1, 2]) / 8
    found = fit(mean, sd, role)
    assert found.all_essentials == pytest.approx(met[:, :3].all(axis=1).mean(), abs=0.005)
    assert found.fit == pytest.approx(share.mean(), abs=0.004)
    assert (found.fit_high - found.fit) == pytest.approx(min(1.2816 * share.std(), 1 - found.fit), abs=0.004)


def test_multiplying_the_marginals_would_understate():
    z = np.full((1, 5), -0.8)
    assert normal.joint(z, 0.3)[0] > 3 * stats.norm.cdf(-0.8) ** 5


@pytest.mark.parametrize(
    ("mean", "known", "band"),
    [
        ([4.5, 4.5], [True, True], "likely"),
        ([4.5, 4.5], [True, False], "open"),
        ([1.0, 4.5], [True, False], "unlikely"),
        ([4.5, 1.0], [True, False], "open"),
        ([3.0, 3.0], [True, True], "open"),
        ([3.0, 3.0], [False, False], "not_assessed"),
    ],
)
def test_bands(mean, known, band):
    role = [Requirement(0, 3.0, 1, essential=True), Requirement(1, 3.0, 1, essential=True)]
    assert fit(np.array(mean), np.full(2, 0.5), role, assessed=np.array(known)).band == band


@pytest.mark.parametrize(("mean", "state"), [(4.0, "meets"), (3.2, "uncertain"), (2.0, "gap")])
def test_states_follow_the_interval(mean, state):
    assert fit(np.array([mean]), np.array([0.5]), [Requirement(0, 3.0, 1)]).state[0] == state


def test_without_essentials_nothing_is_missing():
    assert fit(np.array([2.0]), np.array([0.5]), [Requirement(0, 3.0, 1)]).all_essentials == 1.0


@pytest.mark.parametrize(
    ("role", "named"),
    [
        ([], "without requirements"),
        ([Requirement(0, 7, 1)], "7"),
        ([Requirement(0, -1, 1)], "-1"),
        ([Requirement(0, 3, -2)], "-2"),
        ([Requirement(0, 3, 0)], "above 0"),
        ([Requirement(0, math.nan, 1)], "nan"),
        ([Requirement(0, 3, math.inf)], "inf"),
        ([Requirement(0, 3, 1, standard_error=-1)], "-1"),
        ([Requirement(0, 3, 1, target=2)], "target"),
        ([Requirement(9, 3, 1)], "column 9"),
        ([Requirement(0, 3, 1), Requirement(0, 2, 1)], "twice"),
    ],
)
def test_bad_roles_are_refused_by_name(role, named):
    with pytest.raises(ValueError, match=named):
        fit(np.array([3.0]), np.array([0.5]), role)


@pytest.mark.parametrize(
    ("mean", "sd", "known"),
    [
        ([math.nan], [0.5], None),
        ([3.0], [math.inf], None),
        ([3.0], [0.0], None),
        ([3.0], [-1.0], None),
        ([3.0, 2.0], [0.5], None),
        ([3.0], [0.5], [True, False]),
    ],
)
def test_bad_estimates_are_refused(mean, sd, known):
    with pytest.raises(ValueError, match="must"):
        fit(np.array(mean), np.array(sd), [Requirement(0, 3, 1)], assessed=known)
