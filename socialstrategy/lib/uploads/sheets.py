"""Cells of one worksheet, and the texts and formats that they refer to, from XML as it streams by.

Only what is asked for is kept: cells up to a column, their text up to a length. Documents that declare a type (and with
it entities) are refused.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO, Any
from xml.parsers import expat

from .tables import MOST_WIDE, UploadError

CHUNK = 2**16
MOST_UNPACKED = 400 * 2**20
MOST_STRINGS = 2_000_000
MOST_STRING_TEXT = 60_000_000
MOST_MERGED = 1_000
LAST_ROW = 1_048_576
DATES = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}
"""Formats of dates and times that every workbook knows without naming them."""
BARE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
"""What a format says in words: quoted texts, colours, conditions."""
LETTERS = re.compile(r"[A-Z]{1,3}")
Format = str | int | None
"""What is done with a number: "date", how many figures it has at least, or nothing."""


class Stream:
    """Parses an entry of an archive piece by piece, and no further than it may unpack to."""

    def pieces(self, file: IO[bytes], start: Callable, end: Callable, text: Callable | None = None) -> Iterator[None]:
        """Feed the handlers; yields after each piece, so that the caller can take what they have gathered."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
        parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text:
            parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse
        unpacked = 0
        while piece := file.read(CHUNK):
            unpacked += len(piece)
            if unpacked > MOST_UNPACKED:
                raise UploadError(
                    "The workbook unpacks to far more than it holds. Copy the table into a new workbook and try again."
                )
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
        yield

    def through(self, file: IO[bytes], start: Callable, end: Callable, text: Callable | None = None) -> None:
        for _ in self.pieces(file, start, end, text):
            pass


def _refuse(*_: Any) -> None:
    raise UploadError("The workbook declares entities, which no spreadsheet does. It is not read.")


class Strings:
    """The texts that cells refer to by number, each cut to the longest that is kept."""

    def __init__(self, longest: int):
        self.longest = longest
        self.texts: list[str] = []
        self.parts: list[str] = []
        self.length = self.total = self.silent = 0
        self.is_text = False

    def start(self, name: str, attributes: dict) -> None:
        if name == "si":
            self.parts, self.length = [], 0
        elif name == "rPh":
            self.silent += 1
        elif name == "t":
            self.is_text = not self.silent

    def text(self, data: str) -> None:
        if self.is_text and self.length <= self.longest:
            self.parts.append(data[: self.longest + 1 - self.length])
            self.length += len(self.parts[-1])

    def end(self, name: str) -> None:
        if name == "t":
            self.is_text = False
        elif name == "rPh":
            self.silent -= 1
        elif name == "si":
            self.texts.append("".join(self.parts))
            self.total += self.length
            if len(self.texts) > MOST_STRINGS or self.total > MOST_STRING_TEXT:
                raise UploadError("The workbook holds too much text. Copy the table alone into a new workbook.")


class Styles:
    """What the formats of cells make of numbers: dates, and figures with zeros in front."""

    def __init__(self) -> None:
        self.named: dict[int, str] = {}
        self.formats: list[Format] = []
        self.is_cells = False

    def start(self, name: str, attributes: dict) -> None:
        if name == "numFmt":
            self.named[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")[:200]
        elif name == "cellXfs":
            self.is_cells = True
        elif name == "xf" and self.is_cells and len(self.formats) < 100_000:
            number = _whole(attributes.get("numFmtId"))
            self.formats.append("date" if number in DATES else _format(self.named.get(number, "")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.is_cells = False


def _format(code: str) -> Format:
    bare = BARE.sub("", code)
    if re.fullmatch(r"0{2,}", bare):
        return len(bare)
    return "date" if re.search(r"[ymdhs]", bare, re.IGNORECASE) and "general" not in bare.lower() else None


class Sheet:
    """Gathers rows from the events of a worksheet's XML."""

    def __init__(self, strings: list[str], formats: list[Format], longest: int, *, is_1904: bool):
        self.strings, self.formats, self.longest = strings, formats, longest
        self.first_day = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)
        self.rows: list[tuple[int, list[str]]] = []
        self.merged: list[str] = []
        self.merged_count = 0
        self.number = 0
        self.cells: dict[int, str] = {}
        self.beyond = ""
        self.column = -1
        self.kind = self.style = ""
        self.parts: dict[str, list[str]] = {}
        self.inside = ""
        self.length = self.silent = 0
        self.columns: dict[str, int] = {}

    def start(self, name: str, attributes: dict) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in {"v", "t", "f"}:
            self.inside = "" if self.silent else name
            self.length = 0
        elif name == "rPh":
            self.silent += 1
        elif name == "row":
            said = _whole(attributes.get("r"))
            self.number = said if self.number < said <= LAST_ROW else self.number + 1
            self.cells, self.column, self.beyond = {}, -1, ""
        elif name == "mergeCell":
            self.merged_count += 1
            if len(self.merged) < MOST_MERGED:
                self.merged.append(attributes.get("ref", "")[:30])

    def text(self, data: str) -> None:
        if self.inside and self.length <= self.longest:
            part = data[: self.longest + 1 - self.length]
            self.parts.setdefault(self.inside, []).append(part)
            self.length += len(part)

    def end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
        elif name in {"v", "t", "f"}:
            self.inside = ""
        elif name == "rPh":
            self.silent -= 1
        elif name == "row":
            self._end_row()

    def take(self) -> list[tuple[int, list[str]]]:
        """The rows that have come since."""
        rows, self.rows = self.rows, []
        return rows

    def _begin_cell(self, attributes: dict) -> None:
        found = LETTERS.match(attributes.get("r", ""))
        self.column = self._place(found[0]) if found else self.column + 1
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
        self.parts = {}

    def _place(self, letters: str) -> int:
        place = self.columns.get(letters)
        if place is None:
            place = 0
            for letter in letters:
                place = place * 26 + ord(letter) - 64
            place = self.columns[letters] = place - 1
        return place

    def _end_cell(self) -> None:
        if not self.parts:
            return
        text = self._text()
        if not text.strip():
            return
        if self.column < MOST_WIDE:
            self.cells[self.column] = text
        else:
            self.beyond = self.beyond or text

    def _text(self) -> str:
        """A cell as one would type it."""
        value = "".join(self.parts.get("v", ()))
        if self.kind == "s":
            at = _whole(value, default=-1)
            return self.strings[at] if 0 <= at < len(self.strings) else ""
        if self.kind == "inlineStr":
            return "".join(self.parts.get("t", ()))
        if not value and "f" in self.parts:
            # A formula without a stored result, as some programs write it: it stands for itself.
            return "=" + "".join(self.parts["f"])
        if self.kind == "b":
            return "yes" if value.strip() == "1" else "no"
        return self._number(value) if self.kind == "n" else value

    def _number(self, value: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        at = _whole(self.style, default=-1)
        format_ = self.formats[at] if 0 <= at < len(self.formats) else None
        if format_ == "date":
            return self._date(number, value)
        if not number.is_integer() or abs(number) >= 1e15:
            return f"{number:.15g}"
        text = str(int(number))
        return text.zfill(format_) if isinstance(format_, int) else text

    def _date(self, number: float, value: str) -> str:
        if not 0 <= number < 2_958_466:
            return value
        # Spreadsheets count a 29 February 1900 that never was.
        days = number + 1 if self.first_day.year == 1899 and number < 60 else number
        moment = self.first_day + timedelta(seconds=round(days * 86_400))
        if number < 1:
            return moment.time().isoformat()
        return (moment.date() if number.is_integer() else moment).isoformat()

    def _end_row(self) -> None:
        if not self.cells and not self.beyond:
            return
        cells = [""] * (MOST_WIDE if self.beyond else max(self.cells) + 1)
        for column, text in self.cells.items():
            cells[column] = text
        self.rows.append((self.number, [*cells, self.beyond] if self.beyond else cells))


def _whole(text: str | None, default: int = 0) -> int:
    return int(text) if text and len(text) < 12 and text.isascii() and text.strip().isdigit() else default
