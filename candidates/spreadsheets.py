"""XLSX files of people: read with openpyxl, after a look at what is inside.

An XLSX file is a ZIP archive of XML written by a stranger. Before anything is parsed its entries are counted and their
unpacked sizes added up; documents that declare entities are refused. Merged cells, formulas without a stored result and
sheets that go on empty for ever are told in a sentence that says where.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

import openpyxl
from django.conf import settings

MOST_ENTRIES = 2_000
MOST_UNPACKED = 200 * 2**20
MOST_RATIO = 200
"""An honest sheet of people shrinks to a tenth or a twentieth; a bomb to a thousandth."""
MOST_EMPTY = 1_000
CHUNK = 2**20
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")


class SpreadsheetError(ValueError):
    """A workbook that cannot be read, with a sentence that says why."""


def is_spreadsheet(data: bytes) -> bool:
    """Whether this claims to be a workbook: a ZIP archive, or the older and the encrypted format."""
    return data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0"


def rows(data: bytes) -> list[list[str]]:
    """The rows of the first sheet as text, empty ones left out.

    Raises
    ------
    SpreadsheetError : not a workbook, encrypted, too large unpacked, entities, merged cells, unfinished formulas, or
        more rows than can be read.
    """
    if data[:2] != b"PK":
        raise SpreadsheetError(
            "This workbook is protected by a password or in the format of before 2007. Save it as .xlsx without one."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive)
        values = _table(data, values=True)
        formulas = _table(data, values=False)
        return _texts(values, formulas)
    except SpreadsheetError:
        raise
    # openpyxl and zipfile raise what their parsers raise: KeyError, BadZipFile, ParseError, zlib.error, ...
    except Exception as error:
        raise SpreadsheetError(
            "This is no workbook that can be read. Save it as .xlsx or CSV and try again."
        ) from error


def _check(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or (unpacked > CHUNK and unpacked / packed > MOST_RATIO):
        raise SpreadsheetError(
            "The workbook unpacks to far more than it holds. Copy the table into a new workbook and try again."
        )
    if "xl/workbook.xml" not in archive.namelist():
        raise SpreadsheetError("This is not a workbook. Save the table as .xlsx or CSV and try again.")
    for entry in entries:
        if entry.filename.endswith((".xml", ".rels")):
            _check_xml(archive, entry)


def _check_xml(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse entities anywhere, and merged cells in sheets; tags may lie across two chunks."""
    tail = b""
    with archive.open(entry) as file:
        while chunk := file.read(CHUNK):
            # Without its zero bytes UTF-16 reads like ASCII here.
            text = (tail + chunk).replace(b"\x00", b"")
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise SpreadsheetError("The workbook declares entities, which no spreadsheet does. It is not read.")
            merged = re.search(rb'<mergeCell [^>]*ref="([A-Z0-9:]{1,20})"', text)
            if merged and SHEET.search(entry.filename):
                raise SpreadsheetError(
                    f"The cells {merged[1].decode()} are merged. Unmerge them, so that each person has a row, "
                    "and try again."
                )
            tail = text[-200:]


def _table(data: bytes, *, values: bool) -> Iterator[tuple[Any, ...]]:
    """Cells of the first sheet: stored results, or the formulas themselves."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)
    if not book.worksheets:
        raise SpreadsheetError("The workbook holds no table.")
    sheet = book.worksheets[0]
    # What the file says of its own size may be wrong; the rows themselves are counted.
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=True)


def _texts(values: Iterator[tuple[Any, ...]], formulas: Iterator[tuple[Any, ...]]) -> list[list[str]]:
    found: list[list[str]] = []
    empty = 0
    for number, (row, written) in enumerate(zip_longest(values, formulas, fillvalue=()), start=1):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if not any(cells) and not any(written):
            empty += 1
            if empty > MOST_EMPTY:
                raise SpreadsheetError(
                    f"Below row {number - empty} there are more than {MOST_EMPTY:,} empty rows. "
                    "Delete them, or copy the table into a new workbook, and try again."
                )
            continue
        for at, formula in enumerate(written):
            if isinstance(formula, str) and formula.startswith("=") and (at >= len(row) or row[at] is None):
                raise SpreadsheetError(
                    f"Row {number} holds a formula without a stored result ({formula[:40]}). Open the workbook in a "
                    "spreadsheet, save it, and try again."
                )
        empty = 0
        found.append(cells)
        if len(found) > settings.IMPORT_MAX_ROWS + 1:
            break
    return found


def _text(cell: Any) -> str:
    """A cell as one would type it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)
