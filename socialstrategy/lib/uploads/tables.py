"""What a reader is asked for, what it may cost, and what it gives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MOST_WIDE = 300
"""Cells of a row that are looked at; further ones are told by the last of them."""
BEYOND = 20
"""Cells beyond the heading that are kept, so that a row with a comma too many can be mended."""
MOST_TEXT = 60_000_000
"""Characters of a whole table."""

Row = tuple[int, list[str]]
Flaw = tuple[int, int, str]
"""The first and the last of some rows, and what is wrong with them."""


class UploadError(ValueError):
    """A file that cannot be read, with a sentence that says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What a table may hold, and what reading it may cost: seconds of a processor, bytes of memory."""

    rows: int = 100_000
    columns: int = 60
    cell: int = 1_000
    seconds: int = 10
    memory: int = 300 * 2**20


@dataclass(frozen=True)
class Choices:
    """How a file is to be read, where its reader knows better than we guess; empty or 0: guess.

    ``wanted``: headings (as ``headings.key`` gives them) by which the table is recognised.
    """

    separator: str = ""
    encoding: str = ""
    sheet: str = ""
    heading: int = 0
    wanted: tuple[str, ...] = ()


@dataclass
class About:
    """How a file has been read: what the page shows and offers to change."""

    kind: str
    encoding: str = ""
    is_encoding_guessed: bool = False
    separator: str = ""
    sheet: str = ""
    sheets: list[dict] = field(default_factory=list)
    heading: int = 0
    top: list[Row] = field(default_factory=list)


def trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    last = len(cells)
    while last and not cells[last - 1].strip():
        last -= 1
    return cells[:last]


def fitted(rows: Iterable[Row], width: int, limits: Limits) -> Iterator[Row]:
    """Rows cut to what is kept of them.

    Raises
    ------
    UploadError : more rows or more text than can be read.
    """
    text = 0
    for count, (number, cells) in enumerate(rows, start=1):
        if count > limits.rows:
            raise UploadError(f"The file has more than {limits.rows:,} rows. Split it and try again.")
        if len(cells) > width + BEYOND:
            further = next((cell for cell in cells[width + BEYOND :] if cell.strip()), "")
            cells = trimmed([*cells[: width + BEYOND], further])
        kept = [cell if len(cell) <= limits.cell else cell[: limits.cell + 1] for cell in cells]
        text += sum(map(len, kept))
        if text > MOST_TEXT:
            raise UploadError(
                "The file holds too much text. Split it, or leave out the columns that nobody needs here."
            )
        yield number, kept


def flawed(numbers: Iterable[int], flaws: Iterable[Flaw]) -> Iterator[tuple[int, str]]:
    """Which of some rows, in their order, have a flaw, and what it is."""
    waiting = sorted(flaws, reverse=True)
    last, sentence = 0, ""
    for number in numbers:
        while waiting and waiting[-1][0] <= number:
            _, end, what = waiting.pop()
            if end > last:
                last, sentence = end, what
        if number <= last:
            yield number, sentence
