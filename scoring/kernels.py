"""Everybody against one role or many, as fast as memory delivers: bounds by which a ranking is cut short, and P_all.

The loops are in ``loops``; here is what they are given, and what their answers mean.

P_all takes 7 Gauss-Hermite nodes for up to three essentials (within 3.5e-5 of the 41), 9 for up to five and 17 for
up to twenty (within 2e-5; the worst case is all deviations equal, which the tests walk), and with Phi's error within
``joint_error``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import loops
from scoring.checks import Bools, Floats, Rows, Singles
from scoring.fit import CORRELATION, Prepared
from scoring.loops import PHI_ERROR

NODES = ((7, 3), (9, 5), (17, 20), (41, 1 << 30))
"""Gauss-Hermite nodes, and for how many essentials they are enough."""
_NOBODY: Bools = np.zeros(0, dtype=np.bool_)
"""In the place of ``present`` where nobody is left out."""


def joint_error(essentials: int) -> float:
    """How far P_all of ``everybody`` lies from exact at most: below 1e-4 for up to five essentials."""
    return essentials * PHI_ERROR + (3.5e-5 if essentials <= 3 else 2e-5)


def phi(z: Singles) -> Singles:
    """Phi by the polynomial, elementwise, as the loops compute it."""
    out = np.empty_like(z)
    loops.column(z, np.ones_like(z), np.float32(0.0), np.float32(0.0), out)
    return out


def contenders(
    mean: Singles, inverse: Singles, assessed: Bools, role: Prepared, top: int, present: Bools | None = None
) -> Rows | None:
    """People of whom the ``top`` best are some, ascending; None where an estimate is none, or fewer are assessed.

    For rho >= 0 the product of the essentials' probabilities bounds P_all from below (Slepian), the smallest of them
    from above; without essentials F itself decides. Whoever cannot reach the ``top``-th best lower bound is left out.
    ``present`` (N,) leaves people out.
    """
    slack = np.float32(2 * len(role.skill) * PHI_ERROR)
    present = _NOBODY if present is None else present
    rows, reach, edge = loops.contenders(mean, inverse, assessed, present, _lines(role), top, slack)
    if edge < 0:
        return None
    found: Rows = rows[reach >= edge - slack]
    return found


def _lines(role: Prepared) -> tuple[Rows, Singles, Singles, Singles, Bools]:
    level, variance, weight = (one.astype(np.float32) for one in (role.level, role.variance, role.weight))
    return role.skill, level, variance, weight, role.essential


@cache
def _rule(essentials: int) -> tuple[Singles, Singles, np.float32]:
    """Shifts sqrt(rho)*g and weights of the nodes that are enough for so many essentials, and 1/sqrt(1 - rho)."""
    nodes = next(count for count, most in NODES if essentials <= most)
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    shift, scale = math.sqrt(CORRELATION) * points, np.float32(1.0 / math.sqrt(1.0 - CORRELATION))
    return shift.astype(np.float32), (weights / weights.sum()).astype(np.float32), scale


@dataclass(frozen=True, slots=True)
class Everybody:
    """Of each person (N,): F within K*PHI_ERROR, and P_all within ``joint_error``: ``chances`` (1 or 1 + E, N) over all
    essentials, then with one at a time at its eased level; ``judged`` over the assessed ones alone; whether any
    requirement, and whether every essential, is assessed.

    F is NaN where an estimate is none.
    """

    fit: Singles
    chances: Singles
    judged: Singles
    known: Bools
    complete: Bools

    @property
    def joint(self) -> Singles:
        first: Singles = self.chances[0]
        return first

    def of(self, index: Any) -> Everybody:
        """The same of some people."""
        one_run = isinstance(index, slice)
        chances = np.ascontiguousarray(self.chances[:, index]) if one_run else self.chances.take(index, axis=1)
        return Everybody(self.fit[index], chances, self.judged[index], self.known[index], self.complete[index])


def everybody(
    mean: Singles, inverse: Singles, assessed: Bools, role: Prepared, eased: Floats | None = None
) -> Everybody:
    """F and P_all of everybody, skill-major arrays (S, N); and P_all at the ``eased`` levels (K,) of the essentials."""
    people = mean.shape[1]
    fit, judged = np.empty(people, dtype=np.float32), np.empty(people, dtype=np.float32)
    known, complete = np.empty(people, dtype=np.bool_), np.empty(people, dtype=np.bool_)
    lines = _lines(role)
    loops.fits(mean, inverse, assessed, lines, fit, known)
    essentials, must = _only(lines, role.essential), role.essential
    levels = np.zeros(0, dtype=np.float32) if eased is None else eased[must].astype(np.float32)
    chances = np.empty((1 + len(levels), people), dtype=np.float32)
    rule = _rule(len(essentials[0]))
    loops.joints(mean, inverse, assessed, essentials, levels, *rule, chances, judged, complete)
    np.minimum(chances, np.float32(1.0), out=chances)
    return Everybody(fit, chances, np.minimum(judged, np.float32(1.0)), known, complete)


def _only(lines: Any, chosen: Bools) -> Any:
    return tuple(np.ascontiguousarray(one[chosen]) for one in lines)


def gains(mean: Singles, inverse: Singles, known: Bools, role: Prepared, eased: Floats) -> Floats:
    """Sum over the ``known`` people of how much P of each requirement rises at its ``eased`` level (K,)."""
    out: Floats = np.zeros(len(role.skill))
    loops.gains(mean, inverse, known, _lines(role), eased.astype(np.float32), out)
    return out


class Kept:
    """What one pass over everybody leaves behind, by which a role with one requirement changed is ranked again."""

    def __init__(self, mean: Singles, inverse: Singles, assessed: Bools, role: Prepared, present: Bools | None = None):
        self.mean, self.inverse, self.assessed, self.role = mean, inverse, assessed, role
        self.present = _NOBODY if present is None else present
        shape = int(role.essential.sum()) + 1, mean.shape[1]
        self.fit = np.empty(shape[1], dtype=np.float32)
        self.low, self.high = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
        loops.others(mean, inverse, _lines(role), self.fit, self.low, self.high)

    def contenders(self, changed: Prepared, k: int, top: int) -> Rows | None:
        """``contenders`` for a role that differs from the kept one in requirement ``k`` alone."""
        share = changed.weight.sum() - changed.weight[k]
        # Weights sum to 1 in either role; those of the kept one are stretched so that only requirement k differs.
        stretch = (1.0 - self.role.weight[k]) / share if share > 0 else 1.0
        new, old = self._line(changed, k, stretch), self._line(self.role, k, 1.0)
        row = int(self.role.essential[:k].sum()) if self.role.essential[k] else -1
        slack = np.float32((2 * len(changed.skill) + 4) * PHI_ERROR * max(1.0, new[2]))
        skill = changed.skill[k]
        rows, reach, edge = loops.changed(
            self.mean[skill],
            self.inverse[skill],
            self.assessed,
            self.present,
            changed.skill,
            old[:3],
            new,
            self.fit,
            self.low[row],
            self.high[row],
            bool(changed.essential.any()),
            top,
            slack,
        )
        if edge < 0:
            return None
        found: Rows = rows[reach >= edge - slack]
        return found

    @staticmethod
    def _line(role: Prepared, k: int, stretch: float) -> Any:
        level, variance = np.float32(role.level[k]), np.float32(role.variance[k])
        return level, variance, np.float32(role.weight[k] * stretch), bool(role.essential[k])


def contenders_of_many(
    mean: Singles, inverse: Singles, assessed: Bools, roles: list[Prepared], top: int, present: Bools | None = None
) -> list[Rows | None]:
    """``contenders`` of each role, in one pass over everybody; None also where they would be too many to keep."""
    distinct, lines = _distinct(roles)
    room = min(mean.shape[1] + loops.ROOM, max(1 << 15, 4 * top + 2 * loops.ROOM))
    rows, n = loops.many(mean, inverse, assessed, _NOBODY if present is None else present, distinct, lines, top, room)
    return [rows[r, : n[r]].copy() if n[r] >= 0 else None for r in range(len(roles))]


def _distinct(roles: list[Prepared]) -> tuple[Any, Any]:
    """(skill, level, variance) of distinct requirements, and the roles' lines as (edges, which, weight, essential)."""
    every = [np.stack([one.skill, one.level, one.variance], axis=1) for one in roles]
    pairs, which = np.unique(np.concatenate(every), axis=0, return_inverse=True)
    edges = np.cumsum([0, *(len(one.skill) for one in roles)])
    weight = np.concatenate([one.weight for one in roles]).astype(np.float32)
    essential = np.concatenate([one.essential for one in roles])
    distinct = pairs[:, 0].astype(np.intp), pairs[:, 1].astype(np.float32), pairs[:, 2].astype(np.float32)
    return distinct, (edges, which.reshape(-1).astype(np.intp), weight, essential)


def best_roles(
    mean: Singles, inverse: Singles, assessed: Bools, roles: list[Prepared], top: int
) -> tuple[NDArray[np.int32], Singles, Singles]:
    """Of each person the ``top`` roles by P_all, then F: numbers of roles (N, top), -1 where none follows; P_all; F.

    P_all and F are those of ``everybody``. A role of which nothing is assessed is none.
    """
    distinct, lines = _distinct(roles)
    shape = mean.shape[1], top
    best = np.full(shape, -1, dtype=np.int32)
    joint, fits = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    rule = _rule(max(int(one.essential.sum()) for one in roles))
    loops.best_roles(mean, inverse, assessed, distinct, lines, *rule, best, joint, fits)
    return best, joint, fits
