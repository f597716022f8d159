"""How well teams cover demands (measurement.md section 4).

A demand asks for at least N people who meet a level. Person i meets it with probability p_i = Phi(z_i), so that the
number who do, X, is Poisson-binomial. Never the maximum of the team: one expert does not cover a team.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from scoring import checks
from scoring.checks import Floats
from scoring.fit import GAP, MEETS

LIKELY_COVERED = 0.50


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


@numba.njit(cache=True, nogil=True)
def covered(probability: Floats, people: int) -> float:  # pragma: no cover
    """E[min(N, X)]."""
    counts = _counts(probability, people)
    total = 0.0
    for k in range(people + 1):
        total += k * counts[k]
    return total


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
