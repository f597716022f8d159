"""What pages count of everybody, each in one pass: bands, who reaches a threshold, levels.

These loops call none of another file, and so may stand here (see ``loops``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.checks import Bools, Floats, Rows, Singles
from scoring.kernels import Everybody
from scoring.loops import loop

BLOCK = 16_384


@loop
def _judge(
    found: Any, likely: Any, unlikely: Any, error: Any, band: NDArray[np.int8], near: Rows
) -> int:  # pragma: no cover
    """Codes of bands (0 likely, 1 open, 2 unlikely, 3 not assessed); those too near to an edge to tell: n of them."""
    joint, judged, known, complete = found
    n = 0
    for i in range(band.size):
        if not known[i]:
            band[i] = 3
            continue
        band[i] = 2 if judged[i] <= unlikely else 0 if complete[i] and joint[i] >= likely else 1
        if abs(joint[i] - likely) <= error or abs(judged[i] - unlikely) <= error:
            near[n] = i
            n += 1
    return n


def judge(found: Everybody, likely: float, unlikely: float, error: float) -> tuple[NDArray[np.int8], Rows]:
    """Bands of everybody as codes (0 likely, 1 open, 2 unlikely, 3 not assessed), right but for the people whose P_all
    lies within ``error`` of an edge: the second array."""
    band, near = np.empty(len(found.fit), dtype=np.int8), np.empty(len(found.fit), dtype=np.intp)
    parts = (found.joint, found.judged, found.known, found.complete)
    n = _judge(parts, np.float32(likely), np.float32(unlikely), np.float32(error), band, near)
    return band, near[:n]


@loop
def _tally(
    chances: Singles, asked: Bools, ready: Bools, edge: float, error: float, sums: Floats, counts: Rows, near: Rows
) -> int:  # pragma: no cover
    n = 0
    for i in range(chances.shape[1]):
        if not asked[i]:
            continue
        is_near = False
        for j in range(chances.shape[0]):
            chance = chances[j, i]
            sums[j] += chance
            if ready[i]:
                counts[j] += chance >= edge + error
                is_near |= abs(chance - edge) <= error
        if is_near:
            near[n] = i
            n += 1
    return n


def tally(chances: Singles, asked: Bools, ready: Bools, edge: float, error: float) -> tuple[Floats, Rows, Rows]:
    """Of each row of ``chances`` (J, N): its sum over the people ``asked``, how many of the ``ready`` are surely at or
    above ``edge``, and who is too near to tell in any row."""
    sums, counts = np.zeros(len(chances)), np.zeros(len(chances), dtype=np.intp)
    near = np.empty(chances.shape[1], dtype=np.intp)
    n = _tally(chances, asked, ready, edge, error, sums, counts, near)
    return sums, counts, near[:n]


@loop
def _above(mean: Singles, assessed: Bools, level: Any) -> int:  # pragma: no cover
    n = 0
    for i in range(mean.size):
        n += assessed[i] & (mean[i] >= level)
    return n


@loop
def _levels(mean: Singles, assessed: Bools, counts: Rows) -> None:  # pragma: no cover
    for start in range(0, mean.size, BLOCK):
        m, known = mean[start : start + BLOCK], assessed[start : start + BLOCK]
        before = _above(m, known, np.float32(-np.inf))
        for level in range(1, counts.size):
            above = _above(m, known, np.float32(level))
            counts[level - 1] += before - above
            before = above
        counts[-1] += before


def levels(mean: Singles, assessed: Bools) -> Rows:
    """How many of the assessed stand at each whole level 0-5, of one skill (N,)."""
    counts = np.zeros(6, dtype=np.intp)
    _levels(mean, assessed, counts)
    return counts


@loop
def _cross(band: NDArray[np.int8], who: Bools, values: Singles, counts: Rows) -> float:  # pragma: no cover
    total = 0.0
    for i in range(band.size):
        counts[1 if who[i] else 0, band[i]] += 1
        if band[i] < 3:
            total += values[i]
    return total


def cross(band: NDArray[np.int8], who: Bools, values: Singles) -> tuple[Rows, float]:
    """People of each band among the others and among ``who`` (2, 4), and the sum of the assessed people's values."""
    counts = np.zeros((2, 4), dtype=np.intp)
    total = _cross(band, who, values, counts)
    return counts, total
