"""The normal curve, and the compiled loop that asks whether somebody meets every essential.

P_all = integral of phi(g) * product over essentials of Phi((z + sqrt(rho)*g)/sqrt(1 - rho)) dg

by 41-point Gauss-Hermite quadrature, rho being the correlation of one person's residuals across skills.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from scipy.special import ndtr

from scoring.checks import Floats

_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
NODES: Floats = np.ascontiguousarray(_POINTS)
WEIGHTS: Floats = np.ascontiguousarray(_WEIGHTS / _WEIGHTS.sum())


def cdf(z: Floats) -> Floats:
    """Phi(z), elementwise."""
    out: Floats = np.asarray(ndtr(z), dtype=np.float64)
    return out


def pdf(z: Floats) -> Floats:
    """phi(z), elementwise."""
    out: Floats = np.exp(-0.5 * np.square(z)) / math.sqrt(2.0 * math.pi)
    return out


def conditional(z: Floats, correlation: float) -> Floats:
    """P(meets | shared factor g), shape z.shape + (41,): Phi((z + sqrt(rho)*g)/sqrt(1 - rho)) at the nodes."""
    return cdf((z[..., None] + math.sqrt(correlation) * NODES) / math.sqrt(1.0 - correlation))


def joint_plain(z: Floats, correlation: float) -> Floats:
    """P_all as the formula reads, z of shape (N, K) -> (N,). The oracle of the compiled loop, and fine for few rows."""
    out: Floats = conditional(z, correlation).prod(axis=-2) @ WEIGHTS
    return out


@numba.njit(cache=True, nogil=True, fastmath=False)
def _joint(z: Floats, rho: float, nodes: Floats, weights: Floats, out: Floats) -> None:  # pragma: no cover
    root, scale = math.sqrt(rho), 1.0 / math.sqrt(2.0 * (1.0 - rho))
    people, skills = z.shape
    for i in range(people):
        total = 0.0
        for n in range(nodes.size):
            product = weights[n]
            for k in range(skills):
                product *= 0.5 * math.erfc(-(z[i, k] + root * nodes[n]) * scale)
                if product < 1e-12:
                    break
            total += product
        out[i] = total


def joint(z: Floats, correlation: float) -> Floats:
    """P_all for many people, z of shape (N, K) -> (N,). One for K = 0: nothing is essential, so nothing is missing."""
    out: Floats = np.ones(z.shape[0])
    if z.shape[1]:
        _joint(np.ascontiguousarray(z, dtype=np.float64), correlation, NODES, WEIGHTS, out)
    return out
