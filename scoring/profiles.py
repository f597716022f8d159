"""What is known of all people, as matrices, and what of it one role reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoring import checks
from scoring.checks import Bools, Floats, Rows, Singles
from scoring.fit import Prepared


class Profiles:
    """All people as matrices, skill-major: ``mean`` and ``sd`` (S, N) float32 levels, ``assessed`` (S, N) bool.

    Where a skill is not assessed, mean and sd hold the prior. What is kept of sd is its inverse, NaN where the estimate
    is none: whatever reads it finds out. ``present`` (N,), if given, leaves people out.
    """

    __slots__ = ("assessed", "inverse", "mean", "present")

    def __init__(self, mean: Any, sd: Any, assessed: Any):
        mean, sd = np.asarray(mean, dtype=np.float32), np.asarray(sd, dtype=np.float32)
        checks.same_shape("Means and standard deviations", mean.shape, sd.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            good = (sd > 0) & np.isfinite(sd) & np.isfinite(mean)
            inverse = np.ascontiguousarray(np.where(good, np.float32(1.0) / sd, np.float32("nan")))
        self._set(np.ascontiguousarray(mean), inverse, np.ascontiguousarray(assessed, dtype=np.bool_), None)

    @classmethod
    def of_inverse(cls, mean: Singles, inverse: Singles, assessed: Bools, present: Bools | None = None) -> Profiles:
        """The same around arrays that hold the inverse of sd already; nothing is copied."""
        self = cls.__new__(cls)
        self._set(mean, inverse, assessed, present)
        return self

    def _set(self, mean: Singles, inverse: Singles, assessed: Bools, present: Bools | None) -> None:
        checks.same_shape("Means and standard deviations", mean.shape, inverse.shape)
        checks.same_shape("Means and assessed flags", mean.shape, assessed.shape)
        if mean.ndim != 2:
            raise ValueError(f"Profiles must be matrices of skills by people, not of {mean.ndim} dimensions.")
        self.mean, self.inverse, self.assessed, self.present = mean, inverse, assessed, present

    @property
    def sd(self) -> Singles:
        """Standard deviations (S, N)."""
        out: Singles = np.float32(1.0) / self.inverse
        return out

    @property
    def people(self) -> int:
        """N, the number of people."""
        return int(self.mean.shape[1])

    @property
    def everybody(self) -> Rows:
        """Columns of the people who are present."""
        return np.arange(self.people, dtype=np.intp) if self.present is None else np.flatnonzero(self.present)

    def of(self, rows: Any) -> tuple[Floats, Floats, Bools]:
        """(mean, sd, assessed) of some people, each (len(rows), S)."""
        mean, inverse = (one[:, rows].T.astype(np.float64) for one in (self.mean, self.inverse))
        return mean, 1.0 / inverse, self.assessed[:, rows].T

    def columns(self, among: Any = None) -> Rows:
        """Columns of the people in ``among`` (indices, or a mask over all columns), or of everybody present.

        Raises
        ------
        ValueError : an ``among`` that names a person who is not there.
        """
        if among is None:
            return self.everybody
        chosen = np.asarray(among)
        if chosen.dtype == np.bool_:
            checks.same_shape("The people and the choice among them", (self.people,), chosen.shape)
            return np.flatnonzero(chosen)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.people):
            raise ValueError(f"There is no person {int(chosen.max())}: the profiles have {self.people}.")
        return chosen.astype(np.intp)


def of_rows(profiles: Profiles, role: Prepared, rows: Rows) -> tuple[Singles, Singles, Bools, Prepared, Any]:
    """What the loops read of some people: (mean, inverse, assessed), the role with its columns there, and where the
    people stand in it. Of many everybody's arrays as they are, of few a copy of what is required.

    Where the people are one run of columns, it is given as a slice: looking them up one by one takes as long as the
    loops themselves.
    """
    if 4 * len(rows) >= profiles.people:
        is_run = bool(rows.size) and rows[-1] - rows[0] == rows.size - 1 and bool((np.diff(rows) == 1).all())
        index = slice(int(rows[0]), int(rows[-1]) + 1) if is_run else rows
        return profiles.mean, profiles.inverse, profiles.assessed, role, index
    mean, inverse = (np.stack([one[k].take(rows) for k in role.skill]) for one in (profiles.mean, profiles.inverse))
    assessed = np.stack([profiles.assessed[k].take(rows) for k in role.skill])
    return mean, inverse, assessed, replace(role, skill=np.arange(len(role.skill), dtype=np.intp)), slice(None)


def deviations(profiles: Profiles, role: Prepared, chosen: Rows) -> tuple[Floats, Floats, Bools]:
    """z, v and assessed, each (N, K), of the people asked for."""
    at = role.skill[:, None], chosen
    mean, inverse = (np.ascontiguousarray(one[at].T, dtype=np.float64) for one in (profiles.mean, profiles.inverse))
    checks.array("Means", mean)
    if not np.isfinite(inverse).all() or (inverse <= 0).any():
        raise ValueError("Standard deviations must be finite and above 0 everywhere.")
    v = np.sqrt(1.0 / np.square(inverse) + role.variance)
    return (mean - role.level) / v, v, np.ascontiguousarray(profiles.assessed[at].T)
