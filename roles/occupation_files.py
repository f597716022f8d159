"""What O*NET's and ESCO's own files say of occupations, read as they are shipped or as a plain extract of them.

O*NET   Skills.txt, Knowledge.txt, Abilities.txt   an element's importance (1-5) and level (0-7) for an occupation
        Occupation Data.txt                        what an occupation is called
ESCO    occupationSkillRelations_en.csv            which skills are essential or optional for an occupation
        occupations_en.csv, skills_en.csv          what they are called, in any language

Files are read row by row: they may be large, and nothing of them is kept but what is used.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from roles.models import Occupation
from socialstrategy.lib.text import clean

ONET, ESCO = Occupation.Scheme.ONET, Occupation.Scheme.ESCO
LONGEST_CODE = 40
LONGEST_KEY = 200
LONGEST_NAME = 200
LONGEST_LINE = 1_000_000
# O*NET rates some 900 occupations on 120 elements; ESCO has 3,000 occupations, 14,000 skills and 130,000 relations.
MOST_LINES = 1_000_000
MOST_OCCUPATIONS = 20_000
MOST_RATINGS = 250_000
MOST_NAMES = 100_000
MOST_COLUMNS = 100
DELIMITERS = "\t,;|"
# What a column may be called, in lower case: O*NET's or ESCO's own heading, and that of a plain extract.
RATINGS = {
    "code": ("o*net-soc code", "soc"),
    "element": ("element id", "element_id"),
    "scale": ("scale id", "scale"),
    "value": ("data value", "value"),
    "title": ("title",),
    "name": ("element name", "element_name"),
    "error": ("standard error", "standard_error"),
    "suppress": ("recommend suppress", "recommend_suppress"),
    "not_relevant": ("not relevant", "not_relevant"),
}
TITLES = {"code": ("o*net-soc code", "soc"), "title": ("title",)}
RELATIONS = {
    "occupation": ("occupationuri", "occupation_uri"),
    "relation": ("relationtype", "relation"),
    "skill": ("skilluri", "skill_uri"),
    "code": ("esco_code",),
    "title": ("occupationlabel", "occupation"),
    "name": ("skilllabel", "skill"),
}
CONCEPTS = {"uri": ("concepturi",), "title": ("preferredlabel",), "code": ("code",)}
TOP = {"IM": 5.0, "LV": 7.0}
EXPECTED = (
    "What can be read here: O*NET’s Skills.txt, Knowledge.txt, Abilities.txt and Occupation Data.txt, and ESCO’s "
    "occupationSkillRelations, occupations and skills, each as CSV in any language"
)


class OccupationFileError(ValueError):
    """A file that cannot be read, with a sentence that says why."""


@dataclass
class Said:
    """What a file says: ``occupations`` by code (O*NET) or address (ESCO), ``names`` of elements and skills by key.

    An occupation is {"code": …, "title": …, "ratings": {key: {…}}}, each as far as the file speaks of it; a figure that
    the file withdraws is None.
    """

    scheme: str
    occupations: dict[str, dict] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    rating_count: int = 0

    def occupation(self, key: str, number: int) -> dict:
        if not key or len(key) > LONGEST_KEY:
            raise OccupationFileError(f"Line {number}: the occupation’s code is missing or too long to be one.")
        if len(self.occupations) > MOST_OCCUPATIONS:
            raise OccupationFileError(f"The file holds more than {MOST_OCCUPATIONS:,} occupations. Split it.")
        return self.occupations.setdefault(key, {"ratings": {}})

    def rating(self, occupation: dict, key: str) -> dict:
        """What the file says of an element or skill for an occupation, to be filled in."""
        if key not in occupation["ratings"]:
            self.rating_count += 1
        if self.rating_count > MOST_RATINGS:
            raise OccupationFileError(f"The file holds more than {MOST_RATINGS:,} ratings or relations. Split it.")
        return occupation["ratings"].setdefault(key, {})

    def call(self, key: str, name: str) -> None:
        """What an element or skill is called, where the file says it."""
        if name:
            self.names[key] = clean(name)[:LONGEST_NAME]
        if len(self.names) > MOST_NAMES:
            raise OccupationFileError(f"The file names more than {MOST_NAMES:,} elements or skills. Split it.")


def read(file: BinaryIO) -> Said:
    """What a file says, whichever of the files above it is.

    Raises
    ------
    OccupationFileError : no text, none of those files, a column missing, or a figure that is none.
    """
    try:
        head, rows = _table(file)
        said = _reader(head)(head, rows)
    except UnicodeDecodeError as error:
        raise OccupationFileError("The file is not UTF-8 text. Save it as “CSV UTF-8” and try again.") from error
    except csv.Error as error:
        raise OccupationFileError(
            "The file does not read as a table: a quotation mark is missing somewhere, or one too many."
        ) from error
    return said


def _reader(head: list[str]):
    """The function that reads a table with this heading."""
    has = set(head).intersection
    if has(RATINGS["element"]) and has(RATINGS["scale"] + RATINGS["value"] + RATINGS["code"]):
        return ratings
    if has(RELATIONS["occupation"] + RELATIONS["skill"]):
        return relations
    if has(CONCEPTS["uri"]):
        return concepts
    if has(TITLES["code"]):
        return titles
    columns = ", ".join(name[:40] for name in head[:12] if name)
    raise OccupationFileError(f"{EXPECTED}. This file has {f'the columns {columns}' if columns else 'no heading'}.")


def _table(file: BinaryIO) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The heading in lower case, and the rows with their line numbers."""
    start = file.read(4)
    if start.startswith(b"PK"):
        raise OccupationFileError(
            f"This is a workbook or a packed file: unpack it, or take the text files. {EXPECTED}."
        )
    file.seek(0)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    lines = _lines(text)
    first = next((line for line in lines if line.strip() and not line.lower().startswith("sep=")), "")
    delimiter = max(DELIMITERS, key=first.count)
    # O*NET's own text files know no quotation marks; a spreadsheet that saves them again adds some around a whole cell.
    is_plain = delimiter == "\t"
    options: dict[str, Any] = {"quoting": csv.QUOTE_NONE if is_plain else csv.QUOTE_MINIMAL, "delimiter": delimiter}
    head = next(csv.reader([first], **options), [])
    reader = csv.reader(lines, strict=True, **options)
    return [_cell(name, is_plain).lower() for name in head[:MOST_COLUMNS]], _rows(reader, is_plain)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    for _ in range(MOST_LINES):
        line = text.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            raise OccupationFileError("A line in the file is a million signs long: this is no table.")
        if not line:
            return
        yield line
    raise OccupationFileError(f"The file has more than {MOST_LINES:,} lines. Split it.")


def _rows(reader, is_plain: bool) -> Iterator[tuple[int, list[str]]]:
    for cells in reader:
        if any(cells):
            yield reader.line_num + 1, [_cell(cell, is_plain) for cell in cells[:MOST_COLUMNS]]


def _cell(cell: str, is_plain: bool) -> str:
    if is_plain and len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1].replace('""', '"')
    return cell.strip().replace("\x00", "")


def _records(head, rows, columns: dict, needed: tuple) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row as field → text, empty where the file has no such column."""
    place = {name: next((head.index(n) for n in names if n in head), None) for name, names in columns.items()}
    for name in needed:
        if place[name] is None:
            raise OccupationFileError(
                f"The file lacks the column {columns[name][0]!r}. It has: {', '.join(one[:40] for one in head[:15])}."
            )
    for number, cells in rows:
        yield (
            number,
            {name: cells[n] if n is not None and n < len(cells) else "" for name, n in place.items()},
        )


def ratings(head, rows) -> Said:
    """O*NET's ratings of the importance and the level scale; other scales are left aside."""
    said = Said(ONET)
    for number, row in _records(head, rows, RATINGS, ("code", "element", "scale", "value")):
        scale = row["scale"].upper()
        if scale not in TOP or row["value"].lower() == "n/a":
            continue
        occupation = _onet_occupation(said, row, number)
        if not row["element"] or len(row["element"]) > LONGEST_CODE:
            raise OccupationFileError(f"Line {number}: the element’s ID is missing or too long to be one.")
        rating = said.rating(occupation, row["element"])
        rating[scale], rating[f"{scale}_error"] = _figures(row, scale, number)
        said.call(row["element"], row["name"])
    if not said.occupations:
        raise OccupationFileError("The file holds no importance or level ratings.")
    return said


def _onet_occupation(said: Said, row: dict, number: int) -> dict:
    if len(row["code"]) > LONGEST_CODE:
        raise OccupationFileError(f"Line {number}: {row['code'][:60]!r} is too long to be an occupation’s code.")
    occupation = said.occupation(row["code"], number)
    occupation["code"] = row["code"]
    if row["title"]:
        occupation["title"] = clean(row["title"])[:LONGEST_NAME]
    return occupation


def _figures(row: dict, scale: str, number: int) -> tuple[float | None, float | None]:
    """A rating and its standard error; nothing where O*NET itself advises against using it."""
    is_void = row["suppress"].upper() == "Y" or (scale == "LV" and row["not_relevant"].upper() == "Y")
    value = _number(row["value"], number)
    error = _number(row["error"], number) if row["error"].lower() not in {"", "n/a"} else None
    if not 0 <= value <= TOP[scale]:
        raise OccupationFileError(f"Line {number}: {value:g} does not lie on the scale from 0 to {TOP[scale]:g}.")
    if error is not None and not 0 <= error < 10:
        raise OccupationFileError(f"Line {number}: {error:g} can be no standard error.")
    return (None, None) if is_void else (value, error)


def _number(text: str, number: int) -> float:
    try:
        return float(text)
    except ValueError as problem:
        sentence = f"{text[:40]!r} is not a number." if text else "a number is missing."
        raise OccupationFileError(f"Line {number}: {sentence}") from problem


def titles(head, rows) -> Said:
    """What O*NET calls its occupations."""
    said = Said(ONET)
    for number, row in _records(head, rows, TITLES, ("code", "title")):
        _onet_occupation(said, row, number)
    if not said.occupations:
        raise OccupationFileError("The file holds no occupations.")
    return said


def relations(head, rows) -> Said:
    """Which skills ESCO calls essential or optional for an occupation."""
    said = Said(ESCO)
    for number, row in _records(head, rows, RELATIONS, ("occupation", "relation", "skill")):
        relation = row["relation"].lower()
        if relation not in {"essential", "optional"}:
            raise OccupationFileError(f"Line {number}: {relation[:40]!r} is neither essential nor optional.")
        if not row["skill"] or len(row["skill"]) > LONGEST_KEY:
            raise OccupationFileError(f"Line {number}: the skill’s address is missing or too long to be one.")
        occupation = said.occupation(row["occupation"], number)
        said.rating(occupation, row["skill"])["relation"] = relation
        _describe(occupation, row, number)
        said.call(row["skill"], row["name"])
    if not said.occupations:
        raise OccupationFileError("The file holds no relation of an occupation to a skill.")
    return said


def concepts(head, rows) -> Said:
    """What ESCO calls its occupations or its skills, in the language of the file."""
    said = Said(ESCO)
    for number, row in _records(head, rows, CONCEPTS, ("uri", "title")):
        if "/occupation/" in row["uri"]:
            _describe(said.occupation(row["uri"], number), row, number)
        elif "/skill/" in row["uri"] and len(row["uri"]) <= LONGEST_KEY:
            said.call(row["uri"], row["title"])
    if not (said.occupations or said.names):
        raise OccupationFileError(f"The file names neither occupations nor skills. {EXPECTED}.")
    return said


def _describe(occupation: dict, row: dict, number: int) -> None:
    """ESCO writes titles in lower case."""
    if len(row["code"]) > LONGEST_CODE:
        raise OccupationFileError(f"Line {number}: {row['code'][:60]!r} is too long to be an occupation’s code.")
    title = clean(row["title"])[:LONGEST_NAME]
    if title:
        # A capital may be two letters.
        occupation["title"] = (title[0].upper() + title[1:])[:LONGEST_NAME]
    if row["code"]:
        occupation["code"] = row["code"]
