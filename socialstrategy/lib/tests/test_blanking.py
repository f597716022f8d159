"""Names and addresses are found however they are written, by the database's first sieve as well."""

import pytest

from accounts.models import AuditEntry
from socialstrategy.lib.blanking import Blank

pytestmark = pytest.mark.django_db
SHADDA, FATHA = "\u0651", "\u064e"


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        ('Bob "Bobby" Lee', 'With Bob "Bobby" Lee.', "With (erased)."),
        ("Ann \\ Li", "With Ann \\ Li.", "With (erased)."),
        ("Ada Lovelace Jr.", "Ada Lovelace Jr came", "(erased) came"),
        ("Ada Lovelace Jr.", "Ada Lovelace Jr. came", "(erased) came"),
        ("J. Li", "With J Li and J. Liu", "With (erased) and J. Liu"),
        (f"م{SHADDA}{FATHA}د علي", f"x م{FATHA}{SHADDA}د علي y", "x (erased) y"),
        (f"م{SHADDA}{FATHA}د علي", f"x م{SHADDA}{FATHA}د علي y", "x (erased) y"),
        ("Zoë Quast", "x Zoe\u0308 Quast\u0301 y", "x (erased) y"),
        ("Ada Lovelace", "x Ada \u200bLove\u00adlace y", "x (erased) y"),
        ("Ada Lovelace", "x Ada. Lovelace. y", "x Ada. Lovelace. y"),
        ('"ada b"@x.example', 'x "ada b"@x.example y', "x (erased) y"),
    ],
)
def test_a_name_is_taken_out_of_what_the_database_keeps_as_json(name, text, after, hr):
    entry = AuditEntry(action="x.y", label="a.b", target="1", summary="x", detail={"said": [text]}, by=hr)
    entry.save()
    blank = Blank([name])
    assert blank(text) == after
    found = blank.holding(AuditEntry.objects.filter(pk=entry.pk), ["detail"]).exists()
    assert found or text == after


@pytest.mark.parametrize(
    ("name", "text", "is_theirs"),
    [
        ("Mary O'Brien", "https://x.example/in/mary-obrien", True),
        ("Mary O’Brien", "Mary_O'Brien.csv", True),
        ("Anna-Lena Smith", "annalena-smith.pdf", True),
        ("Ada Lovelace", "AdaLovelaceCV.pdf", True),
        ("Ada Lovelace", "CVAdaLovelace2026.pdf", True),
        ("Ada Lovelace", "ada_lovelace2.csv", True),
        ("Ada Lovelace", "https://x.example/Ada%2520Lovelace", True),
        ("Ada Lovelace", "https://x.example/canada-lovelace", False),
        ("Ada Lovelace", "ada-lovelaces.csv", False),
        ("ada1@x.example", "ada1@x.example.csv", True),
        ("ada1@x.example", "ada12@x.example.csv", False),
        ("1@x.example", "21@x.example.csv", False),
    ],
)
def test_links_and_names_of_files_are_told_by_the_words_in_them(name, text, is_theirs):
    assert Blank([name]).names_whole(text) is is_theirs


def test_an_address_within_another_one_is_somebody_else_s():
    blank = Blank(["ada@x.example"])
    assert blank("Mail to ada@x.example, team+ada@x.example.") == "Mail to (erased), team+ada@x.example."
