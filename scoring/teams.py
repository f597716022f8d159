"""How well a team covers a demand: at least N people who meet a level (measurement.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring import checks
from scoring.checks import Floats


@dataclass(frozen=True, slots=True)
class Coverage:
    """``expected`` number of qualified people, P(at least N), and the same without the best one of them."""

    expected: float
    at_least: float
    at_least_without_best: float


def count_distribution(probability: Floats) -> Floats:
    """Poisson-binomial: P(exactly k of n meet), shape (n + 1,), by the exact recursion over people."""
    distribution = np.zeros(len(probability) + 1)
    distribution[0] = 1.0
    for n, p in enumerate(probability, start=1):
        distribution[1 : n + 1] = distribution[1 : n + 1] * (1.0 - p) + distribution[:n] * p
        distribution[0] *= 1.0 - p
    return distribution


def coverage(probability: Any, *, people: int) -> Coverage:
    """Cover a demand for ``people`` with members who meet it with ``probability`` (members,), the assessed only.

    Never the maximum of the team: one expert does not cover a team.

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
    rest = np.delete(p, p.argmax()) if p.size else p
    return Coverage(
        expected=float(p.sum()),
        at_least=_tail(p, people),
        at_least_without_best=_tail(rest, people),
    )


def _tail(p: Floats, people: int) -> float:
    return float(min(1.0, count_distribution(p)[people:].sum()))
