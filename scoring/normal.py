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


_STEPS = 64
_EDGE = 9
_GRID = np.arange(-_EDGE * _STEPS, _EDGE * _STEPS + 1) / _STEPS
_CDF: Floats = np.ascontiguousarray(cdf(_GRID))
_PDF: Floats = np.ascontiguousarray(pdf(_GRID))


@numba.njit(cache=True, nogil=True, inline="always")
def _phi(x: float, cdf_at: Floats, pdf_at: Floats) -> float:  # pragma: no cover
    """Phi by its second-order Taylor series around the nearest of the grid points, 1/64 apart.

    The remainder is max|phi''|/6 * (1/128)^3 <= 0.4/6 * 4.8e-7 < 4e-8; beyond +-9 Phi is 0 or 1 within 2e-19.
    """
    if x >= _EDGE:
        return 1.0
    if x <= -_EDGE:
        return 0.0
    index = math.floor(x * _STEPS + 0.5) + _EDGE * _STEPS
    near = index / _STEPS - _EDGE
    d = x - near
    return float(cdf_at[index] + pdf_at[index] * d * (1.0 - 0.5 * near * d))


@numba.njit(cache=True, nogil=True)
def _joint(
    z: Floats, eased: Floats, rho: float, nodes: Floats, weights: Floats, cdf_at: Floats, pdf_at: Floats, out: Floats
) -> None:  # pragma: no cover
    """out[:, 0]: P_all of z (N, K). out[:, 1 + j]: the same with skill j's z replaced by eased[:, j] (K_e columns)."""
    root, scale = math.sqrt(rho), 1.0 / math.sqrt(1.0 - rho)
    people, skills = z.shape
    variants = eased.shape[1]
    for i in range(people):
        for n in range(nodes.size):
            shift = root * nodes[n]
            product = weights[n]
            for k in range(skills):
                product *= _phi((z[i, k] + shift) * scale, cdf_at, pdf_at)
                if variants == 0 and product < 1e-13:
                    break
            out[i, 0] += product
            for j in range(variants):
                product = weights[n] * _phi((eased[i, j] + shift) * scale, cdf_at, pdf_at)
                for k in range(skills):
                    if product < 1e-13:
                        break
                    if k != j:
                        product *= _phi((z[i, k] + shift) * scale, cdf_at, pdf_at)
                out[i, 1 + j] += product


def _run(z: Floats, eased: Floats, correlation: float) -> Floats:
    out: Floats = np.zeros((z.shape[0], 1 + eased.shape[1]))
    heavy = WEIGHTS > 1e-12  # the rest adds less than 1e-10 in all
    arguments = (np.ascontiguousarray(z, dtype=np.float64), np.ascontiguousarray(eased, dtype=np.float64), correlation)
    _joint(*arguments, NODES[heavy], WEIGHTS[heavy], _CDF, _PDF, out)
    return out


def joint(z: Floats, correlation: float) -> Floats:
    """P_all for many people, z of shape (N, K) -> (N,), within 1e-6. One for K = 0: then nothing can be missing."""
    if not z.shape[1]:
        return np.ones(z.shape[0])
    out: Floats = np.minimum(_run(z, z[:, :0], correlation)[:, 0], 1.0)
    return out


def joint_eased(z: Floats, eased: Floats, correlation: float) -> tuple[Floats, Floats]:
    """P_all of z (N, K), and of z with one column at a time replaced by that of ``eased`` (N, K): (N,) and (N, K)."""
    out = np.minimum(_run(z, eased, correlation), 1.0)
    return out[:, 0], out[:, 1:]
