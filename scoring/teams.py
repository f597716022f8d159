"""How well teams cover demands, and how ready an initiative is (measurement.md section 4).

A demand asks for at least N people who meet a level. Person i meets it with probability p_i = Phi(z_i), so that the
number who do, X, is Poisson-binomial. Never the maximum of the team: one expert does not cover a team.

    covered share = sum of E[min(N, X)] over sum of N
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

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


@dataclass(frozen=True, slots=True)
class Covers:
    """Many demands at once, D of them, as in ``Coverage``: arrays (D,). Demand d has ``edges[d]:edges[d + 1]`` of the
    assessed members: their ``row``, ``z`` and ``probability``."""

    edges: NDArray[np.intp]
    row: NDArray[np.intp]
    z: Floats
    probability: Floats
    expected: Floats
    at_least: Floats
    at_least_without_best: Floats
    covered: Floats

    def of(self, d: int) -> Coverage:
        """One demand's."""
        figures = (self.expected[d], self.at_least[d], self.at_least_without_best[d], self.covered[d])
        return Coverage(*(float(one) for one in figures))


def coverages(
    by_person: NDArray[np.float32],
    members: Sequence[NDArray[np.intp]],
    *,
    team: Any,
    skill: Any,
    level: Any,
    people: Any,
) -> Covers:
    """``coverage`` of all demands of all teams, from people in rows.

    Parameters
    ----------
    by_person : (N, S, 2), mean and inverse sd of each person and skill, the inverse 0 where not assessed.
    members : of each team the rows of its people.
    team, skill, level, people : (D,), of each demand.

    Raises
    ------
    ValueError : a demand for fewer than one person, or for a skill without a column.
    """
    team, skill, people = (np.ascontiguousarray(one, dtype=np.intp) for one in (team, skill, people))
    level = np.ascontiguousarray(level, dtype=np.float64)
    if people.size and people.min() < 1:
        raise ValueError(f"A demand asks for at least one person, not {people.min()}.")
    if skill.size and not (skill.min() >= 0 and skill.max() < by_person.shape[1]):
        raise ValueError(f"There is no skill column {skill.max()}: the profiles have {by_person.shape[1]}.")
    sizes = np.array([len(one) for one in members], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    rows = np.concatenate([np.zeros(0, dtype=np.intp), *members]).astype(np.intp)
    room = int(sizes[team].sum()) if team.size else 0
    edges = np.zeros(team.size + 1, dtype=np.intp)
    row, z, probability = np.empty(room, dtype=np.intp), np.empty(room), np.empty(room)
    figures = np.zeros((4, team.size))
    _coverages(by_person, rows, starts, team, skill, level, people, edges, row, z, probability, figures)
    n = edges[-1]
    return Covers(edges, row[:n], z[:n], probability[:n], *figures)


@numba.njit(cache=True, nogil=True)
def _coverages(
    by_person: Any,
    rows: Any,
    starts: Any,
    team: Any,
    skill: Any,
    level: Any,
    people: Any,
    edges: Any,
    row: Any,
    z: Any,
    probability: Any,
    figures: Any,
) -> None:  # pragma: no cover
    n = 0
    for d in range(team.size):
        best = first = n
        for k in range(starts[team[d]], starts[team[d] + 1]):
            inverse = by_person[rows[k], skill[d], 1]
            if inverse > 0.0:
                row[n] = rows[k]
                z[n] = (by_person[rows[k], skill[d], 0] - level[d]) * inverse
                probability[n] = 0.5 * math.erfc(-z[n] / math.sqrt(2.0))
                if probability[n] > probability[best]:
                    best = n
                figures[0, d] += probability[n]
                n += 1
        edges[d + 1] = n
        most = people[d]
        counts = _counts(probability[first:n], most)
        figures[1, d] = min(1.0, counts[most])
        for k in range(most + 1):
            figures[3, d] += k * counts[k]
        rest = probability[first:n].copy()
        if rest.size:
            rest[best - first] = rest[-1]
            figures[2, d] = min(1.0, _counts(rest[:-1], most)[most])


def readiness(
    demands: Sequence[Demand],
    *,
    seed: int,
    weights: Any = None,
    draws: int = DRAWS,
    correlation: float = CORRELATION,
    known: dict[bytes, Drawn] | None = None,
) -> list[Readiness]:
    """Covered shares of groups of demands, exact, each with its 80 % interval from ``draws`` of everybody's levels.

    A person's residual in a skill is sqrt(rho)*g + sqrt(1 - rho)*e: g is shared by all their skills, e belongs to the
    skill and is the same in every demand that asks for it. They meet a demand when z + residual >= 0. Both are normal
    numbers that depend on the seed, the person, the skill and the draw alone, and not on who else is there.

    Parameters
    ----------
    weights : (G, D), how much of each of the D demands counts in each of the G groups (initiatives, functions, the
        whole); None means one group with all of them.
    known : what earlier calls with the same seed, draws and correlation have drawn, by demand; it is brought up to
        date, so that only demands that have changed are drawn again.

    Raises
    ------
    ValueError : a demand for fewer than one person; a negative weight; NaN or infinity; members and z of different
        lengths; a correlation outside [0, 1); fewer than 10 draws.
    """
    rho = checks.fraction("The correlation", correlation)
    if draws < 10:
        raise ValueError(f"An interval needs at least 10 draws, not {draws!r}.")
    _check(demands)
    w = np.ones((1, len(demands))) if weights is None else checks.array("Weights", weights)
    checks.same_shape("Weights and demands", w.shape[1:], (len(demands),))
    if w.size and w.min() < 0:
        raise ValueError(f"A weight must not be negative, and is {w.min():g}.")
    needed = w @ np.array([float(one.people) for one in demands])
    covered = w @ np.array([_covered(normal.cdf(np.asarray(one.z, dtype=np.float64)), one.people) for one in demands])
    low, high = np.quantile(_draws(demands, w, seed, draws, rho, known), [0.1, 0.9], axis=0)
    return [_ready(*figures) for figures in zip(covered, needed, low, high, strict=True)]


@numba.njit(cache=True, nogil=True)
def _covered(probability: Floats, people: int) -> float:  # pragma: no cover
    """E[min(N, X)]."""
    counts = _counts(probability, people)
    total = 0.0
    for k in range(people + 1):
        total += k * counts[k]
    return total


def _ready(covered: float, needed: float, low: float, high: float) -> Readiness:
    if needed == 0.0:
        return Readiness(0.0, 0.0, 1.0, 1.0, 1.0, "not_assessed")
    low, high = float(low / needed), float(high / needed)
    return Readiness(float(covered), float(needed), float(covered / needed), low, high, _state(low, high))


def _check(demands: Sequence[Demand]) -> None:
    for one in demands:
        if one.people < 1:
            raise ValueError(f"A demand asks for at least one person, not {one.people!r}.")
        checks.same_shape("Members and their deviations", np.shape(one.members), np.shape(one.z))
    if demands:
        checks.array("Deviations", np.concatenate([one.z for one in demands]))


Drawn = NDArray[np.int32]


def _draws(
    demands: Sequence[Demand], weights: Floats, seed: int, draws: int, rho: float, known: dict[bytes, Drawn] | None
) -> Floats:
    """Sum of weight * min(N, X) of each group in each draw, (draws, G)."""
    if not demands:
        return np.zeros((draws, len(weights)))
    keys, met = _drawn(demands, seed, draws, rho, known)
    if known is not None:
        known.clear()
        known.update(met)
    rows = np.stack([met[key] for key in keys]).astype(np.float32)
    out: Floats = (weights.astype(np.float32) @ rows).T.astype(np.float64)
    return out


def draw(
    demands: Sequence[Demand],
    *,
    seed: int,
    draws: int = DRAWS,
    correlation: float = CORRELATION,
    known: dict[bytes, Drawn] | None = None,
) -> dict[bytes, Drawn]:
    """min(N, X) of each demand in each draw (draws,), by what the demand holds; ``known`` are not drawn again.

    What several machines have drawn of parts of the demands may be put together and handed to ``readiness``.
    """
    return _drawn(demands, seed, draws, correlation, known)[1]


def _drawn(
    demands: Sequence[Demand], seed: int, draws: int, rho: float, known: dict[bytes, Drawn] | None
) -> tuple[list[bytes], dict[bytes, Drawn]]:
    """The demands' keys in their order, and what was drawn by key."""
    before: dict[bytes, Drawn] = known or {}
    found: dict[bytes, Drawn] = {}
    keys = [_key(one) for one in demands]
    for key, one in zip(keys, demands, strict=True):
        if key not in found:
            met = before.get(key)
            found[key] = _simulate(seed, draws, rho, one) if met is None else met
    return keys, found


def _key(one: Demand) -> bytes:
    """What a demand's draws depend on."""
    asked = b"%d %d %d " % (one.people, one.skill, len(one.members))
    members, z = np.asarray(one.members, dtype=np.int64).tobytes(), np.asarray(one.z, dtype=np.float64).tobytes()
    return hashlib.blake2b(asked + members + z, digest_size=16).digest()


def _simulate(seed: int, draws: int, rho: float, one: Demand) -> Drawn:
    met = np.empty(draws, dtype=np.int32)
    members, z = np.asarray(one.members, dtype=np.int64), np.asarray(one.z, dtype=np.float64)
    _meet(np.uint64(seed), rho, members, z, one.skill, one.people, _NORMALS, met)
    return met


_NORMALS: NDArray[np.float32] = np.asarray(ndtri((np.arange(1 << 16) + 0.5) / (1 << 16)), dtype=np.float32)
"""The normal curve in 65,536 steps of equal probability."""


@numba.njit(cache=True, nogil=True)
def _mixed(x: Any) -> Any:  # pragma: no cover
    """SplitMix64 (Steele, Lea and Flood 2014): 64 bits that look like chance, from any 64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _meet(
    seed: Any, rho: float, members: Any, z: Floats, skill: int, most: int, normals: Any, met: Any
) -> None:  # pragma: no cover
    """min(N, X) of one demand in each draw, (draws,): four draws from each 64 bits."""
    root, rest = math.sqrt(rho), math.sqrt(1.0 - rho)
    golden, low = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFFFF)
    met[:] = 0
    for k in range(members.size):
        person = _mixed(seed * golden + np.uint64(members[k]) + golden)
        own = _mixed(person + np.uint64(skill + 1) * golden)
        for n in range(0, met.size, 4):
            step = np.uint64(n + 1) * golden
            shared, alone = _mixed(person + step), _mixed(own ^ step)
            for j in range(min(4, met.size - n)):
                shift = np.uint64(16 * j)
                residual = root * normals[(shared >> shift) & low] + rest * normals[(alone >> shift) & low]
                met[n + j] += z[k] + residual >= 0.0
    for n in range(met.size):
        met[n] = min(met[n], most)


def _state(low: float, high: float) -> str:
    """From the 80 % interval of the covered share and the line of readiness."""
    if low >= READY:
        return "meets"
    return "gap" if high < READY else "uncertain"
