"""The board: every active demand against the people of its team, exactly as named and as merged for executives.

Each process keeps the newest board and builds it anew when the matrix has a new version or a day has passed: every
change that the board can see is in the log from which the matrix is brought up to date, so that none is ever missed.
"""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import chain

import numpy as np
from django.utils import timezone

from candidates import matrix
from candidates.matrix import ProfileMatrix
from candidates.models import Estimate
from roles.models import EnterpriseFunction, SkillSet
from scoring import teams as engine
from socialstrategy.lib.templatetags.components import figure, percent
from teams.models import Demand, Initiative, Membership
from teams.privacy import Group, merge_small

SEED = 20_261_123
"""Of the draws behind every interval: the same figures give the same interval in every process."""
OLD = timedelta(days=365)
COUNTED_FOR = 300
"""Seconds for which the count of old evidence holds, which takes the database a while at many people."""
TINTS = (0.05, 0.25, 0.50, 0.75)
WORDS = {"meets": "Ready", "uncertain": "Uncertain", "gap": "Not ready", "not_assessed": "Asks for nobody"}


@dataclass(frozen=True)
class Share:
    """``covered`` of ``needed`` people; with an interval of the share where one was drawn."""

    covered: float
    needed: float
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float:
        return self.covered / self.needed if self.needed else 1.0

    @property
    def short(self) -> float:
        return self.needed - self.covered

    @property
    def tint(self) -> int:
        """0-4, by the share that is short: under 5 %, to 25, to 50, to 75, more."""
        if 1 - self.share < TINTS[0]:
            return 0
        return 1 + sum(1 - self.share > edge for edge in TINTS[1:])

    @property
    def state(self) -> str:
        if not self.needed:
            return "not_assessed"
        if self.low is None or self.high is None:
            return "meets" if self.share >= engine.READY else "gap"
        if self.low >= engine.READY:
            return "meets"
        return "gap" if self.high < engine.READY else "uncertain"

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def tint_state(self) -> str:
        """The tint as one of the three states, for a shape beside the words."""
        return "meets" if self.tint == 0 else "uncertain" if self.tint <= 2 else "gap"

    @property
    def words(self) -> str:
        return f"{figure(self.covered)} of {figure(self.needed)} covered"

    @property
    def spoken(self) -> str:
        """What the drawing says to those who hear it."""
        if self.low is None or self.high is None:
            return f"{self.share:.0%} covered"
        return f"{self.share:.0%} covered, 80% interval {self.low:.0%} to {self.high:.0%}, {self.word.lower()}"

    def __add__(self, other: "Share") -> "Share":
        return Share(self.covered + other.covered, self.needed + other.needed)


NOTHING = Share(0.0, 0.0)


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
    def asked(self) -> engine.Demand:
        return engine.Demand(self.demand.people, self.demand.skill.column, self.people, self.z)

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


@dataclass(frozen=True)
class Figures:
    """Sums over demands, for one kind of viewer: all of them, by function, by cell and by initiative."""

    total: Share
    functions: dict[str, Share]
    cells: dict[str, Share]
    initiatives: dict[int, Share]

    def stored(self) -> dict:
        """As JSON."""

        def row(one: Share) -> list:
            return [one.covered, one.needed, one.low, one.high]

        return {
            "total": row(self.total),
            "functions": {key: row(one) for key, one in self.functions.items()},
            "cells": {key: row(one) for key, one in self.cells.items()},
            "initiatives": {str(key): row(one) for key, one in self.initiatives.items()},
        }

    @classmethod
    def restored(cls, data: dict) -> "Figures":
        return cls(
            Share(*data["total"]),
            {key: Share(*row) for key, row in data["functions"].items()},
            {key: Share(*row) for key, row in data["cells"].items()},
            {int(key): Share(*row) for key, row in data["initiatives"].items()},
        )


def cell_key(function: str, skill_set: str) -> str:
    return f"{function}/{skill_set}"


class Asked:
    """What is asked of whom on one day: initiatives, demands, members of teams. It holds until a team or a demand
    changes, whatever is learned of people meanwhile."""

    def __init__(self, day: date):
        self.day = day
        self.initiatives = list(Initiative.objects.active_on(day).select_related("function", "owner"))
        self.demands = list(Demand.objects.active_on(day).told())
        self.functions = list(EnterpriseFunction.objects.all())
        self.skill_sets = list(SkillSet.objects.all())
        self.teams = sorted({one.team_id for one in self.demands})
        self.cells = [cell_key(one.team.function.slug, one.skill.skill_set.slug) for one in self.demands]
        self.cell_names, self.cell = np.unique(np.array(self.cells, dtype=np.str_), return_inverse=True)
        self.needed = np.array([float(one.people) for one in self.demands])
        self.keys, self.weights = self._groups()
        self.members = self._members()
        self.stale = stale(day)
        self.drawn: dict[bytes, np.ndarray] = {}
        self.at = time.monotonic()

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

    def _members(self) -> list[list[int]]:
        """Of each team the primary keys of its people."""
        rows = Membership.objects.on_day(self.day).filter(team__in=self.teams, team__closed_on=None)
        members = defaultdict(list)
        for team, person in rows.order_by("person").values_list("team", "person"):
            members[team].append(person)
        return [members[team] for team in self.teams]


def lines_of(asked: Asked, profiles: ProfileMatrix, first: int = 0, last: int | None = None) -> list[Line]:
    """Demands ``first`` to ``last`` as they stand."""
    demands, cells = asked.demands[first:last], asked.cells[first:last]
    at = {team: n for n, team in enumerate(asked.teams)}
    members = profiles.rows_of(asked.members)
    found = engine.coverages(
        profiles.by_person,
        members,
        team=[at[one.team_id] for one in demands],
        skill=[one.skill.column for one in demands],
        level=[one.level for one in demands],
        people=[one.people for one in demands],
    )
    people = profiles.people[found.row]
    lines = []
    for n, demand in enumerate(demands):
        part = slice(found.edges[n], found.edges[n + 1])
        figures = people[part], found.row[part], found.z[part], found.probability[part]
        lines.append(Line(demand, found.of(n), *figures, len(members[at[demand.team_id]]), cells[n]))
    return lines


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


class Board:
    """Every active demand on one day. ``exact`` is for those who see names, ``merged`` for those who see counts."""

    def __init__(self, asked: Asked, profiles: ProfileMatrix):
        self.asked, self.day, self.profiles = asked, asked.day, profiles
        self.initiatives, self.functions, self.skill_sets = asked.initiatives, asked.functions, asked.skill_sets
        self.lines = lines_of(asked, profiles)
        self.units = self._units()
        self.unit_of = {n: unit for unit in self.units for n in unit.lines}
        self.exact, self.merged = self._figures()
        self.stale = asked.stale
        self.closing: dict[tuple[int, ...], dict[str, int]] = {}
        self.drawn: dict[tuple[bool, str], list[str]] = {}

    def figures(self, user) -> Figures:
        return self.exact if user.is_hr else self.merged

    @cached_property
    def lines_by_initiative(self) -> dict[int, list[int]]:
        found = defaultdict(list)
        for n, line in enumerate(self.lines):
            found[line.demand.initiative_id].append(n)
        return found

    @cached_property
    def lines_by_cell(self) -> dict[str, list[int]]:
        """Demands of each cell, those that are short of most first."""
        found = defaultdict(list)
        for n in sorted(range(len(self.lines)), key=lambda n: -self.lines[n].share.short):
            found[self.lines[n].cell].append(n)
        return found

    @cached_property
    def one_deep(self) -> list[int]:
        """Demands that hang on one person, the most urgent first."""
        deep = [n for n, line in enumerate(self.lines) if line.coverage.is_one_deep]
        return sorted(deep, key=lambda n: (self.lines[n].demand.due_on, n))

    def _units(self) -> list[Unit]:
        """Within each skill set, teams in the order of their functions, the small ones merged with a neighbour."""
        sets: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for n, line in enumerate(self.lines):
            sets[line.demand.skill.skill_set_id][line.demand.team_id].append(n)
        teams = {line.demand.team_id: line.demand.team for line in self.lines}
        order = sorted(teams, key=lambda pk: (teams[pk].function.position, teams[pk].name))
        found = []
        for of_team in sets.values():
            groups = [
                Group((pk,), frozenset(chain.from_iterable(self.lines[n].people.tolist() for n in of_team[pk])))
                for pk in order
                if pk in of_team
            ]
            for group in merge_small(groups):
                numbers = tuple(n for pk in group.keys for n in of_team[pk])
                names = tuple(teams[pk].name for pk in group.keys)
                found.append(Unit(names, numbers, group.is_small, len(names) > 1))
        return found

    def _figures(self) -> tuple[Figures, Figures]:
        asked = self.asked
        covered = np.array([line.coverage.covered for line in self.lines])
        pooled = Pooled(self.units, asked.needed)
        ready = engine.readiness(
            [line.asked for line in self.lines],
            weights=np.concatenate([asked.weights, pooled.weights(asked.weights)]),
            seed=SEED,
            known=asked.drawn,
        )
        exact = self._of(ready[: len(asked.keys)], covered, asked.needed)
        return exact, self._of(ready[len(asked.keys) :], pooled.parts(covered), pooled.parts(asked.needed))

    def _of(self, ready: list[engine.Readiness], covered: np.ndarray, needed: np.ndarray) -> Figures:
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
    latest = _latest.get("board")
    if latest is None or latest[0] != key:
        with _lock:
            latest = _latest.get("board")
            if latest is None or latest[0] != key:
                latest = _latest["board"] = (key, Board(_asked(latest, key), profiles))
    return latest[1]


def _asked(latest, key) -> Asked:
    """What the last board was made from, as long as it holds."""
    if latest is not None and latest[0][1:] == key[1:] and time.monotonic() - latest[1].asked.at < COUNTED_FOR:
        return latest[1].asked
    asked = Asked(key[-1])
    if latest is not None:
        # Draws go by what a demand holds: whatever is the same need not be drawn again.
        asked.drawn = latest[1].asked.drawn
    return asked


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
