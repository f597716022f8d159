"""Everybody against one role, in order (measurement.md sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import counting, kernels, loops, normal
from scoring.checks import Bools, Floats, Rows, Singles
from scoring.fit import BANDS, CORRELATION, GAP, SHIPPED, Prepared, Requirement, Thresholds, band_codes, prepare
from scoring.profiles import Profiles as Profiles
from scoring.profiles import deviations, of_rows


@dataclass(frozen=True, slots=True)
class Scores:
    """Everybody against one role, in the order of the people asked for (N of them)."""

    probability: Floats
    fit: Floats
    all_essentials: Floats
    band: NDArray[np.int8]

    def order(self) -> NDArray[np.intp]:
        """Best first: the not assessed last, then by P_all, then by F, ties in the order given."""
        return np.lexsort((-self.fit, -self.all_essentials, self.band == BANDS.index("not_assessed")))


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ``top`` best people: ``rows`` are columns of the profiles, the rest is in their order.

    ``probability`` and ``contribution`` are (top, K), in the order of the requirements.
    """

    rows: NDArray[np.intp]
    band: NDArray[np.str_]
    fit: Floats
    all_essentials: Floats
    probability: Floats
    contribution: Floats


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What easing one requirement by a level (to ``level``), alone, would change.

    ``likely`` more people likely and ``expected`` more who meet all essentials (0 where it is not essential);
    ``fit``: how much the mean fit of the assessed people rises, 0-1.
    """

    requirement: int
    level: float
    likely: int
    expected: float
    fit: float


def score(
    profiles: Profiles, requirements: Sequence[Requirement], *, among: Any = None, thresholds: Thresholds = SHIPPED
) -> Scores:
    """F, P_all and band of everybody (or of ``among``, column indices), in the order given."""
    role = prepare(requirements, profiles.mean.shape[0])
    return _score(profiles, role, profiles.columns(among), thresholds)


def _score(profiles: Profiles, role: Prepared, rows: Rows, thresholds: Thresholds) -> Scores:
    z, _, known = deviations(profiles, role, rows)
    p = normal.cdf(z)
    joint = normal.joint(z[:, role.essential], CORRELATION)
    return Scores(
        probability=p,
        fit=np.clip((p * role.weight).sum(axis=1), 0.0, 1.0),
        all_essentials=joint,
        band=band_codes(z, known, role.essential, joint, CORRELATION, thresholds),
    )


def rank(
    profiles: Profiles,
    requirements: Sequence[Requirement],
    *,
    top: int = 50,
    among: Any = None,
    thresholds: Thresholds = SHIPPED,
) -> Ranking:
    """The best people for a role, by P_all, then F; people without any assessed requirement come last.

    Raises
    ------
    ValueError : see ``fit.prepare``; a ``top`` below 1; NaN, infinity or sd <= 0 in a required skill's column; an
        ``among`` that names a person who is not there.
    """
    role = _prepared(profiles, requirements, top)
    if among is not None:
        return _ranked(profiles, role, profiles.columns(among), top, thresholds)
    parts = profiles.mean, profiles.inverse, profiles.assessed
    chosen = kernels.contenders(*parts, role, top, present=profiles.present)
    return _ranked(profiles, role, profiles.everybody if chosen is None else chosen, top, thresholds)


class Draft:
    """A role that is being edited: after one pass over everybody, each requirement's change is ranked by its column."""

    def __init__(self, profiles: Profiles, requirements: Sequence[Requirement]):
        self.profiles, self.requirements = profiles, list(requirements)
        role = prepare(self.requirements, profiles.mean.shape[0])
        self._kept = kernels.Kept(profiles.mean, profiles.inverse, profiles.assessed, role, profiles.present)

    def rank(self, k: int, requirement: Requirement, *, top: int = 50, thresholds: Thresholds = SHIPPED) -> Ranking:
        """``rank`` for the role with requirement ``k`` replaced by one of the same skill.

        Raises
        ------
        ValueError : see ``rank``; another skill.
        """
        if requirement.skill != self.requirements[k].skill:
            raise ValueError(f"Requirement {k} asks for skill {self.requirements[k].skill}, not {requirement.skill}.")
        changed = [*self.requirements[:k], requirement, *self.requirements[k + 1 :]]
        role = _prepared(self.profiles, changed, top)
        chosen = self._kept.contenders(role, k, top)
        return _ranked(self.profiles, role, self.profiles.everybody if chosen is None else chosen, top, thresholds)


def rank_many(
    profiles: Profiles, roles: Sequence[Sequence[Requirement]], *, top: int = 50, thresholds: Thresholds = SHIPPED
) -> list[Ranking]:
    """``rank`` for many roles in one pass over everybody: requirements that roles share are worked out once."""
    if not roles:
        return []
    prepared = [_prepared(profiles, one, top) for one in roles]
    found = kernels.contenders_of_many(
        profiles.mean, profiles.inverse, profiles.assessed, prepared, top, profiles.present
    )
    return [
        rank(profiles, one, top=top, thresholds=thresholds)
        if rows is None
        else _ranked(profiles, role, rows, top, thresholds)
        for one, role, rows in zip(roles, prepared, found, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class BestRoles:
    """Of each person the best roles: ``role`` (n, top) their numbers, -1 where none follows; P_all and F."""

    role: NDArray[np.int32]
    all_essentials: Singles
    fit: Singles


def best_roles(
    profiles: Profiles, roles: Sequence[Sequence[Requirement]], *, top: int = 5, among: slice = slice(None)
) -> BestRoles:
    """The roles that suit each person best, by P_all, then F; only those of which any skill of theirs is assessed.

    Differences of P_all within ``kernels.joint_error`` do not count. ``among``: a run of people.

    Raises
    ------
    ValueError : no roles; a ``top`` below 1; see ``fit.prepare``.
    """
    if not roles:
        raise ValueError("The best of no roles cannot be told.")
    prepared = [_prepared(profiles, one, top) for one in roles]
    mean, inverse, assessed = (
        np.ascontiguousarray(profiles.mean[:, among]),
        np.ascontiguousarray(profiles.inverse[:, among]),
        np.ascontiguousarray(profiles.assessed[:, among]),
    )
    return BestRoles(*kernels.best_roles(mean, inverse, assessed, prepared, top))


class Standing:
    """Everybody (or ``among``) against one role; with ``relaxing``, ready for ``relax``.

    ``rows``: columns of the profiles; in their order ``fit`` and ``all_essentials`` (float32, within the kernels'
    errors), and ``band`` (exact codes into BANDS). What ``ordered`` answers is the order of exact scores.

    Raises
    ------
    ValueError : as ``rank``.
    """

    def __init__(
        self,
        profiles: Profiles,
        requirements: Sequence[Requirement],
        *,
        among: Any = None,
        thresholds: Thresholds = SHIPPED,
        relaxing: bool = False,
    ):
        self.profiles, self.requirements, self.thresholds = profiles, list(requirements), thresholds
        self.role = prepare(self.requirements, profiles.mean.shape[0])
        self.rows = profiles.columns(among)
        mean, inverse, assessed, role, index = of_rows(profiles, self.role, self.rows)
        self.eased = role.level - np.minimum(1.0, role.level)
        found = kernels.everybody(mean, inverse, assessed, role, self.eased if relaxing else None).of(index)
        if not np.isfinite(found.fit).all():
            self._exact(np.flatnonzero(~np.isfinite(found.fit)))  # raises, and names the value
        self.fit, self.all_essentials, self.chances, self.complete = (
            found.fit,
            found.joint,
            found.chances,
            found.complete,
        )
        self.band = self._bands(found)

    def _exact(self, chosen: Rows) -> Scores:
        return _score(self.profiles, self.role, self.rows[chosen], self.thresholds)

    def _bands(self, found: kernels.Everybody) -> NDArray[np.int8]:
        error = kernels.joint_error(int(self.role.essential.sum()))
        band, close = counting.judge(found, self.thresholds.likely, self.thresholds.unlikely, error)
        if close.size:
            band[close] = self._exact(close).band
        return band

    def counts(self, who: Bools) -> tuple[dict[str, int], dict[str, int], float]:
        """People of each band among ``who`` (a mask over ``rows``) and among the others; and how many of the assessed
        can be expected to meet all essentials."""
        counts, expected = counting.cross(self.band, who, self.all_essentials)
        others, mine = (dict(zip(BANDS, one.tolist(), strict=True)) for one in counts)
        return mine, others, expected

    def gaps(self, k: int) -> Bools:
        """Who is assessed in requirement ``k`` and falls short of it: P at or below GAP."""
        one = replace(self.requirements[k], weight=1.0, essential=False)
        scores = score(self.profiles, [one], among=self.rows, thresholds=self.thresholds)
        return np.asarray(self.profiles.assessed[one.skill][self.rows] & (scores.probability[:, 0] <= GAP))

    def ordered(self, start: int, stop: int, keep: Bools | None = None) -> Rows:
        """Places ``start`` to ``stop`` of the order band by band, each by exact P_all, then F: indices into ``rows``.

        ``keep`` (len(rows),) leaves people out.
        """
        found, before = [], 0
        for code in range(len(BANDS)):
            members = np.flatnonzero(self.band == code if keep is None else (self.band == code) & keep)
            first, last = max(start - before, 0), min(stop - before, len(members))
            if first < last:
                found.append(self._slice(members, first, last))
            before += len(members)
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def _slice(self, members: Rows, first: int, last: int) -> Rows:
        """Of one band's members: those who may stand between two places are scored exactly."""
        bounded = bool(self.role.essential.any())
        key = (self.all_essentials if bounded else self.fit)[members]
        error = kernels.joint_error(int(self.role.essential.sum())) + len(self.role.skill) * loops.PHI_ERROR
        low, high = np.partition(key, [len(key) - last, len(key) - 1 - first])[[len(key) - last, len(key) - 1 - first]]
        ahead = np.count_nonzero(key > high + 2 * error)
        close = members[(key >= low - 2 * error) & (key <= high + 2 * error)]
        scores = self._exact(close)
        order = np.lexsort((-scores.fit, -scores.all_essentials))
        return np.asarray(close[order[first - ahead : last - ahead]], dtype=np.intp)


def relax(standing: Standing) -> list[Relaxed]:
    """What easing each requirement by one level, alone, would change, in their order; those at level 0 are left out.

    Only essentials decide P_all; any other requirement moves the fit alone, by w*(Phi(z + 1/v) - Phi(z)). Counts are
    exact, ``expected`` within N*``kernels.joint_error`` at most. For a standing made with ``relaxing``.
    """
    role, level, eased = standing.role, standing.role.level, standing.eased
    mean, inverse, _, its_role, index = of_rows(standing.profiles, role, standing.rows)
    anybody: Bools = standing.band != BANDS.index("not_assessed")
    asked = np.zeros(mean.shape[1], dtype=np.bool_)
    asked[index] = anybody
    fit = kernels.gains(mean, inverse, asked, its_role, eased) * role.weight / max(1, int(anybody.sum()))
    likely, expected = np.zeros(len(level), dtype=np.intp), np.zeros(len(level))
    essentials = np.flatnonzero(role.essential)
    if essentials.size:
        edge, error = standing.thresholds.likely, kernels.joint_error(len(essentials))
        sums, counts, close = counting.tally(standing.chances, anybody, standing.complete, edge, error)
        if close.size:
            sure = standing.chances[:, close] >= edge + error
            counts += _corrections(standing, standing.rows[close], eased, sure)
        likely[essentials] = counts[1:] - counts[0]
        expected[essentials] = sums[1:] - sums[0]
    return [
        Relaxed(k, float(eased[k]), int(likely[k]), float(expected[k]), float(fit[k]))
        for k in range(len(level))
        if level[k] > 0
    ]


def _corrections(standing: Standing, rows: Rows, eased: Floats, sure: Bools) -> NDArray[np.intp]:
    """How many more of some ready people are likely by exact chances than those ``sure`` to be (1 + E, n)."""
    role, must = standing.role, standing.role.essential
    z, v, _ = deviations(standing.profiles, role, rows)
    before, after = normal.joint_eased(z[:, must], z[:, must] + (role.level - eased)[must] / v[:, must], CORRELATION)
    exact = np.concatenate([before[None], after.T])
    return np.asarray((exact >= standing.thresholds.likely).sum(axis=1) - sure.sum(axis=1), dtype=np.intp)


def _prepared(profiles: Profiles, requirements: Sequence[Requirement], top: int) -> Prepared:
    if top < 1:
        raise ValueError(f"A ranking needs room for at least one person, not {top!r}.")
    return prepare(requirements, profiles.mean.shape[0])


def _ranked(profiles: Profiles, role: Prepared, chosen: Rows, top: int, thresholds: Thresholds) -> Ranking:
    """The best of the chosen, by exact scores."""
    scores = _score(profiles, role, chosen, thresholds)
    first = scores.order()[:top]
    return Ranking(
        rows=chosen[first],
        band=np.array(BANDS)[scores.band[first]],
        fit=scores.fit[first],
        all_essentials=scores.all_essentials[first],
        probability=scores.probability[first],
        contribution=scores.probability[first] * role.weight,
    )


def warm_up() -> None:
    """Compile every loop, or load it from the cache, so that nobody waits for that later."""
    some = Profiles(np.full((2, 1), 2.5), np.ones((2, 1)), np.ones((2, 1), dtype=np.bool_))
    role = [Requirement(0, 3.0, 1.0, essential=True), Requirement(1, 3.0, 1.0)]
    standing = Standing(some, role, relaxing=True)
    standing.ordered(0, 1)
    relax(standing)
    rank(some, role)
    rank_many(some, [role])
    best_roles(some, [role], top=1)
    Draft(some, role).rank(1, role[1])
