"""CSV and its relatives: any line end, several separators and encodings, quotation marks where they were forgotten.

What is written by the rules is read by the rules. Where a row does not follow them (a quotation mark that is never
closed, or one in the middle), it alone is read in the way that gives as many cells as the heading has.
"""

import codecs
import re
from collections import deque
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TextIO

from .headings import LOOKED_AT, recognised
from .tables import MOST_WIDE, About, Choices, Flaw, Limits, Row, UploadError, trimmed

SEPARATORS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
ENCODINGS = {
    "utf-8-sig": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "utf-16-le": "Unicode (UTF-16, little-endian, without a mark)",
    "utf-16-be": "Unicode (UTF-16, big-endian, without a mark)",
    "utf-32": "Unicode (UTF-32)",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-15": "Western European (Latin-9)",
    "latin-1": "Western European (Latin-1)",
    "mac-roman": "Western European (Macintosh)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NO_TEXT = "This is neither CSV nor XLSX. In a spreadsheet, choose “Save as” and one of them."
CHUNK = 2**16
MOST_LINE = 2_000_000
MOST_LINES_A_ROW = 200
"""Lines that one row may have, by line breaks within quotation marks."""
SAMPLE = 300
SEP_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)


class Delimited:
    """A text file with a table. ``rows`` may be gone through several times."""

    def __init__(self, path: Path, choices: Choices, limits: Limits):
        self.path, self.limits = path, limits
        encoding, is_guessed = (choices.encoding, False) if choices.encoding else encoding_of(path)
        if encoding not in ENCODINGS:
            raise UploadError("This encoding is not known here. Choose another one.")
        self.about = About("text", encoding=encoding, is_encoding_guessed=is_guessed)
        self.width = 0
        self.about.separator = choices.separator or self._separator(choices.wanted)

    def expect(self, width: int) -> None:
        """How many cells a row should have: those of the heading."""
        self.width = width

    def rows(self) -> Iterator[Row]:
        """Every row that holds something, with its number as a spreadsheet would show it."""
        with closing(self._lines()) as lines:
            yield from Records(lines, self.about.separator, self.width)

    def flaws(self) -> list[Flaw]:
        """Text has no merged cells."""
        return []

    def _lines(self) -> Generator[str, None, None]:
        """Lines without their ends; a first line that names the separator is no part of the table."""
        try:
            with self.path.open(encoding=self.about.encoding, newline=None) as file:
                is_first = True
                while line := file.readline(MOST_LINE + 1):
                    if len(line) > MOST_LINE:
                        raise UploadError(
                            f"A line of the file is longer than {MOST_LINE:,} characters. Is it a table at all?"
                        )
                    line = line.rstrip("\n").replace("\x00", "")
                    if not (is_first and SEP_LINE.match(line)):
                        yield line
                    is_first = False
        except UnicodeError as error:
            name = ENCODINGS[self.about.encoding]
            raise UploadError(f"The file is not text in the encoding {name}. Choose another encoding.") from error

    def _separator(self, wanted: Collection[str]) -> str:
        """What the file says itself, or what gives even rows and known headings."""
        with self._open_start() as file:
            said = SEP_LINE.match(file.readline(20).rstrip("\n"))
        if said:
            return said[1]
        with closing(self._lines()) as lines:
            sample = list(islice(lines, SAMPLE))
        marks = {mark: _evenness(sample, mark, wanted) for mark in SEPARATORS}
        return max(marks, key=marks.__getitem__)

    def _open_start(self) -> TextIO:
        return self.path.open(encoding=self.about.encoding, errors="replace", newline=None)


def encoding_of(path: Path) -> tuple[str, bool]:
    """(encoding, whether it is a guess): by its mark or zero bytes; UTF-8 where all of it is, else Western European.

    Raises
    ------
    UploadError : bytes that are no text.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, name in MARKS:
        if start.startswith(mark):
            return name, False
    if b"\x00" in start:
        return _wide(start), True
    if sum(byte < 32 and byte not in b"\t\n\r\f\v\x1a" for byte in start) * 50 > len(start):
        raise UploadError(NO_TEXT)
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _western(path), True
    return "utf-8-sig", False


def _wide(start: bytes) -> str:
    """Latin letters in UTF-16 have a zero byte each."""
    half = len(start) // 2
    for name, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) > 0.6 * half and start.count(0) < 0.6 * len(start):
            return name
    raise UploadError(NO_TEXT)


def _western(path: Path) -> str:
    """Windows-1252 has five bytes without a letter; what holds them is Latin-1, whose every byte is one."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if any(byte in chunk for byte in b"\x81\x8d\x8f\x90\x9d"):
                return "latin-1"
    return "cp1252"


def _evenness(sample: list[str], separator: str, wanted: Collection[str]) -> tuple[int, float, float, int]:
    """How well a separator fits: (headings that are known, share of rows of the commonest width where that makes
    several columns, share of rows of one cell, the commonest width)."""
    rows = [cells for _, cells in Records(iter(sample), separator, 0)]
    if not rows:
        return 0, 0.0, 0.0, 0
    widths = [len(cells) for cells in rows]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    # The last row is no heading, as nothing stands below it.
    known = [recognised(cells, wanted) for cells in (rows[:-1] or rows)[:LOOKED_AT]]
    if usual < 2 or _is_one_column(sample, rows, known):
        return max(known), 0.0, widths.count(1) / len(widths), usual
    return max(known), widths.count(usual) / len(widths), 0.0, usual


def _is_one_column(sample: list[str], rows: list[list[str]], known: list[int]) -> bool:
    """Whether the only known heading stands alone in its line: then what follows it is one column, whatever signs are
    in its cells ("Lovelace, Ada")."""
    alone = {line.strip().strip('"') for line in sample}
    at = [n for n, count in enumerate(known) if count]
    return bool(at) and all(len(rows[n]) == 1 and rows[n][0].strip() in alone for n in at)


class Records:
    """Rows of cells from lines; ``width``: how many cells a row should have, 0: not known."""

    def __init__(self, lines: Iterator[str], separator: str, width: int):
        self.lines, self.separator, self.width = lines, separator, width
        self.ahead: deque[str] = deque()
        quoted = r'[ ]*"(?P<cell>.*?)"[ ]*'
        self.loose = re.compile(rf"{quoted}(?={re.escape(separator)}|$)")

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while (line := self._next()) is not None:
            number += 1
            cells = trimmed(self._cells(line))
            if cells:
                yield number, cells

    def _next(self) -> str | None:
        return self.ahead.popleft() if self.ahead else next(self.lines, None)

    def _peek(self, at: int) -> str | None:
        while len(self.ahead) <= at:
            line = next(self.lines, None)
            if line is None:
                return None
            self.ahead.append(line)
        return self.ahead[at]

    def _cells(self, line: str) -> list[str]:
        if '"' not in line:
            return self._split(line)
        strict, used = self._by_the_rules(line)
        if strict is not None and not self._has_swallowed(strict, used):
            for _ in range(used):
                self.ahead.popleft()
            return strict
        loose = self._loosely(line)
        plain = [_unquoted(cell) for cell in self._split(line)]
        fits = [cells for cells in (loose, plain) if len(trimmed(cells)) == self.width]
        if strict is not None and not fits:
            for _ in range(used):
                self.ahead.popleft()
            return strict
        return fits[0] if fits else loose

    def _has_swallowed(self, cells: list[str], used: int) -> bool:
        """A mark that was never closed reaches to the next one, lines below, over cells and rows."""
        if not used or not self.width or self.width in {len(cells), len(trimmed(cells))}:
            return False
        return any("\n" in cell and self.separator in cell for cell in cells)

    def _split(self, line: str) -> list[str]:
        cells = line.split(self.separator, MOST_WIDE)
        if len(cells) > MOST_WIDE:
            cells[-1] = cells[-1].strip(f"{self.separator} ")
        return cells

    def _by_the_rules(self, line: str) -> tuple[list[str] | None, int]:
        """(cells, how many further lines belong to them); None where the quotation marks do not come out even."""
        cells: list[str] = []
        at = used = 0
        text = line
        while len(cells) <= MOST_WIDE:
            start = at
            while text[start : start + 1] == " ":
                start += 1
            if text[start : start + 1] != '"':
                end = text.find(self.separator, at)
                cells.append(text[at:] if end < 0 else text[at:end])
                if end < 0:
                    return cells, used
                at = end + 1
                continue
            text, end, used = self._closed(text, start + 1, used)
            if end < 0:
                return None, 0
            cells.append(text[start + 1 : end].replace('""', '"'))
            after = end + 1
            while text[after : after + 1] == " ":
                after += 1
            if after == len(text):
                return cells, used
            if text[after] != self.separator:
                return None, 0
            at = after + 1
        return self._split(line), 0

    def _closed(self, text: str, start: int, used: int) -> tuple[str, int, int]:
        """Where the cell that was opened before ``start`` is closed (-1: nowhere), with the lines that it takes."""
        end = text.find('"', start)
        while True:
            while end < 0:
                further = self._peek(used) if used < MOST_LINES_A_ROW else None
                if further is None or len(text) > MOST_LINE:
                    return text, -1, used
                seen = len(text)
                text, used = f"{text}\n{further}", used + 1
                end = text.find('"', seen)
            if text[end + 1 : end + 2] != '"':
                return text, end, used
            end = text.find('"', end + 2)

    def _loosely(self, line: str) -> list[str]:
        """One line alone; a cell in quotation marks ends with the first mark that a separator follows."""
        cells: list[str] = []
        at = 0
        while len(cells) <= MOST_WIDE:
            found = self.loose.match(line, at)
            if found:
                cells.append(found["cell"].replace('""', '"').replace('\\"', '"'))
                at = found.end()
            else:
                end = line.find(self.separator, at)
                end = len(line) if end < 0 else end
                cells.append(line[at:end])
                at = end
            if at >= len(line):
                break
            at += 1
        return cells


def _unquoted(cell: str) -> str:
    bare = cell.strip(" ")
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == '"' else cell
