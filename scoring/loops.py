"""The compiled loops behind ``kernels``, in one file (docs/decisions/0010).

numba keeps a compiled loop until the file of that loop changes, and compiles into it what it calls: were they in
several files, one that calls another would not notice that the other has changed. For the same reason no number is
read here that another file defines.

Phi is an odd polynomial of degree 17 on [-4.2, 4.2], held constant beyond:

    Phi(z) = 1/2 + z * sum(c_k * z^(2k)),   k = 0 .. 8

fitted by Lawson's iteration to the smallest largest error. In float32 it lies within 1.4e-5 of Phi everywhere
(``PHI_ERROR`` rounds up; the tests walk a dense grid).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from scoring.checks import Bools, Floats, Rows, Singles

EDGE = 4.2
PHI_ERROR = 1.5e-5
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
_ZERO, _HALF, _ONE, _TOP = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(EDGE)
_BLOCK, _FIRST, ROOM = 16_384, 512, 512
"""People a block: its rows of results stay in the second-level cache while long runs of columns stream by."""
_SLACK = np.float32(1e-4)
"""More than P_all may be off."""
_LONG, _SHORT = 4096, 256
Loop = TypeVar("Loop", bound=Callable[..., Any])


def loop(function: Loop) -> Loop:
    """Compile, once and for all processes; what is compiled must call nothing of another file."""
    return cast(Loop, numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")(function))


# One short loop each, over arrays that begin at 0: only so does the compiler work on eight or sixteen people at once.
@loop
def _phi(z: Any) -> Any:  # pragma: no cover
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
    return _HALF + z * q


@loop
def _deviation(mean: Any, inverse: Any, level: Any, variance: Any) -> Any:  # pragma: no cover
    """(mean - level)/sqrt(sd^2 + variance)."""
    return (mean - level) * inverse / math.sqrt(_ONE + variance * inverse * inverse)


@loop
def column(mean: Singles, inverse: Singles, level: Any, variance: Any, p: Singles) -> None:  # pragma: no cover
    if variance > _ZERO:
        for i in range(p.size):
            p[i] = _phi(_deviation(mean[i], inverse[i], level, variance))
    else:
        for i in range(p.size):
            p[i] = _phi((mean[i] - level) * inverse[i])


@loop
def _add(p: Singles, weight: Any, fit: Singles) -> None:  # pragma: no cover
    for i in range(fit.size):
        fit[i] += weight * p[i]


@loop
def _plain(mean: Singles, inverse: Singles, lines: Any, k: int, start: int, stop: int) -> Any:  # pragma: no cover
    """What F takes from a requirement whose level is certain."""
    skill, level, weight = lines[0][k], lines[1][k], lines[3][k]
    return mean[skill, start:stop], inverse[skill, start:stop], level, weight


@loop
def _add_four(a: Any, b: Any, c: Any, d: Any, fit: Singles) -> None:  # pragma: no cover
    """Four columns at once keep memory busy."""
    (m1, s1, r1, w1), (m2, s2, r2, w2), (m3, s3, r3, w3), (m4, s4, r4, w4) = a, b, c, d
    for i in range(fit.size):
        first = w1 * _phi((m1[i] - r1) * s1[i]) + w2 * _phi((m2[i] - r2) * s2[i])
        fit[i] += first + (w3 * _phi((m3[i] - r3) * s3[i]) + w4 * _phi((m4[i] - r4) * s4[i]))


@loop
def _bound(p: Singles, low: Singles, high: Singles) -> None:  # pragma: no cover
    for i in range(low.size):
        low[i] *= p[i]
        high[i] = p[i] if p[i] < high[i] else high[i]


@loop
def _reaching(fit: Singles, high: Singles, edge: Any) -> int:  # pragma: no cover
    """How many of a block reach the edge, or are not a number."""
    n = 0
    for i in range(high.size):
        n += (high[i] >= edge) | (fit[i] != fit[i])
    return n


@loop
def _block(
    mean: Singles,
    inverse: Singles,
    lines: Any,
    start: int,
    p: Singles,
    fit: Singles,
    low: Singles,
    high: Singles,
) -> None:  # pragma: no cover
    """F of the people from ``start``, and Pi P <= P_all <= min P of the essentials, within K*PHI_ERROR."""
    skill, level, variance, weight, essential = lines
    stop = start + fit.size
    fit[:] = _ZERO
    low[:] = _ONE
    high[:] = _ONE
    plain = np.empty(skill.size, dtype=np.intp)
    n = 0
    for k in range(skill.size):
        if not essential[k] and not variance[k] > _ZERO:
            plain[n] = k
            n += 1
            continue
        column(mean[skill[k], start:stop], inverse[skill[k], start:stop], level[k], variance[k], p)
        _add(p, weight[k], fit)
        if essential[k]:
            _bound(p, low, high)
    for j in range(0, n - n % 4, 4):
        _add_four(
            _plain(mean, inverse, lines, plain[j], start, stop),
            _plain(mean, inverse, lines, plain[j + 1], start, stop),
            _plain(mean, inverse, lines, plain[j + 2], start, stop),
            _plain(mean, inverse, lines, plain[j + 3], start, stop),
            fit,
        )
    for k in plain[n - n % 4 : n]:
        column(mean[skill[k], start:stop], inverse[skill[k], start:stop], level[k], variance[k], p)
        _add(p, weight[k], fit)


@loop
def _replace_smallest(heap: Singles, value: Any) -> None:  # pragma: no cover
    """Put ``value`` in the place of the smallest, heap[0], of a binary heap."""
    at = 0
    while 2 * at + 1 < heap.size:
        child = 2 * at + 1
        if child + 1 < heap.size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@loop
def _keep(
    assessed: Bools,
    skill: Rows,
    present: Bools,
    start: int,
    fit: Singles,
    low: Singles,
    high: Singles,
    slack: Any,
    heap: Singles,
    rows: Rows,
    reach: Singles,
    n: int,
) -> int:  # pragma: no cover
    """Append those of a block who may be among the best, n of them so far; -1 when somebody is not a number."""
    if _reaching(fit, high, heap[0] - slack) == 0:
        return n
    for i in range(fit.size):
        if fit[i] != fit[i]:
            return -1
        if high[i] < heap[0] - slack:
            continue
        if present.size and not present[start + i]:
            continue
        known = False
        for k in range(skill.size):
            known |= assessed[skill[k], start + i]
        if known:
            rows[n], reach[n] = start + i, high[i]
            n += 1
            if low[i] > heap[0]:
                _replace_smallest(heap, low[i])
    return n


@loop
def contenders(
    mean: Singles, inverse: Singles, assessed: Bools, present: Bools, lines: Any, top: int, slack: Any
) -> Any:  # pragma: no cover
    people = mean.shape[1]
    heap = np.full(top, -_ONE, dtype=np.float32)
    rows, reach = np.empty(people, dtype=np.intp), np.empty(people, dtype=np.float32)
    rooms = np.empty((4, _BLOCK), dtype=np.float32)
    bounded = lines[4].any()
    n = start = 0
    while start < people:
        # Short blocks at first: they raise the edge before many people have been kept below it.
        size = min(_BLOCK, people - start, max(_FIRST, start))
        p, fit, low, high = rooms[0, :size], rooms[1, :size], rooms[2, :size], rooms[3, :size]
        _block(mean, inverse, lines, start, p, fit, low, high)
        if not bounded:
            low = high = fit
        n = _keep(assessed, lines[0], present, start, fit, low, high, slack, heap, rows, reach, n)
        if n < 0:
            return rows[:0], reach[:0], -_ONE
        start += size
    return rows[:n], reach[:n], heap[0]


@loop
def _deviations(mean: Singles, inverse: Singles, level: Any, variance: Any, z: Singles) -> None:  # pragma: no cover
    if variance > _ZERO:
        for i in range(z.size):
            z[i] = _deviation(mean[i], inverse[i], level, variance)
    else:
        for i in range(z.size):
            z[i] = (mean[i] - level) * inverse[i]


@loop
def _given(z: Singles, shift: Any, scale: Any, out: Singles) -> None:  # pragma: no cover
    """P(meets | shared factor)."""
    for i in range(out.size):
        out[i] = _phi((z[i] + shift) * scale)


@loop
def _times(p: Singles, assessed: Bools, product: Singles, judged: Singles) -> None:  # pragma: no cover
    for i in range(product.size):
        product[i] *= p[i]
        judged[i] *= p[i] if assessed[i] else _ONE


@loop
def _multiply(p: Singles, product: Singles) -> None:  # pragma: no cover
    for i in range(product.size):
        product[i] *= p[i]


@loop
def _either(one: Bools, both: Bools) -> None:  # pragma: no cover
    for i in range(both.size):
        both[i] |= one[i]


@loop
def _both(one: Bools, both: Bools) -> None:  # pragma: no cover
    for i in range(both.size):
        both[i] &= one[i]


@loop
def fits(
    mean: Singles, inverse: Singles, assessed: Bools, lines: Any, fit: Singles, known: Bools
) -> None:  # pragma: no cover
    rooms = np.empty((3, _BLOCK), dtype=np.float32)
    for start in range(0, fit.size, _BLOCK):
        size = min(_BLOCK, fit.size - start)
        p, low, high = rooms[0, :size], rooms[1, :size], rooms[2, :size]
        _block(mean, inverse, lines, start, p, fit[start : start + size], low, high)
        known[start : start + size] = False
        for k in range(lines[0].size):
            _either(assessed[lines[0][k], start : start + size], known[start : start + size])


@loop
def joints(
    mean: Singles,
    inverse: Singles,
    assessed: Bools,
    lines: Any,
    eased: Singles,
    shifts: Singles,
    weights: Singles,
    scale: Any,
    chances: Singles,
    judged: Singles,
    complete: Bools,
) -> None:  # pragma: no cover
    """chances[0]: P_all; chances[1 + j]: with essential j at its eased level, where ``eased`` are given."""
    skill, level, variance = lines[0], lines[1], lines[2]
    z, more = np.empty((skill.size, ROOM), dtype=np.float32), np.empty((eased.size, ROOM), dtype=np.float32)
    p, rooms = np.empty((skill.size, ROOM), dtype=np.float32), np.empty((2, ROOM), dtype=np.float32)
    for start in range(0, judged.size, ROOM):
        stop = min(start + ROOM, judged.size)
        size = stop - start
        chances[:, start:stop] = _ZERO
        judged[start:stop] = _ZERO
        complete[start:stop] = True
        for k in range(skill.size):
            m, s = mean[skill[k], start:stop], inverse[skill[k], start:stop]
            _deviations(m, s, level[k], variance[k], z[k, :size])
            if eased.size:
                _deviations(m, s, eased[k], variance[k], more[k, :size])
            _both(assessed[skill[k], start:stop], complete[start:stop])
        product, part = rooms[0, :size], rooms[1, :size]
        for n in range(shifts.size):
            product[:] = _ONE
            part[:] = _ONE
            for k in range(skill.size):
                _given(z[k, :size], shifts[n], scale, p[k, :size])
                _times(p[k, :size], assessed[skill[k], start:stop], product, part)
            _add(product, weights[n], chances[0, start:stop])
            _add(part, weights[n], judged[start:stop])
            for j in range(eased.size):
                _given(more[j, :size], shifts[n], scale, product)
                for k in range(skill.size):
                    if k != j:
                        _multiply(p[k, :size], product)
                _add(product, weights[n], chances[1 + j, start:stop])


# What easing one requirement at a time would change.
@loop
def _gain(
    mean: Singles, inverse: Singles, level: Any, eased: Any, variance: Any, known: Bools, out: Singles
) -> None:  # pragma: no cover
    for i in range(out.size):
        more = _phi(_deviation(mean[i], inverse[i], eased, variance))
        out[i] = more - _phi(_deviation(mean[i], inverse[i], level, variance)) if known[i] else _ZERO


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})  # in any order: only so eight at a time
def _sum(values: Singles) -> float:  # pragma: no cover
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@loop
def gains(
    mean: Singles, inverse: Singles, known: Bools, lines: Any, eased: Singles, gains: Floats
) -> None:  # pragma: no cover
    skill, level, variance = lines[0], lines[1], lines[2]
    room = np.empty(_BLOCK, dtype=np.float32)
    for start in range(0, known.size, _BLOCK):
        stop = min(start + _BLOCK, known.size)
        for k in range(skill.size):
            m, s = mean[skill[k], start:stop], inverse[skill[k], start:stop]
            _gain(m, s, level[k], eased[k], variance[k], known[start:stop], room[: stop - start])
            gains[k] += _sum(room[: stop - start])


@loop
def others(
    mean: Singles, inverse: Singles, lines: Any, fit: Singles, low: Singles, high: Singles
) -> None:  # pragma: no cover
    """F of everybody, and the bounds of P_all (E + 1, N) without essential e, in the last row with all of them."""
    skill, level, variance, weight, essential = lines
    room = np.empty(_LONG, dtype=np.float32)
    for start in range(0, fit.size, _LONG):
        stop = min(start + _LONG, fit.size)
        p = room[: stop - start]
        fit[start:stop] = _ZERO
        low[:, start:stop] = _ONE
        high[:, start:stop] = _ONE
        e = 0
        for k in range(skill.size):
            column(mean[skill[k], start:stop], inverse[skill[k], start:stop], level[k], variance[k], p)
            _add(p, weight[k], fit[start:stop])
            if essential[k]:
                for row in range(len(low)):
                    if row != e:
                        _bound(p, low[row, start:stop], high[row, start:stop])
                e += 1


@loop
def _bounds_reach(
    mean: Singles, inverse: Singles, level: Any, variance: Any, high: Singles, edge: Any
) -> int:  # pragma: no cover
    n = 0
    if variance > _ZERO:
        for i in range(high.size):
            p = _phi(_deviation(mean[i], inverse[i], level, variance))
            n += ((p >= edge) & (high[i] >= edge)) | (p != p)
    else:
        for i in range(high.size):
            p = _phi((mean[i] - level) * inverse[i])
            n += ((p >= edge) & (high[i] >= edge)) | (p != p)
    return n


@loop
def changed(
    mean: Singles,
    inverse: Singles,
    assessed: Bools,
    present: Bools,
    skill: Rows,
    old: Any,
    new: Any,
    fit: Singles,
    lows: Singles,
    highs: Singles,
    bounded: bool,
    top: int,
    slack: Any,
) -> Any:  # pragma: no cover
    """``contenders`` from one column and what ``_others`` kept."""
    level, variance, weight, essential = new
    people = fit.size
    heap = np.full(top, -_ONE, dtype=np.float32)
    rows, reach = np.empty(people, dtype=np.intp), np.empty(people, dtype=np.float32)
    rooms = np.empty((3, _SHORT), dtype=np.float32)
    n = 0
    for start in range(0, people, _SHORT):
        stop = min(start + _SHORT, people)
        m, s = mean[start:stop], inverse[start:stop]
        p, low, high = rooms[0, : stop - start], rooms[1, : stop - start], rooms[2, : stop - start]
        if essential and not _bounds_reach(m, s, level, variance, highs[start:stop], heap[0] - slack):
            continue
        column(m, s, level, variance, p)
        if bounded:
            low[:] = lows[start:stop]
            high[:] = highs[start:stop]
            if essential:
                _bound(p, low, high)
        else:
            low[:] = fit[start:stop]
            _add(p, weight, low)
            column(m, s, old[0], old[1], high)
            _add(high, -old[2], low)
            high[:] = low
        n = _keep(assessed, skill, present, start, p, low, high, slack, heap, rows, reach, n)
        if n < 0:
            return rows[:0], reach[:0], -_ONE
    return rows[:n], reach[:n], heap[0]


# Everybody against many roles: each distinct requirement once a block.
@loop
def _add_rows(p: Singles, which: Rows, weight: Singles, at: int, fit: Singles) -> None:  # pragma: no cover
    """Four requirements from the one at ``at``."""
    size = fit.size
    a, b, c, d = p[which[at], :size], p[which[at + 1], :size], p[which[at + 2], :size], p[which[at + 3], :size]
    w1, w2, w3, w4 = weight[at], weight[at + 1], weight[at + 2], weight[at + 3]
    for i in range(fit.size):
        fit[i] += (w1 * a[i] + w2 * b[i]) + (w3 * c[i] + w4 * d[i])


@loop
def _role(
    p: Singles, which: Rows, weight: Singles, essential: Bools, fit: Singles, low: Singles, high: Singles
) -> None:  # pragma: no cover
    fit[:] = _ZERO
    low[:] = _ONE
    high[:] = _ONE
    fours = which.size - which.size % 4
    for k in range(0, fours, 4):
        _add_rows(p, which, weight, k, fit)
    for k in range(fours, which.size):
        _add(p[which[k], : fit.size], weight[k], fit)
    for k in range(which.size):
        if essential[k]:
            _bound(p[which[k], : fit.size], low, high)


@loop
def many(
    mean: Singles, inverse: Singles, assessed: Bools, present: Bools, distinct: Any, roles: Any, top: int, room: int
) -> Any:  # pragma: no cover
    """Of each role the contenders as in ``_contenders``; n = -1 where there is no room for them, or a bad estimate."""
    skill, level, variance = distinct
    edges, which, weight, essential = roles
    count, people = edges.size - 1, mean.shape[1]
    heap = np.full((count, top), -_ONE, dtype=np.float32)
    rows, reach = np.empty((count, room), dtype=np.intp), np.empty((count, room), dtype=np.float32)
    n = np.zeros(count, dtype=np.intp)
    p = np.empty((skill.size, ROOM), dtype=np.float32)
    rooms = np.empty((3, ROOM), dtype=np.float32)
    for start in range(0, people, ROOM):
        stop = min(start + ROOM, people)
        size = stop - start
        for u in range(skill.size):
            m, s = mean[skill[u], start:stop], inverse[skill[u], start:stop]
            column(m, s, level[u], variance[u], p[u, :size])
        fit, low, high = rooms[0, :size], rooms[1, :size], rooms[2, :size]
        for r in range(count):
            if n[r] < 0:
                continue
            a, b = edges[r], edges[r + 1]
            slack = np.float32(2 * (b - a) * PHI_ERROR)
            bounded = essential[a:b].any()
            _role(p, which[a:b], weight[a:b], essential[a:b], fit, low, high)
            if n[r] + size > room:
                n[r] = _pack(rows[r], reach[r], n[r], heap[r, 0] - slack)
            if n[r] + size > room:
                n[r] = -1
            elif bounded:
                n[r] = _keep(
                    assessed, skill[which[a:b]], present, start, fit, low, high, slack, heap[r], rows[r], reach[r], n[r]
                )
            else:
                n[r] = _keep(
                    assessed, skill[which[a:b]], present, start, fit, fit, fit, slack, heap[r], rows[r], reach[r], n[r]
                )
    for r in range(count):
        if n[r] >= 0:
            slack = np.float32(2 * (edges[r + 1] - edges[r]) * PHI_ERROR)
            n[r] = _pack(rows[r], reach[r], n[r], heap[r, 0] - slack) if heap[r, 0] >= _ZERO else -1
    return rows, n


@loop
def _pack(rows: Rows, reach: Singles, n: int, edge: Any) -> int:  # pragma: no cover
    kept = 0
    for i in range(n):
        if reach[i] >= edge:
            rows[kept], reach[kept] = rows[i], reach[i]
            kept += 1
    return kept


@loop
def _joint_of(p: Any, essentials: Rows, weights: Singles, i: int) -> Any:  # pragma: no cover
    """P_all of one person from P(meets | factor) (U, nodes, B)."""
    total = _ZERO
    for n in range(weights.size):
        product = weights[n]
        for u in essentials:
            product *= p[u, n, i]
        total += product
    return total


@loop
def best_roles(
    mean: Singles,
    inverse: Singles,
    assessed: Bools,
    distinct: Any,
    roles: Any,
    shifts: Singles,
    weights: Singles,
    scale: Any,
    best: Any,
    joint: Singles,
    fits: Singles,
) -> None:  # pragma: no cover
    skill, level, variance = distinct
    edges, which, weight, essential = roles
    count, people, top = edges.size - 1, mean.shape[1], best.shape[1]
    size_of = 64
    p = np.empty((skill.size, size_of), dtype=np.float32)
    given = np.empty((skill.size, shifts.size, size_of), dtype=np.float32)
    z, fit = np.empty(size_of, dtype=np.float32), np.empty(size_of, dtype=np.float32)
    asked = np.zeros(skill.size, dtype=np.bool_)
    for k in range(which.size):
        asked[which[k]] |= essential[k]
    for start in range(0, people, size_of):
        stop = min(start + size_of, people)
        size = stop - start
        for u in range(skill.size):
            _deviations(mean[skill[u], start:stop], inverse[skill[u], start:stop], level[u], variance[u], z[:size])
            for i in range(size):
                p[u, i] = _phi(z[i])
            if asked[u]:
                for n in range(shifts.size):
                    _given(z[:size], shifts[n], scale, given[u, n, :size])
        for r in range(count):
            a, b = edges[r], edges[r + 1]
            fit[:] = _ZERO
            for k in range(a, b):
                _add(p[which[k], :size], weight[k], fit[:size])
            must = which[a:b][essential[a:b]]
            for i in range(size):
                row = start + i
                high = _ONE
                for u in must:
                    high = p[u, i] if p[u, i] < high else high
                # The last place is held by what cannot be reached any more, for most roles of most people.
                if best[row, top - 1] >= 0 and high + _SLACK < joint[row, top - 1]:
                    continue
                known = False
                for k in range(a, b):
                    known |= assessed[skill[which[k]], row]
                if known:
                    chance = _joint_of(given, must, weights, i) if must.size else _ONE
                    _insert(best[row], joint[row], fits[row], r, min(chance, _ONE), fit[i])


@loop
def _insert(best: Any, joint: Singles, fits: Singles, role: int, chance: Any, fit: Any) -> None:  # pragma: no cover
    """Into the order by P_all, then F."""
    at = best.size
    while at > 0 and (best[at - 1] < 0 or joint[at - 1] < chance or (joint[at - 1] == chance and fits[at - 1] < fit)):
        if at < best.size:
            best[at], joint[at], fits[at] = best[at - 1], joint[at - 1], fits[at - 1]
        at -= 1
    if at < best.size:
        best[at], joint[at], fits[at] = role, chance, fit
