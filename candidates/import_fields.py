"""What a file of people may hold, which column holds it, and what a single cell says."""

import re
from collections.abc import Iterable, Sequence

from candidates.models import OwnField, Person
from socialstrategy.lib.text import clean, unharmed
from socialstrategy.lib.uploads.headings import key

FIELDS = {
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail",
    "kind": "Candidate or employee",
    "job_title": "Job title",
    "function": "Function",
    "location": "Location",
    "manager": "Manager's e-mail or name",
}
OWN = "own:"
"""Before the heading of a column that is kept as a field of the organisation's own."""
GUESSES = {
    "name": "name|full name|person|employee name|display name|complete name|nom complet|nombre completo",
    "first_name": "first name|given name|forename|first|preferred name|vorname|prénom|nombre|nome",
    "last_name": "last name|surname|family name|last|nachname|familienname|nom|nom de famille|apellido|apellidos"
    "|cognome",
    "email": "e-mail|mail|e-mail address|work e-mail|business e-mail|company e-mail|mail address|correo|courriel",
    "kind": "kind|type|candidate or employee|status|person type",
    "job_title": "job|job title|title|position|job name|role title",
    "function": "function|department|area|business function",
    "location": "location|site|city|office|work location",
    "manager": "manager|manager email|manager's e-mail|manager's e-mail or name|manager name|line manager|reports to"
    "|supervisor|manager id",
}
KNOWN = {field: tuple(map(key, names.split("|"))) for field, names in GUESSES.items()}
NUMBERS = tuple(
    key(heading)
    for heading in (
        *("staff number", "staff no", "staff id", "employee number", "employee no", "employee id"),
        *("personnel number", "personnel no", "payroll number", "personalnummer", "matricule"),
        *("worker id", "person id", "badge number"),
    )
)
"""Headings of numbers that tell people apart; they are kept as an own field."""
LONGEST = {"name": 120, "email": 254, "job_title": 120, "location": 80, "manager": 254}
LONGEST_OWN = 200
KINDS = {
    "candidate": Person.Kind.CANDIDATE,
    "applicant": Person.Kind.CANDIDATE,
    "employee": Person.Kind.EMPLOYEE,
    "staff": Person.Kind.EMPLOYEE,
}
ADDRESSED = re.compile(
    r"(mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|herr|frau|mme|mlle|m|sr|sra|srta)\.?", re.IGNORECASE
)
"""How people are addressed, which many files call their title."""
EMPTIES = "(empty)"
"""What a cell says to empty what is known; an empty cell leaves it."""
SAYS_NOTHING = {"", "-", "–", "—"}
MISTAKES = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!"}
TOTALS = {
    "total",
    "totals",
    "grandtotal",
    "subtotal",
    "sum",
    "count",
    "summe",
    "gesamt",
    "totalgeneral",
    "somme",
    "totale",
}


def wanted() -> tuple[str, ...]:
    """Every heading by which a table of people is recognised."""
    own = tuple(key(name) for name in OwnField.objects.values_list("name", flat=True))
    return (*(name for names in KNOWN.values() for name in names), *NUMBERS, *own)


def match(header: Sequence[str], rows: Iterable[Sequence[str]] = ()) -> dict[str, int]:
    """Which column holds which field, by its heading and what stands below it; each column once."""
    keys = [key(cell) for cell in header]
    sample = [list(row) for row in rows]
    found: dict[str, int] = {}
    for field, names in KNOWN.items():
        # The likeliest heading first, wherever it stands.
        places = [at for name in names for at, cell in enumerate(keys) if cell == name]
        at = next((at for at in places if at not in found.values() and _is_likely(field, keys[at], at, sample)), None)
        if at is not None:
            found[field] = at
    if "first_name" in found and "name" in found and "last_name" not in found and keys[found["name"]] == "name":
        # Beside a first name, "Name" is the other one.
        found["last_name"] = found.pop("name")
    own = own_names()
    taken: set[str] = set()
    for at, cell in enumerate(keys):
        mark = own_mark(header[at])
        # Of two columns that would fill one field the first is taken.
        if at not in found.values() and mark not in taken and (mark in own or cell in NUMBERS):
            found[OWN + own.get(mark, clean(header[at]))] = at
            taken.add(mark)
    return found


def own_mark(name: str) -> str:
    """What tells one own field from another: letters and figures, or the signs where there are none ("#")."""
    return key(name) or clean(name).lower()


def own_names() -> dict[str, str]:
    """The organisation's own fields by what tells them apart."""
    return {own_mark(name): name for name in OwnField.objects.values_list("name", flat=True)}


def _is_likely(field: str, heading: str, at: int, sample: list[list[str]]) -> bool:
    """Whether what stands in a column can be what its ambiguous heading says."""
    cells = [clean(row[at]) for row in sample if at < len(row)]
    said = [cell for cell in cells if cell]
    if field == "kind" and heading == "status":
        return bool(said) and all(cell.lower() in KINDS for cell in said)
    if field == "job_title" and heading == "title":
        return sum(1 for cell in said if ADDRESSED.fullmatch(cell)) * 2 <= len(said)
    if field == "name" and heading == "person":
        return not any("@" in cell for cell in said)
    return True


def cell(cells: Sequence[str], at: int | None) -> str:
    """What a row says in a column; an empty text: nothing."""
    text = clean(unharmed(cells[at])) if at is not None and at < len(cells) else ""
    return "" if text in SAYS_NOTHING else text


def said(cells: Sequence[str], columns: dict[str, int]) -> dict[str, str]:
    """What a row says, by field; the name is put together where it stands in two columns."""
    values = {field: cell(cells, at) for field, at in columns.items()}
    parts = [values.pop(part, "") for part in ("first_name", "last_name")]
    if not values.get("name"):
        values["name"] = " ".join(part for part in parts if part)
    return values


def label(field: str) -> str:
    return field.removeprefix(OWN) if field.startswith(OWN) else FIELDS[field]
