import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import evidence
from scoring.evidence import DEFAULT_SOURCES, Observation, estimate

TAU, MEAN = 1.25, 2.5
ratings = sorted(set(DEFAULT_SOURCES) - {"knowledge_test", "performance_test"})


@st.composite
def observations(draw, minimum=0):
    """One observation per source, as `candidates` hands them over."""
    names = draw(st.lists(st.sampled_from(sorted(DEFAULT_SOURCES)), unique=True, min_size=minimum, max_size=6))
    return [
        Observation(
            name,
            draw(st.floats(0, 5)),
            draw(st.floats(0.1, 2)) if name.endswith("_test") else None,
            draw(st.integers(0, 60)),
            draw(st.integers(1, 8)),
        )
        for name in names
    ]


def by_conditioning(rows):
    """The same posterior from the joint normal distribution of (theta, data), by linear algebra: the oracle."""
    loadings, halo, residual, data = [], [], [], []
    for one in rows:
        source = DEFAULT_SOURCES[one.source]
        reliability = source.reliability or 1 / (1 + (one.standard_error / TAU) ** 2)
        s = math.sqrt(0.10) if source.human else 0.0
        lam = source.validity * math.sqrt(reliability)
        psi = max((1 - source.validity**2) * reliability - s * s + (1 - reliability) / one.raters, 0.02)
        scale = math.sqrt(reliability) if source.reliability is None else 1.0
        loadings.append(lam)
        halo.append(s)
        residual.append(psi + 0.033 * one.months_ago * lam * lam)
        data.append((one.value - MEAN) / TAU * scale - source.bias)
    lam, s = np.array(loadings), np.array(halo)
    covariance = np.outer(lam, lam) + np.outer(s, s) + np.diag(residual)
    gain = np.linalg.solve(covariance, lam)
    return MEAN + TAU * gain @ np.array(data), TAU * math.sqrt(1 - gain @ lam)


@given(observations(minimum=1))
def test_closed_form_equals_conditioning_a_joint_normal(rows):
    mean, sd = by_conditioning(rows)
    found = estimate(rows)
    assert found.mean == pytest.approx(mean, abs=1e-9)
    assert found.sd == pytest.approx(sd, abs=1e-9)


@given(observations())
def test_every_number_explains_itself(rows):
    found = estimate(rows)
    assert found.mean == pytest.approx(MEAN + found.contribution.sum(), abs=1e-12)
    assert found.influence.sum() + found.prior_influence == pytest.approx(1, abs=1e-12)
    assert found.contribution.shape == found.influence.shape == (len(rows),)


def test_no_evidence_is_not_assessed_and_gives_the_prior_back():
    found = estimate([])
    assert (found.mean, found.sd, found.prior_influence, found.assessed) == (MEAN, TAU, 1.0, False)


@given(observations(), st.permutations(range(6)))
def test_permuting_evidence_permutes_the_answer(rows, order):
    order = [index for index in order if index < len(rows)]
    straight, shuffled = estimate(rows), estimate([rows[index] for index in order])
    assert shuffled.mean == pytest.approx(straight.mean, abs=1e-9)
    assert shuffled.contribution == pytest.approx(straight.contribution[order], abs=1e-9)


@given(observations(minimum=1), st.integers(1, 5))
def test_more_evidence_never_widens_the_interval(rows, more):
    fewer = estimate(rows[:-1])
    assert estimate(rows).sd <= fewer.sd + 1e-12
    last = rows[-1]
    again = Observation(last.source, last.value, last.standard_error, last.months_ago, last.raters + more)
    assert estimate([*rows[:-1], again]).sd <= estimate(rows).sd + 1e-12


@given(observations(minimum=1), st.integers(1, 48))
def test_ageing_never_narrows_the_interval(rows, months):
    older = [Observation(r.source, r.value, r.standard_error, r.months_ago + months, r.raters) for r in rows]
    assert estimate(older).sd >= estimate(rows).sd - 1e-12


@pytest.mark.parametrize(
    ("name", "error", "kappa"),
    [
        ("self", None, 0.10),
        ("manager", None, 0.45),
        ("peer", None, 0.29),
        ("subordinate", None, 0.17),
        ("knowledge_test", 0.3, 2.16),
        ("performance_test", 0.3, 0.52),
        ("situational", None, 0.31),
        ("work_sample", None, 0.77),
        ("interview_panel", None, 0.46),
        ("interview_single", None, 0.23),
        ("interview_unstructured", None, 0.05),
        ("certificate", None, 0.14),
        ("experience", None, 0.015),
    ],
)
def test_information_of_one_piece_matches_the_published_column(name, error, kappa):
    found = evidence.information(DEFAULT_SOURCES[name], standard_error=error)
    assert found == pytest.approx(kappa, abs=0.006)


def test_one_source_without_halo_has_the_precision_of_its_information():
    found = estimate([Observation("work_sample", 4.0, raters=2)])
    kappa = evidence.information(DEFAULT_SOURCES["work_sample"], raters=2)
    assert found.sd == pytest.approx(TAU / math.sqrt(1 + kappa), abs=1e-12)
    assert evidence.sd_after(TAU, kappa) == pytest.approx(found.sd, abs=1e-12)


def test_raters_beyond_number_never_beat_the_source_s_validity():
    found = estimate([Observation("manager", 5.0, raters=10_000)])
    assert found.prior_influence > 1 - 0.75**2 - 0.02


def test_human_ratings_share_a_halo_so_that_two_kinds_add_less_than_they_seem_to():
    both = estimate([Observation("manager", 4.0), Observation("peer", 4.0)])
    plain = estimate([Observation("manager", 4.0), Observation("peer", 4.0)], halo_variance=0.0)
    assert both.sd > plain.sd


def test_self_ratings_are_corrected_for_leniency():
    at_prior = estimate([Observation("self", MEAN)])
    assert at_prior.mean < MEAN
    assert estimate([Observation("self", MEAN + 0.32 * TAU)]).mean == pytest.approx(MEAN)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (Observation("gossip", 3), "gossip"),
        (Observation("temperament", 3), "temperament"),
        (Observation("self", 7), "7"),
        (Observation("self", -0.1), "-0.1"),
        (Observation("self", float("nan")), "nan"),
        (Observation("self", float("inf")), "inf"),
        (Observation("knowledge_test", 3), "knowledge_test"),
        (Observation("knowledge_test", 3, 0), "0"),
        (Observation("knowledge_test", 3, float("nan")), "nan"),
        (Observation("knowledge_test", 8, 0.3), "8"),
        (Observation("self", 3, months_ago=-1), "-1"),
        (Observation("self", 3, raters=0), "0"),
    ],
)
def test_bad_observations_are_refused_by_name(bad, named):
    with pytest.raises(ValueError, match=named):
        estimate([bad])


@pytest.mark.parametrize(
    "options", [{"prior_sd": 0}, {"prior_sd": -1}, {"prior_mean": math.nan}, {"halo_variance": 1.2}]
)
def test_bad_priors_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        estimate([], **options)


def test_intervals_cover_the_truth_in_a_world_made_as_the_model_says():
    """80 % intervals hold 80 % of 40,000 simulated people, within what so many draws allow (fixed seed)."""
    rng = np.random.default_rng(20261123)
    n = 4000
    hits = total = 0
    for names in itertools.combinations(["self", "manager", "peer", "work_sample", "situational"], 3):
        theta, halo = rng.standard_normal(n), rng.standard_normal(n)
        columns = []
        for name in names:
            source = DEFAULT_SOURCES[name]
            s2 = 0.10 if source.human else 0.0
            psi = (1 - source.validity**2) * source.reliability - s2 + (1 - source.reliability)
            noise = rng.standard_normal(n) * math.sqrt(psi)
            signal = source.validity * math.sqrt(source.reliability) * theta + math.sqrt(s2) * halo
            columns.append(signal + noise + source.bias)
        values = MEAN + TAU * np.array(columns)
        base = estimate([Observation(name, MEAN) for name in names])
        # The mean is linear in the observations: take its slopes once instead of 4,000 calls.
        slopes = [estimate([Observation(x, MEAN + (x == name)) for x in names]).mean - base.mean for name in names]
        means = base.mean + (values - MEAN).T @ np.array(slopes)
        truth = MEAN + TAU * theta
        hits += int((np.abs(means - truth) <= 1.2815515655 * base.sd).sum())
        total += n
    assert hits / total == pytest.approx(0.80, abs=0.01)
