"""How ready an initiative is: covered shares of many demands, with what chance may make of them (measurement.md 4).

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

from scoring import checks, normal, teams
from scoring.checks import Floats
from scoring.fit import CORRELATION

READY = 0.80
"""The line of readiness: an initiative is ready when the whole 80 % interval of its covered share lies on or above."""
DRAWS = 1_000
Drawn = NDArray[np.int32]


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


class Draws:
    """D demands, with what each covers in each draw of everybody's levels: ``met`` (D, draws), min(N, X).

    A person's residual in a skill is sqrt(rho)*g + sqrt(1 - rho)*e: g is shared by all their skills, e belongs to the
    skill and is the same in every demand that asks for it. They meet a demand when z + residual >= 0. Both are normal
    numbers that depend on the seed, the person, the skill and the draw alone, and not on who else is there. So after a
    change only the demands that changed are drawn again (``replace``).

    Parameters
    ----------
    known : what was drawn before with the same seed, draws and correlation, by what a demand holds (``known``); it is
        not drawn again. What several machines have drawn (``draw``) may be put together.

    Raises
    ------
    ValueError : a demand for fewer than one person; NaN or infinity; members and z of different lengths; a correlation
        outside [0, 1); fewer than 10 draws.
    """

    def __init__(
        self,
        demands: Sequence[Demand],
        *,
        seed: int,
        draws: int = DRAWS,
        correlation: float = CORRELATION,
        known: dict[bytes, Drawn] | None = None,
    ):
        if draws < 10:
            raise ValueError(f"An interval needs at least 10 draws, not {draws!r}.")
        self.rho = checks.fraction("The correlation", correlation)
        self.seed, self.demands = seed, list(demands)
        _check(self.demands)
        self.met: Drawn = np.empty((len(self.demands), draws), dtype=np.int32)
        self.covered, self.needed = np.empty(len(self.demands)), np.empty(len(self.demands))
        before = known or {}
        for n, one in enumerate(self.demands):
            self._put(n, one, before.get(_key(one)) if before else None)

    def replace(self, n: int, demand: Demand) -> None:
        """Another demand in the place of the n-th."""
        _check([demand])
        self._put(n, demand, None)

    def _put(self, n: int, one: Demand, met: Drawn | None) -> None:
        self.demands[n] = one
        self.covered[n] = teams.covered(normal.cdf(np.asarray(one.z, dtype=np.float64)), one.people)
        self.needed[n] = one.people
        if met is None:
            members, z = np.asarray(one.members, dtype=np.int64), np.asarray(one.z, dtype=np.float64)
            _meet(np.uint64(self.seed), self.rho, members, z, one.skill, one.people, _NORMALS, self.met[n])
        else:
            self.met[n] = met

    def known(self) -> dict[bytes, Drawn]:
        """What was drawn, by what a demand holds."""
        return {_key(one): self.met[n] for n, one in enumerate(self.demands)}

    def readiness(self, weights: Any) -> list[Readiness]:
        """Covered shares of groups of demands, exact, each with its 80 % interval.

        ``weights`` (G, D), 0 or more: how much of each demand counts in each group (initiatives, functions, the whole).
        A group's answer hangs on its own weights alone.

        Raises
        ------
        ValueError : a negative weight; NaN or infinity; another number of demands.
        """
        w = checks.array("Weights", weights)
        checks.same_shape("Weights and demands", w.shape[1:], self.needed.shape)
        if w.size and w.min() < 0:
            raise ValueError(f"A weight must not be negative, and is {w.min():g}.")
        if not len(w):
            return []
        sums = np.zeros((len(w), self.met.shape[1]))
        _sums(w, self.met, sums)
        low, high = np.quantile(sums, [0.1, 0.9], axis=1)
        return [
            _ready(float(one @ self.covered), float(one @ self.needed), *bounds)
            for one, *bounds in zip(w, low, high, strict=True)
        ]


def readiness(demands: Sequence[Demand], *, weights: Any = None, **options: Any) -> list[Readiness]:
    """``Draws(demands, **options).readiness(weights)``; None means one group with all of them."""
    return Draws(demands, **options).readiness(np.ones((1, len(demands))) if weights is None else weights)


def draw(demands: Sequence[Demand], **options: Any) -> dict[bytes, Drawn]:
    """min(N, X) of each demand in each draw (draws,), by what the demand holds, as ``Draws`` takes it for ``known``."""
    return Draws(demands, **options).known()


@numba.njit(cache=True, nogil=True)
def _sums(weights: Floats, met: Drawn, sums: Floats) -> None:  # pragma: no cover
    """Sum of weight * min(N, X) of each group in each draw: most weights are 0."""
    for g in range(weights.shape[0]):
        for d in range(weights.shape[1]):
            w = weights[g, d]
            if w != 0.0:
                for n in range(met.shape[1]):
                    sums[g, n] += w * met[d, n]


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


def _key(one: Demand) -> bytes:
    """What a demand's draws depend on."""
    asked = b"%d %d %d " % (one.people, one.skill, len(one.members))
    members, z = np.asarray(one.members, dtype=np.int64).tobytes(), np.asarray(one.z, dtype=np.float64).tobytes()
    return hashlib.blake2b(asked + members + z, digest_size=16).digest()


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
