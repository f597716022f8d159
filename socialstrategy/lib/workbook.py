"""Tables as XLSX, with a last sheet that says what each column means, or as CSV; every text cell made harmless."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import openpyxl
from django.http import HttpResponse
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from socialstrategy.lib.text import harmless

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TITLE_LENGTH = 31
"""What a sheet may be called, at most."""


@dataclass
class Sheet:
    """A table: ``columns`` are (heading, what it means) pairs."""

    title: str
    columns: list[tuple[str, str]]
    rows: Iterable[list[Any]] = field(default_factory=list)


def workbook(sheets: list[Sheet], name: str) -> HttpResponse:
    """A download of all sheets and the explaining one. A table without rows keeps its heading and says so."""
    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        _write(book, sheet.title, [heading for heading, _ in sheet.columns], sheet.rows)
    meanings = [[sheet.title, heading, words] for sheet in sheets for heading, words in sheet.columns]
    _write(book, "What the columns say", ["Sheet", "Column", "Meaning"], meanings)
    out = io.BytesIO()
    book.save(out)
    response = HttpResponse(out.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


def csv_file(sheet: Sheet, name: str) -> HttpResponse:
    """A download of one table, UTF-8 with a mark that spreadsheets understand."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow([harmless(heading) for heading, _ in sheet.columns])
    writer.writerows([harmless(cell) for cell in row] for row in sheet.rows)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _write(book, title: str, heading: list[str], rows: Iterable[list[Any]]) -> None:
    page = book.create_sheet(title[:TITLE_LENGTH])
    page.freeze_panes = "A2"
    rows = [[harmless(cell) for cell in row] for row in rows] or [["Nothing to show"]]
    for n, name in enumerate(heading, start=1):
        longest = max([len(name), *(len(str(row[n - 1])) for row in rows[:200] if n <= len(row))])
        page.column_dimensions[get_column_letter(n)].width = min(60, longest + 3)
    head = []
    for name in heading:
        cell = WriteOnlyCell(page, value=harmless(name))
        cell.font = Font(bold=True)
        head.append(cell)
    page.append(head)
    for row in rows:
        page.append(row)
