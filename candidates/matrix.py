"""The profile matrix: everybody's levels as arrays, the read model of every ranking.

Each process keeps one and builds it anew when the change counter has moved. The counter is read before the rows and
moves in the transaction of each change: a change committed in between is either in the rows already or moves the
counter again, so that none is ever missed.
"""

import threading
from dataclasses import dataclass

import numpy as np

import scoring
from candidates import parameters
from candidates.models import ChangeCounter, Estimate, Person
from roles.models import Skill
from scoring.fit import Requirement as ScoredRequirement
from scoring.fit import Thresholds
from scoring.ranking import Profiles


@dataclass(frozen=True)
class ProfileMatrix:
    """``profiles`` are skill-major (S, N); ``people`` holds the N primary keys, ascending."""

    counter: int
    people: np.ndarray
    is_employee: np.ndarray
    profiles: Profiles
    thresholds: Thresholds

    @property
    def everybody(self) -> np.ndarray:
        """Columns of all who are there."""
        return self.profiles.everybody

    def rows(self, primary_keys) -> np.ndarray:
        """Columns of these people, those who are not in it left out."""
        wanted = np.unique(np.fromiter(primary_keys, dtype=np.int64))
        if not self.people.size:
            return np.zeros(0, dtype=np.intp)
        at = np.minimum(np.searchsorted(self.people, wanted), self.people.size - 1)
        return at[self.people[at] == wanted]


_lock = threading.Lock()
_latest: dict[str, ProfileMatrix] = {}


def current() -> ProfileMatrix:
    """The matrix of everything that has been committed."""
    counter = ChangeCounter.read()
    latest = _latest.get("matrix")
    if latest is None or latest.counter != counter:
        with _lock:
            latest = _latest.get("matrix")
            if latest is None or latest.counter != counter:
                latest = _latest["matrix"] = build(counter)
    return latest


def forget() -> None:
    """Drop this process's matrix (tests start from a database whose counter has gone back)."""
    _latest.clear()


def build(counter: int) -> ProfileMatrix:
    """Read everything: current people, and the estimates they have."""
    rows = list(Person.objects.current().order_by("pk").values_list("pk", "kind"))
    people = np.array([pk for pk, _ in rows], dtype=np.int64)
    skills = max(Skill.objects.values_list("column", flat=True), default=-1) + 1
    shape = (skills, len(people))
    mean = np.full(shape, scoring.PRIOR_MEAN, dtype=np.float32)
    sd = np.full(shape, scoring.PRIOR_SD, dtype=np.float32)
    assessed = np.zeros(shape, dtype=np.bool_)
    values = Estimate.objects.of_current_people().order_by().values_list("person_id", "skill__column", "mean", "sd")
    found = np.array(list(values.iterator(chunk_size=20_000)), dtype=np.float64).reshape(-1, 4)
    if found.size and people.size:
        owner = found[:, 0].astype(np.int64)
        at = np.minimum(np.searchsorted(people, owner), people.size - 1)
        known = people[at] == owner
        column, at = found[known, 1].astype(np.intp), at[known]
        mean[column, at], sd[column, at], assessed[column, at] = found[known, 2], found[known, 3], True
    is_employee = np.array([kind == Person.Kind.EMPLOYEE for _, kind in rows], dtype=np.bool_)
    thresholds = parameters.current().thresholds
    return ProfileMatrix(counter, people, is_employee, Profiles(mean, sd, assessed), thresholds)


def scored(requirements) -> list[ScoredRequirement]:
    """A role version's requirements as the engine reads them."""
    return [
        ScoredRequirement(
            skill=line.skill.column,
            level=float(line.level),
            weight=float(line.weight),
            essential=line.is_essential,
            standard_error=line.standard_error,
            target=float(line.target),
        )
        for line in requirements
    ]
