"""How well teams cover demands, and how ready an initiative is (measurement.md section 4).

A demand asks for at least N people who meet a level. Person i meets it with probability p_i = Phi(z_i), so that the
number who do, X, is Poisson-binomial. Never the maximum of the team: one expert does not cover a team.

    covered share = sum of E[min(N, X)] over sum of N
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from scoring import checks, normal
from scoring.checks import Floats
from scoring.fit import CORRELATION, GAP, MEETS

READY = 0.80
"""The line of readiness: an initiative is ready when the whole 80 % interval of its covered share lies on or above."""
LIKELY_COVERED = 0.50
DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Coverage:
    """``expected`` number of qualified people, P(at least N), the same without the best one of them, E[min(N, X)]."""

    expected: float
    at_least: float
    at_least_without_best: float
    covered: float

    @property
    def is_one_deep(self) -> bool:
        """More likely covered than not, but not without its best person: a single point of failure."""
        return self.at_least >= LIKELY_COVERED > self.at_least_without_best

    @property
    def state(self) -> str:
        """``meets`` when covered with P >= .90, ``gap`` at or below .10, else ``uncertain``."""
        if self.at_least >= MEETS:
            return "meets"
        return "gap" if self.at_least <= GAP else "uncertain"


@dataclass(frozen=True, slots=True)
class Demand:
    """At least ``people`` of ``members`` (m,), whose deviations from the level are ``z`` (m,), in ``skill``.

    ``members`` and ``skill`` are any integers that name the same person and the same skill wherever they return. Only
    people assessed in the skill belong here.
    """

    people: int
    skill: int
    members: NDArray[np.int64]
    z: Floats


@dataclass(frozen=True, slots=True)
class Readiness:
    """``covered`` = sum(weight * E[min(N, X)]), ``needed`` = sum(weight * N), ``share`` of them with its 80 % interval.

    Where nothing is needed, the share is 1 by definition, and ``state`` is "not_assessed".
    """

    covered: float
    needed: float
    share: float
    low: float
    high: float
    state: str


def count_distribution(probability: Floats) -> Floats:
    """Poisson-binomial: P(exactly k of n meet), shape (n + 1,), by the exact recursion over people."""
    p = np.ascontiguousarray(probability, dtype=np.float64)
    out: Floats = _counts(p, len(p))
    return out


@numba.njit(cache=True, nogil=True)
def _counts(probability: Floats, most: int) -> Floats:  # pragma: no cover
    """P(min(X, most) = k) for k = 0 .. most."""
    distribution = np.zeros(most + 1)
    distribution[0] = 1.0
    for n in range(probability.size):
        p = probability[n]
        if most > 0:
            distribution[most] += distribution[most - 1] * p
        for k in range(most - 1, 0, -1):
            distribution[k] = distribution[k] * (1.0 - p) + distribution[k - 1] * p
        if most > 0:
            distribution[0] *= 1.0 - p
    return distribution


def coverage(probability: Any, *, people: int) -> Coverage:
    """Cover a demand for ``people`` with members who meet it with ``probability`` (members,), the assessed only.

    Raises
    ------
    ValueError : NaN, infinity or a probability outside 0-1; a demand for fewer than one person.
    """
    p = checks.array("Probabilities", probability).reshape(-1)
    if p.size and (p.min() < 0.0 or p.max() > 1.0):
        bad = p.min() if p.min() < 0.0 else p.max()
        raise ValueError(f"A probability must lie between 0 and 1, not {bad:g}.")
    if people < 1:
        raise ValueError(f"A demand asks for at least one person, not {people!r}.")
    counts = _counts(p, people)
    rest = np.delete(p, p.argmax()) if p.size else p
    return Coverage(
        expected=float(p.sum()),
        at_least=min(1.0, float(counts[people])),
        at_least_without_best=min(1.0, float(_counts(rest, people)[people])),
        covered=float(counts @ np.arange(people + 1)),
    )


def readiness(
    demands: Sequence[Demand],
    *,
    rng: np.random.Generator,
    weights: Any = None,
    draws: int = DRAWS,
    correlation: float = CORRELATION,
) -> list[Readiness]:
    """Covered shares of groups of demands, exact, each with its 80 % interval from ``draws`` of everybody's levels.

    A person's residual in a skill is sqrt(rho)*g + sqrt(1 - rho)*e: g is shared by all their skills, e belongs to the
    skill and is the same in every demand that asks for it. They meet a demand when z + residual >= 0.

    Parameters
    ----------
    weights : (G, D), how much of each of the D demands counts in each of the G groups (initiatives, functions, the
        whole); None means one group with all of them.

    Raises
    ------
    ValueError : a demand for fewer than one person; a negative weight; NaN or infinity; members and z of different
        lengths; a correlation outside [0, 1); fewer than 10 draws.
    """
    rho = checks.fraction("The correlation", correlation)
    if draws < 10:
        raise ValueError(f"An interval needs at least 10 draws, not {draws!r}.")
    for one in demands:
        _check(one)
    w = np.ones((1, len(demands))) if weights is None else checks.array("Weights", weights)
    checks.same_shape("Weights and demands", w.shape[1:], (len(demands),))
    if w.size and w.min() < 0:
        raise ValueError(f"A weight must not be negative, and is {w.min():g}.")
    needed = w @ np.array([float(one.people) for one in demands])
    covered = w @ np.array([coverage(normal.cdf(one.z), people=one.people).covered for one in demands])
    low, high = np.quantile(_draws(demands, w, rng, draws, rho), [0.1, 0.9], axis=0)
    return [_ready(*figures) for figures in zip(covered, needed, low, high, strict=True)]


def _ready(covered: float, needed: float, low: float, high: float) -> Readiness:
    if needed == 0.0:
        return Readiness(0.0, 0.0, 1.0, 1.0, 1.0, "not_assessed")
    low, high = float(low / needed), float(high / needed)
    return Readiness(float(covered), float(needed), float(covered / needed), low, high, _state(low, high))


def _check(one: Demand) -> None:
    if one.people < 1:
        raise ValueError(f"A demand asks for at least one person, not {one.people!r}.")
    checks.same_shape("Members and their deviations", np.shape(one.members), checks.array("Deviations", one.z).shape)


def _draws(demands: Sequence[Demand], weights: Floats, rng: np.random.Generator, draws: int, rho: float) -> Floats:
    """Sum of weight * min(N, X) of each group in each draw, (draws, G)."""
    asked = [k for k, one in enumerate(demands) if len(one.z)]
    if not asked:
        return np.zeros((draws, len(weights)))
    weights, demands = weights[:, asked], [demands[k] for k in asked]
    everybody, person = np.unique(np.concatenate([one.members for one in demands]), return_inverse=True)
    skill = np.concatenate([np.full(len(one.members), one.skill, dtype=np.int64) for one in demands])
    # One residual for each person and skill, whichever demands ask for it.
    skills = int(skill.max()) + 1
    pairs, pair = np.unique(person * skills + skill, return_inverse=True)
    least = np.concatenate([-one.z for one in demands])
    edges = np.cumsum([0, *(len(one.members) for one in demands)])
    most = np.array([one.people for one in demands])
    met = _simulate(rng, draws, rho, len(everybody), pairs // skills, pair, least, edges, most)
    out: Floats = met @ weights.T
    return out


@numba.njit(cache=True, nogil=True)
def _simulate(
    rng: Any, draws: int, rho: float, people: int, owner: Any, pair: Any, least: Floats, edges: Any, most: Any
) -> Floats:  # pragma: no cover
    """min(N, X) of each demand in each draw, (draws, D). Demand d has ``edges[d]:edges[d + 1]`` of ``pair``."""
    root, rest = math.sqrt(rho), math.sqrt(1.0 - rho)
    met = np.zeros((draws, most.size))
    shared, residual = np.empty(people), np.empty(owner.size)
    for n in range(draws):
        for i in range(people):
            shared[i] = root * rng.standard_normal()
        for q in range(owner.size):
            residual[q] = shared[owner[q]] + rest * rng.standard_normal()
        for d in range(most.size):
            count = 0
            for k in range(edges[d], edges[d + 1]):
                count += residual[pair[k]] >= least[k]
            met[n, d] = min(count, most[d])
    return met


def _state(low: float, high: float) -> str:
    """From the 80 % interval of the covered share and the line of readiness."""
    if low >= READY:
        return "meets"
    return "gap" if high < READY else "uncertain"
