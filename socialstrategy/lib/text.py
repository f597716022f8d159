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
    """A spreadsheet cell that no program takes for a formula (OWASP: = + - @ tab and carriage return at the start)."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return "'" + cell
    return cell
