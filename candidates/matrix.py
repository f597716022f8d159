"""The profile matrix: everybody's levels as arrays, the read model of every ranking.

Each process maps the newest snapshot file and brings it up to date before each use, from the people who have changed
since (``changes``). A matrix that somebody holds never changes: newer levels are put into another table, and the older
one is used again when nobody holds it any more. So no reader ever sees half of a change.
"""

import contextlib
import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone

from candidates import changes, checksums, loading, parameters, snapshots
from candidates.models import Change, Person
from candidates.tables import Batch, Table, TableError
from scoring.fit import Requirement as ScoredRequirement
from scoring.fit import Thresholds
from scoring.profiles import Profiles
from scoring.ranking import Standing

logger = logging.getLogger(__name__)
SHARED_FROM = 20_000
"""People from whom on the first process writes a snapshot for the others, instead of each reading the database."""
BACKGROUND_FROM = 300_000
"""People from whom on nobody at a page is kept waiting while they are read: a job does it."""
STANDINGS = 4
"""Roles of which a matrix keeps how everybody stands: 18 bytes a person each."""
MOST_BATCHES = 5_000
FEW = 20_000


class NotReadyError(Exception):
    """So many people are read by a job first."""


_hurried: ContextVar[bool] = ContextVar("hurried", default=False)


@contextlib.contextmanager
def hurried():
    """Within it NotReadyError is raised where very many people would have to be read first: somebody is waiting."""
    token = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(token)


@dataclass(frozen=True, eq=False)
class ProfileMatrix:
    """``profiles`` are skill-major; ``people`` holds the primary key of each column, of those ``present`` and others.

    ``version`` rises with everything that is read from memory, within this process; ``others`` is the one at which
    anything changed that is neither a person nor an estimate: skills, teams, parameters. ``standing`` gives everybody
    against a role, and keeps the last few. ``log``: what was put in since the snapshot; this one has the first
    ``changes`` of it.
    """

    version: int
    others: int
    people: np.ndarray
    present: np.ndarray
    is_employee: np.ndarray
    profiles: Profiles
    by_person: np.ndarray
    thresholds: Thresholds
    table: Table
    standing: Callable[[tuple[ScoredRequirement, ...]], Standing]
    log: list[Batch]
    changes: int

    @property
    def everybody(self) -> np.ndarray:
        """Columns of all who are there."""
        return self.profiles.everybody

    def rows(self, primary_keys) -> np.ndarray:
        """Columns of these people, ascending, those who are not there left out."""
        found = self.table.rows(np.fromiter(primary_keys, dtype=np.int64))
        found = np.unique(found[found >= 0])
        return found[self.present[found]]

    def rows_of(self, groups: list[np.ndarray]) -> list[np.ndarray]:
        """``rows`` of many groups at once, each in the order given."""
        if not groups:
            return []
        found = self.table.rows(np.concatenate(groups))
        is_there = (found >= 0) & self.present[found]
        ends = np.cumsum([len(group) for group in groups])[:-1]
        return np.split(found[is_there], np.concatenate([[0], np.cumsum(is_there)])[ends])

    def changed_since(self, earlier: "ProfileMatrix") -> np.ndarray | None:
        """Primary keys of those who have changed since an earlier matrix, who kept their columns; None when that is
        not known, since this one was begun anew."""
        if earlier.log is not self.log:
            return None
        none = np.zeros(0, dtype=np.int64)
        return np.unique(np.concatenate([none, *(batch.people for batch in self.log[earlier.changes : self.changes])]))


class _Leased:
    """An array that keeps the lease of its table: views of views keep it, too."""

    def __init__(self, array: np.ndarray, lease: object):
        self.array, self.lease = array, lease
        self.__array_interface__ = array.__array_interface__


class _Lease:
    pass


def _leased(table: Table, version: int, others: int, thresholds: Thresholds, log: list[Batch], back) -> ProfileMatrix:
    lease = _Lease()
    weakref.finalize(lease, back, table).atexit = False
    names = ("people", "employee", "present", "mean", "inverse", "assessed", "by_person")
    arrays = {name: np.asarray(_Leased(getattr(table, name), lease)) for name in names}
    profiles = Profiles.of_inverse(arrays["mean"], arrays["inverse"], arrays["assessed"], arrays["present"])
    return ProfileMatrix(
        version=version,
        others=others,
        people=arrays["people"],
        present=arrays["present"],
        is_employee=arrays["employee"],
        profiles=profiles,
        by_person=arrays["by_person"],
        thresholds=thresholds,
        table=table,
        # It knows the profiles and not the matrix: when nobody holds that any more, all of it goes at once.
        standing=lru_cache(STANDINGS)(lambda role: Standing(profiles, role, thresholds=thresholds)),
        log=log,
        changes=len(log),
    )


@dataclass(frozen=True, eq=False)
class Published:
    """The newest matrix, the mark up to which it has everything, and when that was so (seconds)."""

    matrix: ProfileMatrix
    mark: changes.Mark
    at: float

    @property
    def is_fresh(self) -> bool:
        return time.time() - self.at < changes.FRESH.total_seconds()


_versions = itertools.count(1)


def _silent(done: int, total: int) -> None:
    pass


class Keeper:
    """What one process keeps: the newest matrix, tables that are free, and the batches since their file."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.lock = threading.RLock()
        self.published: Published | None = None
        self.free: list[Table] = []
        self.batches: list[Batch] = []
        self.path: Path | None = None
        self.state: list[int] = []
        self.others = 0
        self.skills = 0

    def current(self, tell=_silent) -> ProfileMatrix:
        """The matrix of everything that has been committed; ``tell`` of the progress where everybody must be read."""
        published, news = self.published, None
        if published is not None and published.is_fresh and not self._file_is_spoilt():
            news = changes.since(published.mark)
            if not news.anything:
                self._advance(published, news.mark)
                return published.matrix
        with self.lock:
            # Whoever waited for the lock asks again: another thread has been here.
            return self._renew(news if self.published is published else None, tell).matrix

    def _advance(self, old: Published, mark: changes.Mark) -> None:
        if mark != old.mark:
            with self.lock:
                if self.published is old:
                    self.published = Published(old.matrix, mark, time.time())

    def _renew(self, news: changes.News | None, tell) -> Published:
        published = self.published
        if published is None or not published.is_fresh or self._file_is_spoilt():
            return self._begin(tell)
        news = news or changes.since(published.mark)
        if not news.anything:
            return published
        if len(self.batches) >= MOST_BATCHES or len(news.people) > FEW or self._newer_file():
            return self._begin(tell)
        thresholds = parameters.current().thresholds if news.others else published.matrix.thresholds
        table = self.free.pop() if self.free else self._another_table(published.matrix)
        return self._publish(news, table, thresholds)

    def _file_is_spoilt(self) -> bool:
        """Whether somebody has written into the file that is mapped, so that what is read from it may be anything."""
        path = self.path
        try:
            if path is None or checksums.state(path) == self.state:
                return False
            self.state = Table.open(path)[0].state
        except FileNotFoundError:
            # A newer one has taken its place; what is mapped stays.
            return False
        except (OSError, TableError) as error:
            logger.warning("The snapshot %s is let go: %s", self.path and self.path.name, error)
            return True
        return False

    def _newer_file(self) -> bool:
        """Whether a snapshot can take the place of what this process has put together itself."""
        if sum(len(one.people) for one in self.batches) <= 100:
            return False
        found = snapshots.newest_first(self.folder)
        return bool(found) and found[0] != self.path

    def _publish(self, news: changes.News, table: Table, thresholds: Thresholds) -> Published:
        """Put what has changed into a table that nobody holds, and let everybody have that one from now on."""
        self.skills = loading.skills() if news.others else self.skills
        if news.people:
            self.batches.append(loading.few(news.people, self.skills))
            self.skills = len(self.batches[-1].mean)
        waiting = self.batches[table.applied :]
        people = sum(len(batch.people) for batch in waiting)
        table = table.grown(people, self.skills)
        for batch in waiting:
            table.apply(batch)
        table.applied = len(self.batches)
        version = next(_versions)
        self.others = version if news.others else self.others
        matrix = _leased(table, version, self.others, thresholds, self.batches, self._take_back(self.batches))
        self.published = Published(matrix, news.mark, time.time())
        return self.published

    def _take_back(self, batches: list[Batch]):
        """A table comes back when nobody holds it; one that belongs to an earlier file does not."""

        def back(table: Table) -> None:
            if self.batches is batches and len(self.free) < 2:
                self.free.append(table)

        return back

    def _another_table(self, before: ProfileMatrix) -> Table:
        if self.path is not None:
            with contextlib.suppress(OSError, TableError):
                return Table.open(self.path)[0]
        return before.table.copy()

    def _begin(self, tell) -> Published:
        """From the newest snapshot that fits the database, or else from the database; ``tell`` of the progress."""
        found = self._open()
        if found is not None:
            return found
        people = Person.objects.current().count()
        if people >= BACKGROUND_FROM and _hurried.get():
            raise NotReadyError(people)
        if people < SHARED_FROM:
            return self._read(tell)
        with snapshots.locked(self.folder):
            # Whoever waited finds what the other has made.
            found = self._open()
            if found is not None:
                return found
            published = self._read(tell)
            self.save(published)
            return self._open() or published

    def _open(self) -> Published | None:
        for path in snapshots.newest_first(self.folder):
            try:
                table, mark = snapshots.read(path)
            except (OSError, TableError) as error:
                logger.warning("The snapshot %s is not used: %s", path.name, error)
                continue
            if len(changes.since(mark).people) > FEW:
                logger.warning("The snapshot %s is not used: too much has changed since.", path.name)
                continue
            return self._restart(path, table, mark)
        return None

    def _read(self, tell) -> Published:
        mark = changes.start()
        batch = loading.everybody(tell)
        return self._restart(None, Table.of(batch), mark)

    def _restart(self, path: Path | None, table: Table, mark: changes.Mark) -> Published:
        # A list of its own: tables of the earlier one do not come back.
        self.path, self.state, self.batches, self.free = path, table.state, [], []
        news = replace(changes.since(mark), others=True)
        return self._publish(news, table, parameters.current().thresholds)

    def save(self, published: Published) -> Path:
        """Write a newest snapshot, and remove the older ones."""
        with self.lock:
            return snapshots.write(self.folder, published.matrix.table, published.mark)


_keeper = Keeper(Path(settings.VAR_DIR) / "matrix")


def current() -> ProfileMatrix:
    """The matrix of everything that has been committed."""
    return _keeper.current()


def forget() -> None:
    """Drop what this process keeps (tests begin with another database)."""
    global _keeper
    _keeper = Keeper(Path(settings.VAR_DIR) / "matrix")


def renew_snapshot(tell=_silent) -> Path | None:
    """Write a snapshot when enough has changed, and forget old changes; gives the new file, if there is one.

    One is written after half the time at the latest for which it may be read.
    """
    Change.prune(timezone.now())
    keeper = _keeper
    with keeper.lock:
        matrix, published = keeper.current(tell), keeper.published
        found = snapshots.newest_first(keeper.folder)
        changed = sum(len(one.people) for one in keeper.batches)
        # Well before other processes can no longer catch up from the file there is.
        is_enough = changed > min(FEW // 2, max(500, len(matrix.everybody) // 50))
        # There is none, or what there is was refused.
        is_none = not found or keeper.path is None
        is_old = is_none or time.time() - found[0].stat().st_mtime > changes.FRESH.total_seconds() / 2
        if published is None or not (is_enough or is_old):
            return None
        with snapshots.locked(keeper.folder):
            path = keeper.save(published)
        keeper._open()
        return path


def snapshot() -> tuple[Path, ProfileMatrix]:
    """The newest snapshot file with everything that is committed now, written if there is none such; and its matrix."""
    keeper = _keeper
    with keeper.lock:
        matrix, published = keeper.current(), keeper.published
        if (keeper.path is not None and not keeper.batches) or published is None:
            return keeper.path or Path(), matrix
        with snapshots.locked(keeper.folder):
            path = keeper.save(published)
        return path, of_snapshot(path.name)


def of_snapshot(name: str) -> ProfileMatrix:
    """The matrix of a snapshot as it was written; where this machine does not have it, that of what is known now."""
    try:
        table, _ = snapshots.read(_keeper.folder / Path(name).name)
    except (OSError, TableError) as error:
        logger.info("The snapshot %s is not here (%s); this part counts what is known now.", name, error)
        return current()
    return _leased(table, 0, 0, parameters.current().thresholds, [], lambda table: None)


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
