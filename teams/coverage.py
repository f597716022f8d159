"""The board: every active demand against the people of its team, as HR sees it at once.

Each process keeps the newest board and makes the next one from it when the matrix has a new version or a day has
passed: every change that the board can see is in the log from which the matrix is brought up to date, so that none is
ever missed. Only what a change touches is worked out again.
"""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from django.utils import timezone

from candidates import matrix
from candidates.matrix import ProfileMatrix
from candidates.models import Estimate
from roles.models import EnterpriseFunction, SkillSet
from scoring import readiness
from scoring import teams as engine
from socialstrategy.lib.templatetags.components import percent
from teams.figures import NOTHING, Figures, Share, cell_key
from teams.models import Demand, Initiative, Membership, Snapshot, Team

SEED = 20_261_123
"""Of the draws behind every interval: the same figures give the same interval in every process."""
OLD = timedelta(days=365)
MOST_QUARTERS = 8
COUNTED_FOR = 300
"""Seconds for which the count of old evidence holds, which takes the database a while at many people."""


@dataclass
class Line:
    """One demand as it stands: how surely it is covered, and by whom (primary keys and columns of the matrix)."""

    demand: Demand
    coverage: engine.Coverage
    people: np.ndarray
    rows: np.ndarray
    z: np.ndarray
    probability: np.ndarray
    members: int
    cell: str

    @property
    def asked(self) -> readiness.Demand:
        return readiness.Demand(self.demand.people, self.demand.skill.column, self.people, self.z)

    @property
    def unknown(self) -> int:
        """Members whom nobody has assessed in the skill."""
        return self.members - len(self.people)

    @property
    def share(self) -> Share:
        return Share(self.coverage.covered, self.demand.people)

    @property
    def words(self) -> str:
        """How surely the demand is covered."""
        return f"{percent(self.coverage.at_least)} sure to be covered"

    @property
    def best(self) -> int | None:
        """Primary key of the member who most surely meets the demand."""
        return int(self.people[self.probability.argmax()]) if len(self.people) else None

    def is_like(self, other: "Line") -> bool:
        """Whether the same people stand as they did."""
        mine, theirs = (self.rows, self.people, self.z), (other.rows, other.people, other.z)
        return self.members == other.members and all(map(np.array_equal, mine, theirs))


class Asked:
    """What is asked of whom on one day: initiatives, demands, members of teams. It holds until a team or a demand
    changes, whatever is learned of people meanwhile.

    ``known``: what was drawn before, by what a demand holds.
    """

    def __init__(self, day: date, known: dict[bytes, readiness.Drawn] | None = None):
        self.day, self.known = day, known or {}
        self.initiatives = list(Initiative.objects.active_on(day).select_related("function", "owner"))
        self.demands = list(Demand.objects.active_on(day).told())
        self.functions = list(EnterpriseFunction.objects.all())
        self.skill_sets = list(SkillSet.objects.all())
        self.cells = [cell_key(one.team.function.slug, one.skill.skill_set.slug) for one in self.demands]
        self.cell_names, self.cell = np.unique(np.array(self.cells, dtype=np.str_), return_inverse=True)
        self.needed = np.array([float(one.people) for one in self.demands])
        teams, at = np.unique([one.team_id for one in self.demands], return_inverse=True)
        self.team = at.astype(np.intp)
        self.members = self._members(teams.tolist())
        self.person = np.concatenate([np.zeros(0, dtype=np.int64), *self.members])
        self.of_person = np.repeat(np.arange(len(self.members)), [len(one) for one in self.members])
        self.keys, self.weights = self._groups()
        self.draws: readiness.Draws | None = None
        self._stale: dict[str, int] = {}
        self._counted_at = -float(COUNTED_FOR)

    def _groups(self) -> tuple[list[tuple[str, str]], np.ndarray]:
        """What figures are told of (all, each function, each initiative), and which demands count in each (G, D)."""
        keys = [("total", ""), *(("function", one.slug) for one in self.functions)]
        keys += [("initiative", str(one.pk)) for one in self.initiatives]
        at = {key: n for n, key in enumerate(keys)}
        weights = np.zeros((len(keys), len(self.demands)))
        for n, one in enumerate(self.demands):
            for key in (("total", ""), ("function", one.team.function.slug), ("initiative", str(one.initiative_id))):
                weights[at[key], n] = 1.0
        return keys, weights

    def _members(self, teams: list[int]) -> list[np.ndarray]:
        """Of each team the primary keys of its people."""
        rows = Membership.objects.on_day(self.day).filter(team__in=teams, team__closed_on=None)
        members = defaultdict(list)
        for team, person in rows.order_by("person").values_list("team", "person"):
            members[team].append(person)
        return [np.array(members[team], dtype=np.int64) for team in teams]

    @cached_property
    def by_set(self) -> dict[int, dict[int, list[int]]]:
        """Numbers of demands by skill set and team."""
        found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for n, one in enumerate(self.demands):
            found[one.skill.skill_set_id][one.team_id].append(n)
        return found

    @cached_property
    def by_initiative(self) -> dict[int, list[int]]:
        found = defaultdict(list)
        for n, one in enumerate(self.demands):
            found[one.initiative_id].append(n)
        return found

    @cached_property
    def teams(self) -> dict[int, Team]:
        """Teams by primary key, in the order of their functions."""
        found = {one.team_id: one.team for one in self.demands}
        return dict(sorted(found.items(), key=lambda pair: (pair[1].function.position, pair[1].name)))

    @cached_property
    def quarters(self) -> list[Snapshot]:
        """The last stored ones, the earliest first; storing another makes a new board."""
        return list(Snapshot.objects.filter(quarter_on__lt=self.day).order_by("-quarter_on")[:MOST_QUARTERS])[::-1]

    def touched(self, people: np.ndarray | None) -> np.ndarray:
        """Numbers of the demands whose team holds any of these people; of all where nobody knows who has changed."""
        if people is None:
            return np.arange(len(self.demands))
        teams = self.of_person[np.isin(self.person, people)]
        return np.flatnonzero(np.isin(self.team, teams))

    def stale(self) -> dict[str, int]:
        """``stale`` of the day, counted anew every few minutes."""
        if time.monotonic() - self._counted_at >= COUNTED_FOR:
            self._stale, self._counted_at = stale(self.day), time.monotonic()
        return self._stale


def lines_of(asked: Asked, profiles: ProfileMatrix, numbers: np.ndarray) -> list[Line]:
    """These demands as they stand."""
    teams, team = np.unique(asked.team[numbers], return_inverse=True)
    members = profiles.rows_of([asked.members[n] for n in teams])
    demands = [asked.demands[n] for n in numbers]
    found = engine.coverages(
        profiles.by_person,
        members,
        team=team,
        skill=[one.skill.column for one in demands],
        level=[one.level for one in demands],
        people=[one.people for one in demands],
    )
    people = profiles.people[found.row]
    lines = []
    for n, demand in enumerate(demands):
        part = slice(found.edges[n], found.edges[n + 1])
        figures = people[part], found.row[part], found.z[part], found.probability[part]
        lines.append(Line(demand, found.of(n), *figures, len(members[team[n]]), asked.cells[numbers[n]]))
    return lines


class Board:
    """Every active demand on one day, exact: for those who see names.

    ``before``: the board that was made last from the same ``asked``; what has not changed since is taken from it.
    ``drawn``, ``closing`` and ``names`` (of members) keep what pages have shown of this board.
    """

    names: dict[int, str]
    lines: list[Line]
    covered: np.ndarray
    ready: list[readiness.Readiness]

    def __init__(self, asked: Asked, profiles: ProfileMatrix, before: "Board | None" = None):
        self.asked, self.day, self.profiles, self.stale = asked, asked.day, profiles, asked.stale()
        self.initiatives, self.functions, self.skill_sets = asked.initiatives, asked.functions, asked.skill_sets
        people = profiles.changed_since(before.profiles) if before else None
        touched = asked.touched(people)
        changed = self._put_lines(touched, before)
        self.exact = self._figures(changed, before)
        is_same = before is not None and not touched.size and self.stale == before.stale
        self.drawn: dict[str, tuple[str, dict[str, str]]] = before.drawn if before and is_same else {}
        self.drawn_cells: dict[str, str] = {}
        self.closing: dict[tuple[int, ...], dict[str, int]] = {}
        gone = None if people is None else set(people.tolist())
        self.names = {} if before is None or gone is None else {k: v for k, v in before.names.items() if k not in gone}

    @property
    def lines_by_initiative(self) -> dict[int, list[int]]:
        return self.asked.by_initiative

    @cached_property
    def lines_by_cell(self) -> dict[str, list[int]]:
        """Demands of each cell, those that are short of most first."""
        found = defaultdict(list)
        for n in np.argsort(self.covered - self.asked.needed, kind="stable").tolist():
            found[self.asked.cells[n]].append(n)
        return found

    @cached_property
    def one_deep(self) -> list[int]:
        """Demands that hang on one person, the most urgent first."""
        deep = [n for n, line in enumerate(self.lines) if line.coverage.is_one_deep]
        return sorted(deep, key=lambda n: (self.lines[n].demand.due_on, n))

    def near(self, line: Line) -> set[int]:
        """Members within a level of what is asked."""
        mean = self.profiles.profiles.mean[line.demand.skill.column][line.rows]
        level = line.demand.level
        return set(line.people[(mean >= level - 1) & (mean < level)].tolist())

    def members_of(self, n: int) -> list[int]:
        """Members of the team that a demand asks, those whom the matrix has."""
        members = self.asked.members[self.asked.team[n]]
        return self.profiles.people[self.profiles.rows_of([members])[0]].tolist()

    def drawn_sum(self, numbers: list[int]) -> np.ndarray:
        """How many some demands cover together in each draw (draws,)."""
        assert self.asked.draws is not None
        found: np.ndarray = self.asked.draws.met[numbers].sum(axis=0)
        return found

    def _put_lines(self, touched: np.ndarray, before: "Board | None") -> list[int]:
        """Set ``lines``; gives the numbers of those that are not as they were."""
        found = lines_of(self.asked, self.profiles, touched)
        if before is None:
            self.lines = found
            return touched.tolist()
        self.lines = list(before.lines)
        changed = []
        for n, line in zip(touched.tolist(), found, strict=True):
            if not line.is_like(self.lines[n]):
                self.lines[n] = line
                changed.append(n)
        return changed

    def _figures(self, changed: list[int], before: "Board | None") -> Figures:
        asked = self.asked
        if before is not None and not changed:
            self.ready, self.covered = before.ready, before.covered
            return before.exact
        self.ready = self._ready(changed, before)
        self.covered = np.array([line.coverage.covered for line in self.lines])
        return self._of(self.ready, self.covered, asked.needed)

    def _ready(self, changed: list[int], before: "Board | None") -> list[readiness.Readiness]:
        """How ready each group is: those that a change touches anew, the others as they were."""
        asked = self.asked
        if before is None or asked.draws is None:
            known = asked.draws.known() if asked.draws else asked.known
            asked.draws = readiness.Draws([line.asked for line in self.lines], seed=SEED, known=known)
            # All of it is in the draws now, or will not return.
            asked.known = {}
            return asked.draws.readiness(asked.weights)
        for n in changed:
            asked.draws.replace(n, self.lines[n].asked)
        is_hit = np.asarray(asked.weights[:, changed].any(axis=1))
        anew = iter(asked.draws.readiness(asked.weights[is_hit]))
        return [next(anew) if hit else old for hit, old in zip(is_hit, before.ready, strict=True)]

    def _of(self, ready: list[readiness.Readiness], covered: np.ndarray, needed: np.ndarray) -> Figures:
        names, keys = self.asked.cell_names, self.asked.keys
        sums = [np.bincount(self.asked.cell, values, minlength=len(names)) for values in (covered, needed)]
        cells = {str(name): Share(float(c), float(n)) for name, c, n in zip(names, *sums, strict=True) if n}
        shares = {
            key: Share(one.covered, one.needed, one.low, one.high) if one.needed else NOTHING
            for key, one in zip(keys, ready, strict=True)
        }
        return Figures(
            shares["total", ""],
            {key: one for (kind, key), one in shares.items() if kind == "function" and one.needed},
            cells,
            {int(key): one for (kind, key), one in shares.items() if kind == "initiative"},
        )


_lock = threading.Lock()
_latest: dict[str, tuple] = {}


def current() -> Board:
    """The board of everything that has been committed."""
    profiles, day = matrix.current(), timezone.localdate()
    key = (profiles.version, profiles.others, day)
    with _lock:
        latest = _latest.get("board")
        # As new as the matrix, or newer: whoever waited may find what another has made.
        if latest is None or latest[0][0] < key[0] or latest[0][2] != day:
            # Gone if the next one fails: its draws would be half of the one and half of the other.
            _latest.clear()
            latest = _latest["board"] = (key, _next(latest, key, profiles))
        return latest[1]


def _next(latest, key, profiles: ProfileMatrix) -> Board:
    if latest is None:
        return Board(Asked(key[-1]), profiles)
    before: Board = latest[1]
    if latest[0][1:] == key[1:]:
        return Board(before.asked, profiles, before)
    # Draws go by what a demand holds: whatever is the same need not be drawn again.
    draws = before.asked.draws
    return Board(Asked(key[-1], draws.known() if draws else None), profiles)


def forget() -> None:
    """Drop this process's board (tests start from a database whose counter has gone back)."""
    _latest.clear()


def stale(day: date) -> dict[str, int]:
    """How many estimates rest on evidence that is older than a year, and how many people that concerns."""
    estimates = Estimate.objects.of_current_people()
    old = estimates.filter(newest_on__lt=day - OLD)
    return {
        "old": old.count(),
        "all": estimates.count(),
        "people": old.order_by().values("person").distinct().count(),
    }
