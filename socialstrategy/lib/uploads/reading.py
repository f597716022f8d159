"""Reading an upload in a child process: it may cost so much memory and time and no more, whatever the file holds.

The child has no settings, no secrets and no database connection; it sees the file and writes what it found beside it.
Nothing is parsed here, and no transaction needs to be open meanwhile.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from socialstrategy.lib.uploads.tables import About, Choices, Limits, Row, UploadError

FOLDER = Path(__file__).resolve().parent
PROGRAM = f"import sys; sys.path.append({str(FOLDER.parent)!r}); from {FOLDER.name}.child import main; main()"
TOO_SLOW = "Reading this file takes longer than a table should. Copy the table alone into a new file and try again."
BROKEN = "This file cannot be read. Copy the table alone into a new file and try again."
WALL = 4
"""A busy machine gives a process a part of its time: it may take so many times its seconds by the clock."""
LEFT_AFTER = 3600
"""Seconds after which nobody reads any more in a folder of a reading."""


class TooSlowError(UploadError):
    """The time was up before the file was read."""


class Table:
    """What the child has found. ``rows`` reads on from the disk, so that a large table needs little memory here."""

    def __init__(self, lines: Path):
        self._lines = lines
        with lines.open(encoding="utf-8") as file:
            first = json.loads(file.readline() or "{}")
        if "header" not in first:
            raise UploadError(first.get("refused", BROKEN))
        self.header: list[str] = first["header"]
        self.about = About(**first["about"])
        end = _last_line(lines)
        self.count: int = end["rows"]
        self.flaws: dict[int, str] = dict(end["flaws"])

    def rows(self) -> Iterator[Row]:
        """Numbers, as a spreadsheet shows them, and cells; empty cells at the end of a row are left out."""
        with self._lines.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                row = json.loads(line)
                if isinstance(row, list):
                    yield row[0], row[1]


def _room() -> Path:
    return Path(settings.VAR_DIR) / "reading"


def clear_away(now: float) -> None:
    """Remove what readings that were killed have left; none takes so long as what is removed is old."""
    for folder in _room().glob("*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < now - LEFT_AFTER:
                shutil.rmtree(folder)


@contextmanager
def read(source: bytes | Path, choices: Choices | None = None, limits: Limits | None = None) -> Iterator[Table]:
    """The table of a file, for as long as the ``with`` lasts.

    Raises
    ------
    UploadError : nothing that can be read, or too much of it, in a sentence (TooSlowError: the time was up).
    """
    choices, limits = choices or Choices(), limits or Limits()
    room = _room()
    room.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=room) as folder:
        path = source if isinstance(source, Path) else Path(folder) / "upload"
        if isinstance(source, bytes):
            path.write_bytes(source)
        out = Path(folder) / "table"
        _run({"path": str(path), "out": str(out), "choices": asdict(choices), "limits": asdict(limits)}, folder, limits)
        yield Table(out)


def _run(asked: dict, folder: str, limits: Limits) -> None:
    try:
        # -I: nothing of our folder, our environment or the user's is imported.
        done = subprocess.run(
            [sys.executable, "-I", "-B", "-c", PROGRAM],
            input=json.dumps(asked).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8"},
            timeout=limits.seconds * WALL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TooSlowError(TOO_SLOW) from error
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise TooSlowError(TOO_SLOW)
    if done.returncode or not Path(asked["out"]).exists():
        raise UploadError(BROKEN)


def _last_line(path: Path) -> dict:
    """Where the table ends, as the child has written it last."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        back = 4096
        while True:
            file.seek(max(0, size - back))
            lines = file.read().rstrip(b"\n").rpartition(b"\n")
            if lines[1] or back >= size:
                found = json.loads(lines[2] or b"{}")
                if not isinstance(found, dict) or "rows" not in found:
                    raise UploadError(BROKEN)
                return found
            back *= 16
