"""One pass over everybody, as fast as memory delivers: bounds of fit and of P_all by which a ranking is cut short.

Phi is an odd polynomial of degree 17 on [-4.2, 4.2], held constant beyond:

    Phi(z) = 1/2 + z * sum(c_k * z^(2k)),   k = 0 .. 8

fitted by Lawson's iteration to the smallest largest error. In float32 it lies within 1.4e-5 of Phi everywhere
(``PHI_ERROR`` rounds up; the tests walk a dense grid).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from scoring.checks import Bools
from scoring.fit import Prepared

EDGE = 4.2
PHI_ERROR = 3e-5
COEFFICIENTS = np.array(
    [
        0.398907438,
        -0.0663603717,
        0.00983013059,
        -0.00111414807,
        9.45744128e-05,
        -5.76077094e-06,
        2.34367516e-07,
        -5.63332094e-09,
        5.99807263e-11,
    ],
    dtype=np.float32,
)
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8 = (np.float32(c) for c in COEFFICIENTS)
_ZERO, _HALF, _TOP, _NAN = np.float32(0.0), np.float32(0.5), np.float32(EDGE), np.float32("nan")
_BLOCK = 2048
"""People a block: its three rows of results stay in the first-level cache while the columns stream by."""
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pass:
    """Of each person (N,): the fit F, bounds ``low`` <= P_all <= ``high``, and whether any requirement is assessed.

    For rho >= 0 the product of the essentials' probabilities bounds P_all from below (Slepian), the smallest of them
    from above. F and the bounds are within ``len(requirements) * PHI_ERROR`` of exact; without essentials both are 1.
    F is NaN where an estimate is none: not finite, or an sd that is not above 0.
    """

    fit: Singles
    low: Singles
    high: Singles
    known: Bools


def phi(z: Singles) -> Singles:
    """Phi by the polynomial, elementwise, as the pass computes it."""
    out, fit = np.empty_like(z), np.zeros_like(z)
    one = np.float32(1.0)
    _column(z, np.ones_like(z), np.float32(0.0), np.float32(0.0), one, out, fit)
    return out


def one_pass(mean: Singles, sd: Singles, assessed: Bools, role: Prepared) -> Pass:
    """Everybody against one role, ``mean``, ``sd`` and ``assessed`` skill-major (S, N)."""
    people = mean.shape[1]
    fit, low, high = (np.empty(people, dtype=np.float32) for _ in range(3))
    known = np.empty(people, dtype=np.bool_)
    _pass(
        mean,
        sd,
        assessed,
        role.skill,
        role.level.astype(np.float32),
        role.variance.astype(np.float32),
        role.weight.astype(np.float32),
        role.essential,
        fit,
        low,
        high,
        known,
    )
    return Pass(fit, low, high, known)


@numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def _pass(
    mean: Singles,
    sd: Singles,
    assessed: Bools,
    skill: NDArray[np.intp],
    level: Singles,
    variance: Singles,
    weight: Singles,
    essential: Bools,
    fit: Singles,
    low: Singles,
    high: Singles,
    known: Bools,
) -> None:  # pragma: no cover
    p = np.empty(_BLOCK, dtype=np.float32)
    for start in range(0, fit.size, _BLOCK):
        f, lo, hi = fit[start : start + _BLOCK], low[start : start + _BLOCK], high[start : start + _BLOCK]
        seen = known[start : start + _BLOCK]
        f[:] = 0.0
        lo[:] = 1.0
        hi[:] = 1.0
        seen[:] = False
        for k in range(skill.size):
            means, sds = mean[skill[k], start : start + _BLOCK], sd[skill[k], start : start + _BLOCK]
            _column(means, sds, level[k], variance[k], weight[k], p, f)
            _either(assessed[skill[k], start : start + _BLOCK], seen)
            if essential[k]:
                _bound(p, lo, hi)


# One short loop each, over arrays that begin at 0: only so does the compiler work on eight or sixteen people at once.
@numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def _column(
    mean: Singles, sd: Singles, level: Any, variance: Any, weight: Any, p: Singles, fit: Singles
) -> None:  # pragma: no cover
    """p[i] = Phi((mean - level)/v), fit[i] += weight*p[i]; NaN where an estimate is none."""
    for i in range(fit.size):
        m, s = mean[i], sd[i]
        z = (m - level) / math.sqrt(s * s + variance)
        z = _TOP if z > _TOP else z
        z = -_TOP if z < -_TOP else z
        t = z * z
        q = _C7 + t * _C8
        q = _C6 + t * q
        q = _C5 + t * q
        q = _C4 + t * q
        q = _C3 + t * q
        q = _C2 + t * q
        q = _C1 + t * q
        q = _C0 + t * q
        q = _HALF + z * q
        p[i] = q
        # Bounds hide what is not finite, F must not.
        fit[i] += weight * q + ((m - m) + (s - s) if s > _ZERO else _NAN)


@numba.njit(cache=True, nogil=True)
def _bound(p: Singles, low: Singles, high: Singles) -> None:  # pragma: no cover
    for i in range(low.size):
        low[i] *= p[i]
        high[i] = p[i] if p[i] < high[i] else high[i]


@numba.njit(cache=True, nogil=True)
def _either(one: Bools, both: Bools) -> None:  # pragma: no cover
    for i in range(both.size):
        both[i] |= one[i]
