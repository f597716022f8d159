"""Snapshot files of everybody's levels: which there are, which of them may be read, and writing the next."""

import contextlib
import fcntl
from pathlib import Path

from django.utils import timezone

import scoring
from candidates import changes, checksums
from candidates.models import Change
from candidates.tables import Table, TableError
from roles.models import Skill
from socialstrategy.jobs.models import Job


def newest_first(folder: Path) -> list[Path]:
    """Snapshot files, the newest first."""
    return sorted(folder.glob("[0-9]*.levels"), reverse=True)


@contextlib.contextmanager
def locked(folder: Path):
    """One process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write(folder: Path, table: Table, mark: changes.Mark) -> Path:
    """A newest snapshot; older ones go, but for those that a job still reads."""
    about = {
        "horizon": mark.horizon,
        "made_at": timezone.now().timestamp(),
        "anchor": _anchor(),
        "catalogue": _catalogue(),
        "engine": scoring.ENGINE_VERSION,
    }
    folder.mkdir(parents=True, exist_ok=True)
    old = newest_first(folder)
    path = folder / f"{1 + (int(old[0].stem) if old else 0):010}.levels"
    table.save(path, about)
    # Read back by who has written it: nobody else on this machine need compare its sums.
    Table.open(path)
    # Whoever has an older one mapped keeps it until they let it go; jobs may open theirs again.
    used = set(Job.objects.active().values_list("arguments__snapshot", flat=True))
    for one in [*old, *folder.glob("*.draft")]:
        if one.name not in used:
            for each in [one, *checksums.notes(one)]:
                each.unlink(missing_ok=True)
    return path


def _anchor() -> list[int]:
    """A change that only this database has, and no older copy of it."""
    newest = Change.objects.order_by("-pk")
    if not newest.exists():
        Change.note()
    return list(newest.values_list("pk", "token")[0])


def _catalogue() -> list[list[int]]:
    return [list(pair) for pair in Skill.objects.order_by("column").values_list("column", "pk")]


def read(path: Path) -> tuple[Table, changes.Mark]:
    """A snapshot, and the mark up to which it has everything.

    Raises
    ------
    OSError, TableError : there is none, it is damaged, or not of this database, catalogue and engine.
    """
    table, about = Table.open(path)
    try:
        _check(about)
        return table, changes.Mark(int(about["horizon"]))
    except (KeyError, TypeError, ValueError) as error:
        raise TableError("The header cannot be read.") from error


def _check(about: dict) -> None:
    """That a snapshot is of this database, this catalogue and this engine, and fresh enough."""
    if about.get("engine") != scoring.ENGINE_VERSION:
        raise TableError("It was made by another version of the engine.")
    if timezone.now().timestamp() - about["made_at"] >= changes.FRESH.total_seconds():
        raise TableError("It is too old: the log of changes need not reach back so far.")
    number, token = about["anchor"]
    if not Change.objects.filter(pk=number, token=token).exists():
        raise TableError("It belongs to another database, or to a later state of it.")
    now = {tuple(pair) for pair in _catalogue()}
    if not {tuple(pair) for pair in about["catalogue"]} <= now:
        raise TableError("It belongs to another catalogue of skills.")
