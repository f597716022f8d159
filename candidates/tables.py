"""Everybody's levels as arrays, and the files in which processes share them.

A file is written beside its place, flushed to the disk and renamed. It ends with sums of its blocks (``checksums``), so
that one which was damaged or cut afterwards is refused. It is mapped into memory copy-on-write: pages that nobody
changes are shared by all processes, changed ones are the process's own.
"""

import json
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import scoring
from candidates import checksums

MAGIC, VERSION = b"SOCIALST", 2
PAGE = 4096
HEADER = 16 * PAGE
SPARE_SKILLS = 4


class TableError(Exception):
    """A file that cannot be used, and why."""


@dataclass(frozen=True)
class Batch:
    """The levels of some people, read at one moment: ``present`` and ``employee`` (P,), the rest (S, P).

    Who is not present is gone, no employee, and nothing of them is assessed.
    """

    people: np.ndarray
    present: np.ndarray
    employee: np.ndarray
    mean: np.ndarray
    inverse: np.ndarray
    assessed: np.ndarray

    @classmethod
    def of_priors(cls, people: np.ndarray, present: np.ndarray, employee: np.ndarray, skills: int) -> "Batch":
        return cls(people, present, employee, *priors(skills, len(people)))

    def put(self, column: np.ndarray, at: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> int:
        """Set estimates, one an entry; returns how many are none (not finite, or sd <= 0) and stay not assessed."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mean, inverse = np.asarray(mean, dtype=np.float32), np.float32(1.0) / np.asarray(sd, dtype=np.float32)
        good = np.isfinite(mean) & np.isfinite(inverse) & (inverse > 0)
        column, at = column[good], at[good]
        self.mean[column, at], self.inverse[column, at], self.assessed[column, at] = mean[good], inverse[good], True
        return int(good.size - good.sum())


def priors(skills: int, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, inverse, assessed) of people nobody knows anything of."""
    shape = (skills, people)
    mean = np.full(shape, scoring.PRIOR_MEAN, dtype=np.float32)
    return mean, np.full(shape, 1.0 / scoring.PRIOR_SD, dtype=np.float32), np.zeros(shape, dtype=np.bool_)


def sections(capacity: int, skills: int) -> list[tuple[str, np.dtype, tuple[int, ...]]]:
    matrix = (skills, capacity)
    return [
        ("people", np.dtype(np.int64), (capacity,)),
        ("present", np.dtype(np.bool_), (capacity,)),
        ("employee", np.dtype(np.bool_), (capacity,)),
        ("mean", np.dtype(np.float32), matrix),
        ("inverse", np.dtype(np.float32), matrix),
        ("assessed", np.dtype(np.bool_), matrix),
        ("by_person", np.dtype(np.float32), (capacity, skills, 2)),
    ]


class Table:
    """``size`` of ``capacity`` people in columns, skill-major: ``mean``, ``inverse`` of sd and ``assessed``
    (skills, capacity); and person-major ``by_person`` (capacity, skills, 2): mean and inverse, 0 where not assessed.

    The first ``sorted`` people are in ascending order of their keys, the rest in that of their arrival (``tail``).
    """

    people: np.ndarray
    present: np.ndarray
    employee: np.ndarray
    mean: np.ndarray
    inverse: np.ndarray
    assessed: np.ndarray
    by_person: np.ndarray

    def __init__(self, arrays: dict[str, np.ndarray], size: int, path: Path | None = None):
        for name, array in arrays.items():
            setattr(self, name, array)
        self.size = self.sorted = size
        self.path = path
        self.state: list[int] = []
        self.tail: dict[int, int] = {}
        self.applied = 0

    @property
    def capacity(self) -> int:
        return len(self.people)

    @property
    def skills(self) -> int:
        return len(self.mean)

    @classmethod
    def empty(cls, capacity: int, skills: int) -> "Table":
        arrays = {name: np.zeros(shape, dtype) for name, dtype, shape in sections(capacity, skills)}
        arrays["mean"], arrays["inverse"], arrays["assessed"] = priors(skills, capacity)
        arrays["by_person"][:] = scoring.PRIOR_MEAN, 0.0
        return cls(arrays, 0)

    @classmethod
    def of(cls, batch: Batch) -> "Table":
        """Of people in ascending order, with room for more."""
        size, skills = len(batch.people), len(batch.mean)
        table = cls.empty(size + max(256, size // 64), skills + SPARE_SKILLS)
        table._set(np.arange(size), batch)
        table.size = table.sorted = size
        return table

    def rows(self, people: np.ndarray) -> np.ndarray:
        """The column of each, -1 for who is not in the table."""
        people = np.asarray(people, dtype=np.int64)
        found = np.full(len(people), -1, dtype=np.intp)
        if self.sorted:
            at = np.minimum(np.searchsorted(self.people[: self.sorted], people), self.sorted - 1)
            found = np.where(self.people[at] == people, at, -1)
        if self.tail:
            for n in np.flatnonzero(found < 0):
                found[n] = self.tail.get(int(people[n]), -1)
        return found

    def grown(self, people: int, skills: int) -> "Table":
        """The table itself, or a larger one where there is no room for so many more people, or so many skills."""
        if self.size + people <= self.capacity and skills <= self.skills:
            return self
        wanted = self.size + people
        larger = Table.empty(
            max(self.capacity, wanted + max(256, wanted // 16)), max(self.skills, skills + SPARE_SKILLS)
        )
        for name, _, _ in sections(0, 0):
            old = getattr(self, name)
            getattr(larger, name)[tuple(slice(n) for n in old.shape)] = old
        larger.size, larger.sorted, larger.tail, larger.applied = self.size, self.sorted, dict(self.tail), self.applied
        return larger

    def copy(self) -> "Table":
        arrays = {name: getattr(self, name).copy() for name, _, _ in sections(0, 0)}
        other = Table(arrays, self.size)
        other.sorted, other.tail, other.applied = self.sorted, dict(self.tail), self.applied
        return other

    def apply(self, batch: Batch) -> None:
        """Put newer levels in the place of older ones; needs room (``grown``)."""
        rows = self.rows(batch.people)
        for n in np.flatnonzero(rows < 0):
            rows[n] = self.tail[int(batch.people[n])] = self.size
            self.size += 1
        self._set(rows, batch)

    def _set(self, rows: np.ndarray, batch: Batch) -> None:
        known = len(batch.mean)
        self.people[rows], self.present[rows], self.employee[rows] = batch.people, batch.present, batch.employee
        self.mean[:known, rows], self.inverse[:known, rows] = batch.mean, batch.inverse
        self.assessed[:known, rows] = batch.assessed
        self.by_person[rows, :known, 0] = batch.mean.T
        self.by_person[rows, :known, 1] = np.where(batch.assessed, batch.inverse, 0.0).T

    def save(self, path: Path, about: dict) -> None:
        """Write the people who are present, in order, with ``about`` in the header; all or nothing."""
        order = np.flatnonzero(self.present[: self.size])
        order = order[np.argsort(self.people[order], kind="stable")]
        capacity = len(order) + max(256, len(order) // 64)
        about = {**about, "name": path.name, "size": len(order), "capacity": capacity, "skills": self.skills}
        header = json.dumps(about).encode()
        if len(header) > HEADER - 20:
            raise TableError("There is too much to say in the header.")
        blank = Table.empty(capacity - len(order), self.skills)
        draft = path.with_suffix(".draft")
        try:
            with draft.open("wb") as raw:
                file = checksums.Summed(raw)
                file.write(MAGIC + struct.pack("<IQ", VERSION, len(header)) + header)
                places = offsets(capacity, self.skills)
                for (name, _, _), place in zip(sections(capacity, self.skills), places, strict=False):
                    file.pad(place)
                    self._write(file, getattr(self, name), getattr(blank, name), order)
                file.pad(places[-1])
                file.finish()
                raw.flush()
                os.fsync(raw.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)

    @staticmethod
    def _write(file, own: np.ndarray, blank: np.ndarray, order: np.ndarray) -> None:
        if own.ndim == 2:
            for row, rest in zip(own, blank, strict=True):
                file.write(row[order])
                file.write(rest)
            return
        for start in range(0, len(order), 1 << 16):
            file.write(np.ascontiguousarray(own[order[start : start + (1 << 16)]]))
        file.write(np.ascontiguousarray(blank))

    @classmethod
    def open(cls, path: Path) -> tuple["Table", dict]:
        """Map a file; raises TableError for one that is damaged, of another version or name, or no such file at all."""
        with path.open("rb") as file:
            about = read_header(file)
            if about.get("name") != path.name:
                raise TableError(f"It was written as {str(about.get('name'))[:40]!r}.")
            capacity, skills = about["capacity"], about["skills"]
            places = offsets(capacity, skills)
            state = checksums.state(file.fileno())
            if state[1] != checksums.with_sums(places[-1]):
                raise TableError("The file has been cut short, or something was put at its end.")
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            if not checksums.is_noted(path, state):
                checksums.let_settle(state)
                if not checksums.is_whole(whole, places[-1]):
                    raise TableError("The file is damaged: its sums do not fit.")
                if checksums.state(file.fileno()) == state:
                    checksums.note(path, state)
        arrays = {
            name: np.frombuffer(whole, dtype, int(np.prod(shape)), offset).reshape(shape)
            for (name, dtype, shape), offset in zip(sections(capacity, skills), places, strict=False)
        }
        table = cls(arrays, about["size"], path)
        table.state = state
        return table, about


def read_header(file) -> dict:
    start = file.read(20)
    if len(start) < 20 or start[:8] != MAGIC:
        raise TableError("This is no file of levels.")
    version, length = struct.unpack("<IQ", start[8:])
    if version != VERSION:
        raise TableError(f"The file has version {version}, and {VERSION} is understood.")
    try:
        about = json.loads(file.read(min(length, HEADER)))
        if not (0 <= about["size"] <= about["capacity"] < 1 << 40 and 0 <= about["skills"] < 1 << 20):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise TableError("The header cannot be read.") from error
    return about


def offsets(capacity: int, skills: int) -> list[int]:
    """Where each section begins, on pages of their own, and where the sums stand."""
    found, at = [], HEADER
    for _, dtype, shape in sections(capacity, skills):
        found.append(at)
        at += -(-int(np.prod(shape)) * dtype.itemsize // PAGE) * PAGE
    return [*found, at]


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
