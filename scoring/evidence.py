"""From evidence to an estimate, for one person and one skill (measurement.md section 1).

The model, in units of the prior's standard deviation tau. True proficiency theta ~ N(0, 1). Each source j gives
the mean of n ratings or tasks, d_j, after its bias is taken off:

    d_j = lam_j*theta + s_j*h + e_j,   h ~ N(0, 1),   e_j ~ N(0, psi_j)
    lam = validity*sqrt(reliability)                     s = sqrt(halo variance) for human ratings, else 0
    psi = (1 - validity^2)*reliability - s^2 + (1 - reliability)/n, floored at .02, + .033*months*lam^2

h is the halo that all human ratings of a person share. The posterior of (theta, h) is bivariate normal in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from scoring import INTERVAL_Z, PRIOR_MEAN, PRIOR_SD, checks, normal
from scoring.checks import Floats

DRIFT = 0.033
"""Growth of a source's residual variance with age, prior variances per month: a 12-month retest correlation of .80."""
PSI_FLOOR = 0.02
HALO_VARIANCE = 0.10
TEST_RANGE = (-2.5, 7.5)
"""Levels a test may report: the grid its likelihood is taken over. Ratings stay on 0-5."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one kind of evidence is worth.

    Parameters
    ----------
    validity : correlation of an endlessly repeated source with true proficiency, in (0, 1).
    reliability : reliability of one rating or form, in (0, 1]; None where each result brings its own standard error.
    bias : how much the source overstates on average, in prior standard deviations.
    human : whether the source shares the halo of human ratings.
    """

    name: str
    validity: float
    reliability: float | None
    bias: float = 0.0
    human: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """One source's word on one skill: ``value`` in levels, as the mean of ``raters`` raters or tasks.

    ``standard_error`` (levels) is needed by sources without a reliability of their own, the tests.
    ``months_ago`` is the age in whole months.
    """

    source: str
    value: float
    standard_error: float | None = None
    months_ago: float = 0.0
    raters: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """The level of one person in one skill.

    ``mean`` and ``sd`` are levels; ``contribution`` (levels) and ``influence`` (shares) keep the order of the
    observations. ``mean == prior_mean + contribution.sum()`` and ``influence.sum() + prior_influence == 1``.
    """

    mean: float
    sd: float
    contribution: Floats
    influence: Floats
    prior_influence: float
    assessed: bool

    @property
    def low(self) -> float:
        """Lower end of the central 80 % interval, in levels; not clipped."""
        return self.mean - INTERVAL_Z * self.sd

    @property
    def high(self) -> float:
        """Upper end of the central 80 % interval, in levels; not clipped."""
        return self.mean + INTERVAL_Z * self.sd


DEFAULT_SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in (
            Source("self", 0.36, 0.70, bias=0.32, human=True),
            Source("manager", 0.75, 0.55, human=True),
            Source("peer", 0.75, 0.40, human=True),
            Source("subordinate", 0.70, 0.30, human=True),
            Source("knowledge_test", 0.85, None),
            Source("performance_test", 0.60, None),
            Source("situational", 0.60, 0.65),
            Source("work_sample", 0.85, 0.60),
            Source("interview_panel", 0.65, 0.74),
            Source("interview_single", 0.65, 0.44),
            Source("interview_unstructured", 0.35, 0.40),
            Source("certificate", 0.35, 1.0),
            Source("experience", 0.12, 1.0),
        )
    }
)
"""Shipped defaults: judgement bounded by the published figures that measurement.md names for each row."""


def estimate(
    observations: Sequence[Observation],
    *,
    sources: Mapping[str, Source] = DEFAULT_SOURCES,
    prior_mean: float = PRIOR_MEAN,
    prior_sd: float = PRIOR_SD,
    halo_variance: float = HALO_VARIANCE,
) -> Estimate:
    """Fuse independent observations of one skill into its posterior.

    With A11 = 1 + sum(lam^2/psi), A12 = sum(lam*s/psi), A22 = 1 + sum(s^2/psi) and D = A11*A22 - A12^2, the weight of
    observation j is c_j = (A22*lam_j - A12*s_j)/(psi_j*D); then

        contribution_j = tau*c_j*d_j      influence_j = c_j*lam_j      variance = A22/D (= the prior's influence)

    Each source may appear once: merge repeated ratings of a source first (latest per rater, their mean, raters = n).
    Without observations the prior comes back with ``assessed`` False.

    Raises
    ------
    ValueError : an unknown source; NaN or infinity; a rating outside 0-5; a negative age; less than one rater; a
        test without its standard error; a prior sd or a standard error that is not above 0.
    """
    mean = checks.finite("The prior mean", prior_mean)
    tau = checks.finite("The prior standard deviation", prior_sd)
    halo = checks.fraction("The halo variance", halo_variance)
    if tau <= 0:
        raise ValueError(f"The prior standard deviation must be above 0, not {prior_sd!r}.")
    rows = [_row(one, sources, mean, tau, halo) for one in observations]
    lam, s, psi, d = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    a11 = 1.0 + float((lam * lam / psi).sum())
    a12 = float((lam * s / psi).sum())
    a22 = 1.0 + float((s * s / psi).sum())
    determinant = a11 * a22 - a12 * a12
    weight = (a22 * lam - a12 * s) / (psi * determinant)
    variance = a22 / determinant
    contribution = tau * weight * d
    return Estimate(
        mean=mean + float(contribution.sum()),
        sd=tau * variance**0.5,
        contribution=contribution,
        influence=weight * lam,
        prior_influence=variance,
        assessed=bool(rows),
    )


def information(
    source: Source, *, raters: int = 1, standard_error: float | None = None, prior_sd: float = PRIOR_SD
) -> float:
    """kappa: what a fresh observation adds, in prior precisions, human halo left aside.

    kappa = r^2/(1 - r^2) with r = validity*sqrt(n*reliability/(1 + (n - 1)*reliability)) (Spearman-Brown).
    """
    reliability = _reliability(source, standard_error, prior_sd)
    r2 = source.validity**2 * raters * reliability / (1 + (raters - 1) * reliability)
    return r2 / (1.0 - r2)


def sd_after(sd: float, kappa: float, *, prior_sd: float = PRIOR_SD) -> float:
    """Standard deviation (levels) after one more piece of evidence: sigma'^2 = sigma^2/(1 + kappa*sigma^2/tau^2)."""
    return float(sd / (1.0 + kappa * sd * sd / (prior_sd * prior_sd)) ** 0.5)


def expected_entropy_fall(
    mean: float, sd: float, level: float, kappa: float, *, level_error: float = 0.0, prior_sd: float = PRIOR_SD
) -> float:
    """How much a further observation is expected to settle whether a level is met, in bits (0-1).

    Entropy of P(meets) now, less its expectation afterwards: the mean moves by a normal amount of variance
    sd^2 - sd_after^2, averaged with a nine-point Gauss-Hermite rule. Never negative but for rounding.
    """
    after = sd_after(sd, kappa, prior_sd=prior_sd)
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    moved = mean + nodes * max(0.0, sd * sd - after * after) ** 0.5
    now = _entropy(normal.cdf(np.array([(mean - level) / (sd * sd + level_error**2) ** 0.5])))
    later = _entropy(normal.cdf((moved - level) / (after * after + level_error**2) ** 0.5))
    return float(now[0] - (weights / weights.sum()) @ later)


def _entropy(p: Floats) -> Floats:
    """Binary entropy in bits."""
    inside = np.clip(p, 1e-12, 1.0 - 1e-12)
    out: Floats = -(inside * np.log2(inside) + (1.0 - inside) * np.log2(1.0 - inside))
    return out


def _reliability(source: Source, standard_error: float | None, tau: float) -> float:
    if source.reliability is not None:
        return source.reliability
    if standard_error is None:
        raise ValueError(f"An observation from {source.name!r} needs its standard error.")
    error = checks.finite("A standard error", standard_error)
    if error <= 0:
        raise ValueError(f"A standard error must be above 0, not {standard_error!r}.")
    return 1.0 / (1.0 + (error / tau) ** 2)


def _row(
    one: Observation, sources: Mapping[str, Source], mean: float, tau: float, halo: float
) -> tuple[float, float, float, float]:
    """(lam, s, psi, d) of one observation, checked."""
    source = sources.get(one.source)
    if source is None:
        raise ValueError(f"There is no source called {one.source!r}.")
    is_test = source.reliability is None
    value = checks.level("An observation", one.value, *(TEST_RANGE if is_test else (0.0, 5.0)))
    months = checks.finite("An age in months", one.months_ago)
    if months < 0:
        raise ValueError(f"An age in months must not be negative, and is {one.months_ago!r}.")
    if one.raters < 1:
        raise ValueError(f"An observation needs at least one rater, not {one.raters!r}.")
    reliability = _reliability(source, one.standard_error, tau)
    s2 = halo if source.human else 0.0
    lam = source.validity * reliability**0.5
    residual = (1.0 - source.validity**2) * reliability - s2 + (1.0 - reliability) / one.raters
    psi = max(residual, PSI_FLOOR) + DRIFT * months * lam * lam
    # A test's likelihood estimate has variance 1/reliability; sqrt(reliability) brings it to the common scale.
    y = (value - mean) / tau * (reliability**0.5 if is_test else 1.0)
    return lam, s2**0.5, psi, y - source.bias
