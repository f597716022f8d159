"""Everybody against one role, in order (measurement.md sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import checks, kernels, normal
from scoring.checks import Bools, Floats
from scoring.fit import BANDS, CORRELATION, SHIPPED, Prepared, Requirement, Thresholds, band_codes, prepare


@dataclass(frozen=True, slots=True)
class Profiles:
    """All people as matrices, skill-major: ``mean`` and ``sd`` (S, N) float32 levels, ``assessed`` (S, N) bool.

    Where a skill is not assessed, mean and sd hold the prior.
    """

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    assessed: Bools

    def __post_init__(self) -> None:
        checks.same_shape("Means and standard deviations", self.mean.shape, self.sd.shape)
        checks.same_shape("Means and assessed flags", self.mean.shape, self.assessed.shape)
        if self.mean.ndim != 2:
            raise ValueError(f"Profiles must be matrices of skills by people, not of {self.mean.ndim} dimensions.")

    @property
    def people(self) -> int:
        """N, the number of people."""
        return int(self.mean.shape[1])


@dataclass(frozen=True, slots=True)
class Scores:
    """Everybody against one role, in the order of the people asked for (N of them)."""

    z: Floats
    probability: Floats
    fit: Floats
    all_essentials: Floats
    band: NDArray[np.int8]

    def order(self) -> NDArray[np.intp]:
        """Best first: the not assessed last, then by P_all, then by F, ties in the order given."""
        return np.lexsort((-self.fit, -self.all_essentials, self.band == BANDS.index("not_assessed")))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ``top`` best people: ``rows`` are columns of the profiles, the rest is in their order.

    ``probability`` and ``contribution`` are (top, K), in the order of the requirements.
    """

    rows: NDArray[np.intp]
    band: NDArray[np.str_]
    fit: Floats
    all_essentials: Floats
    probability: Floats
    contribution: Floats


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What easing one requirement by a level (to ``level``), alone, would change.

    ``likely`` more people likely and ``expected`` more who meet all essentials (0 where it is not essential);
    ``fit``: how much the mean fit of the assessed people rises, 0-1.
    """

    requirement: int
    level: float
    likely: int
    expected: float
    fit: float


def score(
    profiles: Profiles, requirements: Sequence[Requirement], *, among: Any = None, thresholds: Thresholds = SHIPPED
) -> Scores:
    """F, P_all and band of everybody (or of ``among``, column indices), in the order given."""
    role, z, _, known = _deviations(profiles, requirements, among)
    p = normal.cdf(z)
    joint = normal.joint(z[:, role.essential], CORRELATION)
    return Scores(
        z=z,
        probability=p,
        fit=np.clip((p * role.weight).sum(axis=1), 0.0, 1.0),
        all_essentials=joint,
        band=band_codes(z, known, role.essential, joint, CORRELATION, thresholds),
    )


def rank(
    profiles: Profiles,
    requirements: Sequence[Requirement],
    *,
    top: int = 50,
    among: Any = None,
    thresholds: Thresholds = SHIPPED,
) -> Ranking:
    """The best people for a role, by P_all, then F; people without any assessed requirement come last.

    Raises
    ------
    ValueError : see ``fit.prepare``; a ``top`` below 1; NaN, infinity or sd <= 0 in a required skill's column; an
        ``among`` that names a person who is not there.
    """
    if top < 1:
        raise ValueError(f"A ranking needs room for at least one person, not {top!r}.")
    role = prepare(requirements, profiles.mean.shape[0])
    chosen = _contenders(profiles, role, top) if among is None else _among(profiles, among)
    scores = score(profiles, requirements, among=chosen, thresholds=thresholds)
    first = scores.order()[:top]
    weight = role.weight
    return Ranking(
        rows=chosen[first],
        band=np.array(BANDS)[scores.band[first]],
        fit=scores.fit[first],
        all_essentials=scores.all_essentials[first],
        probability=scores.probability[first],
        contribution=scores.probability[first] * weight,
    )


def relax(
    profiles: Profiles, requirements: Sequence[Requirement], *, among: Any = None, thresholds: Thresholds = SHIPPED
) -> list[Relaxed]:
    """What easing each requirement by one level, alone, would change, in their order; those at level 0 are left out.

    Only essentials decide P_all; any other requirement moves the fit alone, by w*(Phi(z + 1/v) - Phi(z)).
    """
    role, z, v, known = _deviations(profiles, requirements, among)
    easing = np.minimum(1.0, role.level)
    eased = z + easing / v
    anybody = known.any(axis=1)
    gain = (normal.cdf(eased) - normal.cdf(z))[anybody] * role.weight
    fit = gain.mean(axis=0) if anybody.any() else np.zeros(len(role.level))
    likely, expected = np.zeros(len(role.level), dtype=np.intp), np.zeros(len(role.level))
    essentials = np.flatnonzero(role.essential)
    if essentials.size:
        before, after = normal.joint_eased(z[:, essentials], eased[:, essentials], CORRELATION)
        ready: Bools = np.asarray(known[:, essentials].all(axis=1))
        edge = thresholds.likely
        likely[essentials] = ((after >= edge) & ready[:, None]).sum(axis=0) - ((before >= edge) & ready).sum()
        expected[essentials] = (after - before[:, None])[anybody].sum(axis=0)
    return [
        Relaxed(k, float(role.level[k] - easing[k]), int(likely[k]), float(expected[k]), float(fit[k]))
        for k in range(len(role.level))
        if role.level[k] > 0
    ]


def _contenders(profiles: Profiles, role: Prepared, top: int) -> NDArray[np.intp]:
    """People of whom the ``top`` best are some, ascending: one pass over everybody leaves those whose bounds allow it.

    Exact scores of the few then decide, so that the ranking is that of ``score`` over everybody. Where fewer than
    ``top`` people have any required skill assessed, everybody contends.
    """
    found = kernels.one_pass(profiles.mean, profiles.sd, profiles.assessed, role)
    if not np.isfinite(found.fit.sum(dtype=np.float64)):
        # Score everybody: the checks there name the bad value.
        return np.arange(profiles.people, dtype=np.intp)
    if np.count_nonzero(found.known) <= top:
        return np.arange(profiles.people, dtype=np.intp)
    slack = 2 * len(role.skill) * kernels.PHI_ERROR
    low, high = (found.low, found.high) if role.essential.any() else (found.fit, found.fit)
    edge = _largest(np.where(found.known, low, np.float32(-1.0)), top)
    return np.flatnonzero(found.known & (high >= np.float32(edge - slack)))


def _largest(values: NDArray[np.float32], k: int) -> float:
    """The k-th largest. A sixteenth of many values gives an edge that at least k reach; only those are sorted."""
    if len(values) > 1 << 16 and len(values) > 32 * k:
        rough = _largest(values[::16], k)
        values = values[values >= rough]
    return float(np.partition(values, len(values) - k)[len(values) - k])


def _among(profiles: Profiles, among: Any) -> NDArray[np.intp]:
    if among is None:
        return np.arange(profiles.people, dtype=np.intp)
    chosen = np.asarray(among)
    if chosen.dtype == np.bool_:
        checks.same_shape("The people and the choice among them", (profiles.people,), chosen.shape)
        return np.flatnonzero(chosen)
    if chosen.size and not (chosen.min() >= 0 and chosen.max() < profiles.people):
        raise ValueError(f"There is no person {int(chosen.max())}: the profiles have {profiles.people}.")
    return chosen.astype(np.intp)


def _columns(matrix: NDArray[np.float32], role: Prepared, chosen: NDArray[np.intp]) -> Floats:
    return np.stack([matrix[k][chosen] for k in role.skill], axis=1).astype(np.float64)


def _deviations(
    profiles: Profiles, requirements: Sequence[Requirement], among: Any
) -> tuple[Prepared, Floats, Floats, Bools]:
    """The role, and z, v and assessed, each (N, K), of the people asked for."""
    role = prepare(requirements, profiles.mean.shape[0])
    chosen = _among(profiles, among)
    mean = checks.array("Means", _columns(profiles.mean, role, chosen))
    sd = checks.positive(
        "Standard deviations", checks.array("Standard deviations", _columns(profiles.sd, role, chosen))
    )
    known = np.stack([profiles.assessed[k][chosen] for k in role.skill], axis=1).astype(np.bool_)
    v = np.sqrt(np.square(sd) + role.variance)
    return role, (mean - role.level) / v, v, known
