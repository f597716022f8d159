"""What the child process does: limits itself, reads a file, writes its table as lines of JSON.

The first line is about the file, the next ones are rows, the last one tells what is wrong with single rows. A file that
cannot be read leaves one line with the sentence.
"""

import json
import sys
import zipfile
import zlib
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any
from xml.parsers.expat import ExpatError

from . import headings, kinds
from .delimited import Delimited
from .tables import Choices, Limits, Row, UploadError, fitted, flawed, trimmed
from .workbooks import Workbook

UNREADABLE = "This is no workbook that can be read. Save it as .xlsx or CSV and try again."
TOO_LARGE = (
    "Reading this file takes more memory than a table should. Copy the table alone into a new file and try again."
)
TOP = 12
"""Rows that are shown for choosing the heading."""


def limit(limits: Limits) -> None:
    """From here on this process has so much memory and time; the system itself sees to it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read what standard input asks for."""
    asked = json.load(sys.stdin)
    limits = Limits(**asked["limits"])
    limit(limits)
    choices = Choices(**asked["choices"])
    out = Path(asked["out"])
    sentence = ""
    try:
        with out.open("w", encoding="utf-8") as file:
            table(Path(asked["path"]), choices, limits, file)
    except UploadError as error:
        sentence = str(error)
    except MemoryError:
        sentence = TOO_LARGE
    except ExpatError as error:
        sentence = TOO_LARGE if "memory" in str(error) else UNREADABLE
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
        LookupError,
        ValueError,
    ):
        sentence = UNREADABLE
    if sentence:
        out.write_text(json.dumps({"refused": sentence}) + "\n", encoding="utf-8")


def table(path: Path, choices: Choices, limits: Limits, out: IO[str]) -> None:
    """Write the table of a file."""
    source = Workbook(path, choices, limits) if kinds.is_workbook(path) else Delimited(path, choices, limits)
    first = list(islice(source.rows(), headings.LOOKED_AT))
    if not first:
        raise UploadError("The file is empty.")
    heading = _heading(source, first, choices)
    header = trimmed(heading[1])
    if len(header) > limits.columns:
        width = f"{len(header)}" if len(header) <= 300 else "more than 300"
        raise UploadError(f"The file has {width} columns; {limits.columns} are the most that can be read.")
    source.expect(len(header))
    about = source.about
    about.heading = heading[0]
    about.top = _top(first)
    write = _writer(out)
    write({"header": [cell[: limits.cell] for cell in header], "about": vars(about)})
    below = (row for row in source.rows() if row[0] > heading[0])
    numbers = []
    for number, cells in fitted(below, len(header), limits):
        write([number, cells])
        numbers.append(number)
    if not numbers:
        raise UploadError("The file has a heading and no rows below it.")
    write({"rows": len(numbers), "flaws": list(flawed(numbers, source.flaws()))})


def _heading(source: Workbook | Delimited, first: list[Row], choices: Choices) -> Row:
    if not choices.heading:
        return first[headings.choose(first, choices.wanted)[0]]
    for row in chain(first, source.rows() if choices.heading > first[-1][0] else ()):
        if row[0] >= choices.heading:
            return row
    raise UploadError(f"There is no row {choices.heading} that could be the heading.")


def _top(first: list[Row]) -> list[Row]:
    """The first rows, cut to what a page shows of them and equally wide."""
    rows = first[:TOP]
    width = min(8, max(len(cells) for _, cells in rows))
    return [(number, [*(cell[:40] for cell in cells[:width]), *[""] * (width - len(cells))]) for number, cells in rows]


def _writer(out: IO[str]) -> Any:
    def write(thing: Any) -> None:
        out.write(json.dumps(thing))
        out.write("\n")

    return write
