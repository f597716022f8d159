"""From estimates to a fit: one person, or many, against one role (measurement.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import INTERVAL_Z, checks, normal
from scoring.checks import Bools, Floats

CORRELATION = 0.30
"""Correlation of one person's residuals across skills."""
MEETS, GAP = 0.90, 0.10
"""P at or above MEETS: the whole 80 % interval clears the level; at or below GAP: all of it falls short."""
LIKELY, UNLIKELY = 0.50, 0.10
"""Shipped thresholds of the bands likely and unlikely; the organisation may set its own."""
BANDS = ("likely", "open", "unlikely", "not_assessed")
STATES = ("meets", "uncertain", "gap", "not_assessed")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """P_all from which a person is ``likely``, and up to which ``unlikely``; 0 <= unlikely < likely <= 1."""

    likely: float = LIKELY
    unlikely: float = UNLIKELY

    def __post_init__(self) -> None:
        if not 0.0 <= self.unlikely < self.likely <= 1.0:
            raise ValueError(
                f"Thresholds must satisfy 0 <= unlikely < likely <= 1, not {self.unlikely!r} and {self.likely!r}."
            )


SHIPPED = Thresholds()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a role asks of one skill.

    ``skill`` is the column of the skill in the profiles, ``level`` (0-5) the minimum, ``weight`` any number >= 0
    (they are normalised), ``standard_error`` (levels) the panel's uncertainty about the level, ``target`` the level
    to grow to: it never enters a score.
    """

    skill: int
    level: float
    weight: float
    essential: bool = False
    standard_error: float = 0.0
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """How somebody compares with a role. For one person scalars and (K,) arrays, for many (N,) and (N, K).

    ``fit`` = sum(weight * probability), in 0-1, with its 80 % interval ``fit_low``-``fit_high``; ``all_essentials``:
    probability of meeting every essential; ``probability`` of meeting each requirement; ``contribution`` = weight *
    probability; ``shortfall``: expected levels missing; ``state`` of each requirement; ``band`` of the person.
    """

    fit: Any
    fit_low: Any
    fit_high: Any
    all_essentials: Any
    probability: Floats
    contribution: Floats
    shortfall: Floats
    state: NDArray[np.str_]
    band: Any


@dataclass(frozen=True, slots=True)
class Prepared:
    """Requirements as arrays of length K, checked, with the weights summing to 1."""

    skill: NDArray[np.intp]
    level: Floats
    weight: Floats
    essential: Bools
    variance: Floats


def prepare(requirements: Sequence[Requirement], skills: int) -> Prepared:
    """Check requirements against profiles of ``skills`` columns and normalise their weights.

    Raises
    ------
    ValueError : no requirements; a level or target outside 0-5; a target below the level; a negative weight or all
        of them zero; NaN or infinity; a skill without a column; the same skill twice.
    """
    if not requirements:
        raise ValueError("A role without requirements has no score.")
    for one in requirements:
        checks.level("A required level", one.level)
        if checks.finite("A weight", one.weight) < 0:
            raise ValueError(f"A weight must not be negative, and is {one.weight!r}.")
        if checks.finite("A requirement's standard error", one.standard_error) < 0:
            raise ValueError(f"A requirement's standard error must not be negative, and is {one.standard_error!r}.")
        if one.target is not None and checks.level("A target level", one.target) < one.level:
            raise ValueError(f"The target level {one.target!r} lies below the required level {one.level!r}.")
        if not 0 <= one.skill < skills:
            raise ValueError(f"There is no skill column {one.skill!r}: the profiles have {skills}.")
    columns = [one.skill for one in requirements]
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise ValueError(f"Skill column {twice} is required twice.")
    weight = np.array([one.weight for one in requirements], dtype=np.float64)
    if weight.sum() <= 0:
        raise ValueError("At least one requirement needs a weight above 0.")
    return Prepared(
        skill=np.array(columns, dtype=np.intp),
        level=np.array([one.level for one in requirements], dtype=np.float64),
        weight=weight / weight.sum(),
        essential=np.array([one.essential for one in requirements], dtype=np.bool_),
        variance=np.square(np.array([one.standard_error for one in requirements], dtype=np.float64)),
    )


def fit(
    mean: Any,
    sd: Any,
    requirements: Sequence[Requirement],
    *,
    assessed: Any = None,
    correlation: float = CORRELATION,
    thresholds: Thresholds = SHIPPED,
) -> Fit:
    """Compare estimates with a role.

    v = sqrt(sd^2 + sr^2), z = (mean - level)/v, P = Phi(z), F = sum(w*P), shortfall = v*(phi(z) - z*(1 - Phi(z))),
    P_all by ``normal.joint`` over the essentials; F's interval is F +- 1.2816*SD clipped to 0-1 with

        SD^2 = E_g[sum(w^2*p*(1 - p)) + (sum(w*p))^2] - F^2,   p = p_s(g) over all requirements.

    Parameters
    ----------
    mean, sd : (S,) for one person or (N, S) for many, levels; sd > 0. Not assessed: the prior.
    assessed : same shape, bool; None means all assessed.

    Raises
    ------
    ValueError : see ``prepare``; arrays of different shapes; NaN or infinity; sd <= 0; a correlation outside [0, 1).
    """
    means, sds = checks.array("Means", mean), checks.array("Standard deviations", sd)
    checks.same_shape("Means and standard deviations", means.shape, sds.shape)
    if means.ndim not in (1, 2):
        raise ValueError(f"Means must have one or two dimensions, not {means.ndim}.")
    checks.positive("Standard deviations", sds)
    rho = checks.fraction("The correlation", correlation)
    known = np.ones(means.shape, dtype=np.bool_) if assessed is None else np.asarray(assessed, dtype=np.bool_)
    checks.same_shape("Means and assessed flags", means.shape, known.shape)
    role = prepare(requirements, means.shape[-1])
    one_person = means.ndim == 1
    many = _fit_many(np.atleast_2d(means), np.atleast_2d(sds), np.atleast_2d(known), role, rho, thresholds)
    return _first(many) if one_person else many


def deviation(mean: Floats, sd: Floats, role: Prepared) -> tuple[Floats, Floats]:
    """(z, v) of shape (N, K) for profiles of shape (N, S)."""
    v = np.sqrt(np.square(sd[:, role.skill]) + role.variance)
    return (mean[:, role.skill] - role.level) / v, v


def spread(z: Floats, weight: Floats, correlation: float) -> Floats:
    """Standard deviation of the share of the role that is met, (N,), for z of shape (N, K)."""
    p = normal.conditional(z, correlation)
    w = weight[:, None]
    mean_g = (w * p).sum(axis=1)
    second = (np.square(w) * p * (1.0 - p)).sum(axis=1) + np.square(mean_g)
    variance = second @ normal.WEIGHTS - np.square(mean_g @ normal.WEIGHTS)
    out: Floats = np.sqrt(np.maximum(variance, 0.0))
    return out


def state_of(probability: Floats, known: Bools) -> NDArray[np.str_]:
    """meets, uncertain, gap or not_assessed, elementwise."""
    chosen = np.select(
        [~known, probability >= MEETS, probability <= GAP], ["not_assessed", "meets", "gap"], "uncertain"
    )
    return np.asarray(chosen, dtype=np.str_)


def band_codes(
    z: Floats,
    known: Bools,
    essential: Bools,
    all_essentials: Floats,
    correlation: float,
    thresholds: Thresholds = SHIPPED,
) -> NDArray[np.int8]:
    """Index into BANDS for each person, (N,).

    Likely needs evidence on every essential; unlikely is judged from the assessed essentials alone; without any
    assessed requirement a person is not assessed.
    """
    seen = known[:, essential]
    complete = seen.all(axis=1)
    codes = np.ones(len(z), dtype=np.int8)
    codes[(all_essentials >= thresholds.likely) & complete] = 0
    judged = all_essentials.copy()
    partial = np.flatnonzero(~complete)
    if partial.size:
        # An infinite z takes an essential out of the product: only the assessed ones are judged.
        judged[partial] = normal.joint(np.where(seen[partial], z[partial][:, essential], np.inf), correlation)
    codes[judged <= thresholds.unlikely] = 2
    codes[~known.any(axis=1)] = 3
    return codes


def _fit_many(mean: Floats, sd: Floats, known_all: Bools, role: Prepared, rho: float, thresholds: Thresholds) -> Fit:
    z, v = deviation(mean, sd, role)
    known = known_all[:, role.skill]
    p = normal.cdf(z)
    contribution = p * role.weight
    score = np.clip(contribution.sum(axis=1), 0.0, 1.0)
    half = INTERVAL_Z * spread(z, role.weight, rho)
    joint = normal.joint(z[:, role.essential], rho)
    return Fit(
        fit=score,
        fit_low=np.clip(score - half, 0.0, 1.0),
        fit_high=np.clip(score + half, 0.0, 1.0),
        all_essentials=joint,
        probability=p,
        contribution=contribution,
        shortfall=v * (normal.pdf(z) - z * (1.0 - p)),
        state=state_of(p, known),
        band=np.array(BANDS)[band_codes(z, known, role.essential, joint, rho, thresholds)],
    )


def _first(many: Fit) -> Fit:
    return Fit(
        fit=float(many.fit[0]),
        fit_low=float(many.fit_low[0]),
        fit_high=float(many.fit_high[0]),
        all_essentials=float(many.all_essentials[0]),
        probability=many.probability[0],
        contribution=many.contribution[0],
        shortfall=many.shortfall[0],
        state=many.state[0],
        band=str(many.band[0]),
    )
