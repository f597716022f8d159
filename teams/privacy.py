"""What executives may see of small groups: never fewer than five people, not even by subtracting two figures."""

from collections.abc import Iterable
from dataclasses import dataclass

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
