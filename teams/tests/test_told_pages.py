"""Whatever executives can open of the demo organisation: no number on it speaks of one to four people."""

import re
from html import unescape
from io import BytesIO

import pytest
from django.test import Client
from openpyxl import load_workbook

from accounts.models import User
from teams import demo
from teams.models import Demand

pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r"<(script|style|svg).*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
BLOCK = re.compile(r"</?(?:a|li|p|td|th|h\d|dt|dd|div|option|header)\b[^>]*>")
LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
PEOPLE = r"(?:people|members|colleagues|assessed|covered)"
FEW = r"(?<![\d.,])(?:[1-4]|one|two|three|four)(?![\d%]|[.,]\d)"
"""One to four, by itself: neither a part of a larger number nor a share."""
COUNTS = [
    re.compile(rf"{FEW}(?: (?:more|of [\d,]+))? {PEOPLE}\b", re.IGNORECASE),
    re.compile(rf"\b{PEOPLE}:? {FEW}\b", re.IGNORECASE),
]
BEGINNINGS = ("/", "/initiatives/?state=ended", "/teams/?closed=1", "/search/?q=a", "/search/?q=care")
CANNOT = ("/sign-out/", "/static/")


def words_of(page: str) -> str:
    """What one reads, and what those hear who do not see."""
    heard = re.findall(r'aria-label="([^"]*)"', page)
    text = TAG.sub(" ", BLOCK.sub(" | ", HIDDEN.sub("", page)))
    return " ".join(unescape(text).split()) + " | " + unescape(" | ".join(heard))


def walk(client: Client) -> dict[str, list[str] | str]:
    """Everything that links lead to: pages as texts, workbooks as their rows."""
    found, ahead = {}, list(BEGINNINGS)
    while ahead:
        path = ahead.pop()
        if path in found or path.startswith(CANNOT):
            continue
        answer = client.get(path)
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            page = answer.content.decode()
            found[path] = words_of(page)
            ahead += [unescape(link) for link in LINK.findall(page)]
        elif "sheet" in kind:
            found[path] = rows_of(answer)
        else:
            found[path] = ""
    return found


def rows_of(answer) -> list[dict]:
    """Rows of every sheet, each cell with the name of its column."""
    rows = []
    for sheet in load_workbook(BytesIO(b"".join(answer) if answer.streaming else answer.content)):
        names, *others = sheet.iter_rows(values_only=True)
        rows += [dict(zip(names, row, strict=True)) for row in others]
    return rows


@pytest.fixture
def opened(settings):
    settings.DEMO = True
    demo.seed()
    client = Client()
    client.force_login(User.objects.filter(role="executive").first())
    return walk(client)


def test_no_page_and_no_workbook_counts_one_to_four_people(opened):
    pages = {path: text for path, text in opened.items() if isinstance(text, str)}
    books = {path: rows for path, rows in opened.items() if not isinstance(rows, str)}
    assert len([path for path in pages if path.startswith("/overview/")]) > 10
    assert len([path for path in pages if path.startswith("/teams/")]) > 10
    assert len(books) >= 7
    # What HR asks for is no number of people that there are.
    asked = [one.sentence.removeprefix("at least ") for one in Demand.objects.told()]
    told = []
    for path, text in pages.items():
        for sentence in asked:
            text = text.replace(sentence, "")
        told += [
            (path, text[max(one.start() - 30, 0) : one.end() + 30]) for few in COUNTS for one in few.finditer(text)
        ]
    assert told == []
    covered = [row["Covered"] for rows in books.values() for row in rows if "Covered" in row]
    assert len(covered) > 30
    assert [one for one in covered if isinstance(one, int | float) and one < 5] == []
    assert "as a share" in covered
    assert "about" in " ".join(pages.values())


def test_fields_of_the_board_tell_fewer_than_five_as_a_share(opened):
    fields = re.findall(r"\b(\d+%?) of \d+ ", opened["/"].split("Coverage by function")[1].split("Short by")[0])
    assert len(fields) >= 20
    assert [one for one in fields if not one.endswith("%") and int(one) < 5] == []
    assert [one for one in fields if one.endswith("%") and int(one[:-1]) % 5] == []
