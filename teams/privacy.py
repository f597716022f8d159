"""What executives may see of small groups: never fewer than five people, not even by subtracting two figures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

MINIMUM = 5


@dataclass(frozen=True)
class Group:
    """Things that are shown as one (teams, say), and the people whose levels are behind their figures."""

    keys: tuple[int, ...]
    people: frozenset[int]

    @property
    def is_small(self) -> bool:
        return len(self.people) < MINIMUM

    def with_(self, other: "Group") -> "Group":
        return Group(self.keys + other.keys, self.people | other.people)


def merge_small(groups: Iterable[Group]) -> list[Group]:
    """Merge each group of fewer than five people with a neighbour, until none is left or everything is one.

    The smallest goes first, into the smaller of its two neighbours, so that as little as possible is lost. Somebody who
    is in two groups counts once in what they become. What comes back may be one group that is still too small: then
    nothing of it may be shown.
    """
    found = list(groups)
    while len(found) > 1:
        at = min(range(len(found)), key=lambda n: len(found[n].people))
        if not found[at].is_small:
            break
        beside = [n for n in (at - 1, at + 1) if 0 <= n < len(found)]
        other = min(beside, key=lambda n: len(found[n].people))
        first, second = sorted((at, other))
        found[first : second + 1] = [found[first].with_(found[second])]
    return found


@dataclass(frozen=True)
class Unit:
    """Teams that executives see as one in a skill set; ``is_hidden`` when even together they are fewer than five."""

    teams: tuple[str, ...]
    lines: tuple[int, ...]
    is_hidden: bool
    is_merged: bool

    @property
    def label(self) -> str:
        return " and ".join(self.teams)


class Pooled:
    """How executives see demands: each as its part of its unit, by what it needs; hidden ones as nothing at all."""

    def __init__(self, units: list[Unit], needed: np.ndarray):
        self.unit = np.zeros(len(needed), dtype=np.intp)
        shown = np.zeros(len(needed))
        for n, unit in enumerate(units):
            self.unit[list(unit.lines)] = n
            shown[list(unit.lines)] = not unit.is_hidden
        self.count = len(units)
        self.share = shown * needed / self._sums(needed)[self.unit] if len(needed) else needed

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.unit, values, minlength=self.count)

    def parts(self, values: np.ndarray) -> np.ndarray:
        """Of each demand its part of its unit's sum (D,)."""
        return self.share * self._sums(values)[self.unit] if len(values) else values

    def weights(self, weights: np.ndarray) -> np.ndarray:
        """How much of each demand counts in each group (G, D), when the group counts parts of units."""
        return np.array([self._sums(row * self.share)[self.unit] for row in weights]).reshape(weights.shape)
