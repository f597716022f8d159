"""What executives may see of small groups: never fewer than five people, not even by subtracting two figures."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

MINIMUM = 5


@dataclass(frozen=True)
class Group:
    """Things that are shown as one (teams, say), and the people whose levels are behind their figures."""

    keys: tuple[int, ...]
    people: frozenset[int]

    def with_(self, other: "Group") -> "Group":
        return Group(self.keys + other.keys, self.people | other.people)


def merge_small(groups: Iterable[Group]) -> list[Group]:
    """Merge each group of fewer than five people of its own with a neighbour, until none is left or all is one.

    Whoever is in two groups is nobody's own: however groups are added and subtracted, the own people of each that
    enters stay in, so that no sum or difference speaks of fewer than five. The smallest goes first, into the smaller
    of its two neighbours, so that as little as possible is lost. What comes back may be one group that is still too
    small: then nothing of it may be shown.
    """
    found = list(groups)
    times = Counter(chain.from_iterable(group.people for group in found))
    own = [sum(times[pk] == 1 for pk in group.people) for group in found]
    while len(found) > 1:
        at = min(range(len(found)), key=own.__getitem__)
        if own[at] >= MINIMUM:
            break
        beside = [n for n in (at - 1, at + 1) if 0 <= n < len(found)]
        first, second = sorted((at, min(beside, key=own.__getitem__)))
        times.subtract(found[first].people & found[second].people)
        found[first : second + 1] = [found[first].with_(found[second])]
        own[first : second + 1] = [sum(times[pk] == 1 for pk in found[first].people)]
    return found
