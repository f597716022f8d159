"""Clean what people type."""

import re
import unicodedata

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str, *, lines: bool = False) -> str:
    """Unicode in composed form, without control and direction characters; one line unless ``lines``."""
    composed = CONTROL.sub("", unicodedata.normalize("NFC", text))
    if lines:
        return "\n".join(" ".join(line.split()) for line in composed.splitlines()).strip()
    return " ".join(composed.split())


def harmless(cell):
    """A spreadsheet cell that no program takes for a formula.

    OWASP names = + - @ tab and line breaks at the start; their wide and small forms are taken alike where people write
    Chinese, Japanese or Korean, and blanks or invisible characters before them do not help.
    """
    return "'" + cell if isinstance(cell, str) and _is_formula(cell) else cell


def unharmed(cell: str) -> str:
    """A cell as it was before it was made harmless."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    if text.startswith(("\t", "\r", "\n")):
        return True
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "ZC"), "")
    return unicodedata.normalize("NFKC", first).startswith(("=", "+", "-", "@"))
