"""Files that are kept until they are written may say more than the lines that have been read of them."""

import io

import openpyxl
import pytest

from candidates import importing
from candidates.erasing import erase
from candidates.factories import make_person
from candidates.imports import ImportBatch, ImportFile

pytestmark = pytest.mark.django_db


def two_sheets() -> bytes:
    book = openpyxl.Workbook()
    for row in (["Name", "E-mail", "Location"], ["Otto Other", "otto@x.example", "Lyon"]):
        book.active.append(row)
    other = book.create_sheet("Left")
    for row in (["Name", "E-mail"], ["Łukasz Żak", "zak@x.example"]):
        other.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def taken(name: str, data: bytes, by, **choices) -> ImportBatch:
    batch = importing.keep(name, data, by=by)
    batch.choices = choices
    batch.save()
    importing.take(batch)
    importing.judge(batch)
    return batch


OTHERS = "".join(f"Somebody,{n}@x.example\n" for n in range(20))
LINES = f"{OTHERS}Łukasz Żak,\nName,E-mail\nOtto Other,otto@x.example\n"
FILES = {
    "another sheet": lambda by: taken("a.xlsx", two_sheets(), by),
    "above the heading": lambda by: taken("a.csv", LINES.encode(), by, heading=22),
    "another encoding": lambda by: taken("a.csv", f"Name,E-mail\n{LINES}".encode("cp1250"), by),
    "not read yet": lambda by: importing.keep("a.csv", LINES.encode(), by=by),
}


@pytest.mark.parametrize("make", FILES)
def test_a_file_of_which_only_a_part_was_read_is_let_go(make, hr):
    person = make_person("Łukasz Żak", email="zak@x.example")
    batch = FILES[make](hr)
    erase(person, reason="Asked for it", by=hr)
    assert not ImportFile.objects.filter(batch=batch).exists()


def test_a_file_that_was_read_whole_and_is_about_others_is_kept(hr):
    ada = make_person("Ada Lovelace", email="ada@x.example")
    batch = taken("a.csv", b"Name,E-mail\nOtto Other,otto@x.example\n", hr)
    erase(ada, reason="Asked for it", by=hr)
    assert ImportFile.objects.filter(batch=batch).exists()
