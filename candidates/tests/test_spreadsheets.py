"""XLSX files of people, honest ones and attacks."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest

from candidates import importing, spreadsheets
from candidates.models import ImportBatch, Person

HEAD = ["Name", "E-mail", "Location"]


def book(*rows, sheet=None) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if sheet:
        sheet(made.active)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rewritten(data: bytes, change) -> bytes:
    """The same archive with the first sheet's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text) if name == "xl/worksheets/sheet1.xml" else text)
    return out.getvalue()


def test_cells_come_as_one_would_type_them():
    header, rows = importing.read(
        book(HEAD, ["Ada", "ada@example.org", 12.0], [None] * 3, ["Béa", "b@example.org", 3.5])
    )
    assert header == HEAD
    assert rows == [["Ada", "ada@example.org", "12"], ["Béa", "b@example.org", "3.5"]]
    assert importing.read(book(HEAD, ["A", date(2026, 3, 1), True]))[1] == [["A", "2026-03-01", "yes"]]


@pytest.mark.django_db
def test_people_come_in_from_a_workbook_as_from_csv(as_hr, run_jobs):
    data = book(HEAD, ["Ada Sheet", "ada@example.org", "Lyon"], ["=cmd()", "no address", ""])
    file = io.BytesIO(rewritten(data, lambda text: text))
    file.name = "people.xlsx"
    # openpyxl writes "=cmd()" as a formula without a result: a person would see the sentence.
    assert "formula without a stored result" in as_hr.post("/people/import/", {"file": file}).content.decode()
    file = io.BytesIO(book(HEAD, ["Ada Sheet", "ada@example.org", "Lyon"], ["x", "no address", ""]))
    file.name = "people.xlsx"
    response = as_hr.post("/people/import/", {"file": file})
    assert response.status_code == 302
    batch = ImportBatch.objects.get()
    assert batch.counts()["create"] == 1
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    assert Person.objects.get(email="ada@example.org").location == "Lyon"


def test_a_formula_with_its_result_counts_as_the_result():
    data = book(HEAD, ["=A9", "ada@example.org", ""])
    stored = rewritten(data, lambda text: text.replace(b"<v></v>", b"<v>Ada</v>").replace(b"<v />", b"<v>Ada</v>"))
    assert b"Ada" in zipfile.ZipFile(io.BytesIO(stored)).read("xl/worksheets/sheet1.xml")
    typed = rewritten(stored, lambda text: text.replace(b'<c r="A2">', b'<c r="A2" t="str">'))
    assert importing.read(typed)[1][0][0] == "Ada"


def merged(sheet):
    sheet.merge_cells("A2:C2")


def repeated(times: int) -> bytes:
    row = b'<row r="%d"><c r="A%d"/></row>'
    return rewritten(
        book(HEAD, ["Ada", "ada@example.org", ""]),
        lambda text: text.replace(b"</sheetData>", b"".join(row % (n, n) for n in range(3, times)) + b"</sheetData>"),
    )


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 50 * 2**20)
    return out.getvalue()


def entities(text: bytes) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + text.partition(b"?>")[2]


def a_zip(**entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (book(HEAD, ["A", "a@example.org", ""], sheet=merged), "A2:C2 are merged"),
        (repeated(20_000), "more than 1,000 empty rows"),
        (bomb(), "unpacks to far more"),
        (rewritten(book(HEAD, ["A", "a@example.org", ""]), entities), "declares entities"),
        (rewritten(book(HEAD), lambda text: entities(text).decode().encode("utf-16")), "declares entities"),
        (a_zip(word__document="<x/>"), "not a workbook"),
        (a_zip(xl__workbook="<x/>"), "no workbook that can be read"),
        (b"PK\x03\x04 and then nothing", "no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "protected by a password"),
        (book(HEAD), "no people below"),
        (book(), "empty"),
        (book(["x"] * 70, ["y"] * 70), "70 columns"),
        (rewritten(book(HEAD, ["A", "b", "c"]), lambda text: text[: len(text) // 2]), "no workbook that can be read"),
    ],
)
def test_what_is_refused_says_why(data, sentence):
    with pytest.raises(importing.ImportFileError, match=sentence):
        importing.read(data)


def test_a_million_empty_rows_are_refused_without_reading_them_all():
    data = repeated(1_000_000)
    with pytest.raises((importing.ImportFileError, spreadsheets.SpreadsheetError), match=r"empty rows|unpacks to far"):
        importing.read(data)


def test_too_many_people_are_refused(settings):
    settings.IMPORT_MAX_ROWS = 3
    with pytest.raises(importing.ImportFileError, match="more than 3 rows"):
        importing.read(book(HEAD, *[["A", f"a{n}@example.org", ""] for n in range(5)]))
