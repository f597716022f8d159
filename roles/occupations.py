"""Role profiles from real occupations: reads O*NET ratings, drafts requirements by the mapping in roles/data.

importance 1-5 -> weight 1-3      level 0-7 -> 0-5 (times 5/7)      standard errors of the level -> times 5/7

A skill's figures are the weighted means over the O*NET elements mapped to it. O*NET has no element for some of our
skills and a rough one for others; every drafted requirement therefore carries where its figures came from.
"""

import csv
import io
import math
from collections import defaultdict
from functools import cache
from pathlib import Path

from django.db import transaction

from accounts.models import record
from roles import esco
from roles.models import Occupation, Skill

MAPPING = Path(__file__).parent / "data" / "onet_mapping.csv"
SCALE = 5 / 7
MIN_IMPORTANCE = 2.5
MOST_REQUIREMENTS = 12
FEWEST_REQUIREMENTS = 8
# O*NET's own headers, and those of a plain extract.
HEADERS = {
    "code": ("soc", "o*net-soc code"),
    "title": ("title",),
    "element": ("element_id", "element id"),
    "name": ("element_name", "element name"),
    "scale": ("scale", "scale id"),
    "value": ("value", "data value"),
    "error": ("standard_error", "standard error"),
    "suppress": ("recommend_suppress", "recommend suppress"),
    "not_relevant": ("not_relevant", "not relevant"),
}
NEEDED = ("code", "element", "scale", "value")


class OccupationFileError(ValueError):
    """A file of ratings that cannot be read, with a sentence that says why."""


@cache
def mapping() -> dict[str, list[tuple[str, float]]]:
    """Our skill's slug → [(O*NET element id, share), …]."""
    found = defaultdict(list)
    with MAPPING.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["skill"]].append((row["element_id"], float(row["share"])))
    return dict(found)


def parse(data: bytes) -> tuple[Occupation.Scheme, dict[str, dict]]:
    """The scheme and what is said by occupation code: {"title": …, "ratings": {…}}; its columns tell the scheme.

    Of O*NET the importance and level scales are taken, of ESCO the essential and optional relations.

    Raises
    ------
    OccupationFileError : no text, columns missing, or a figure that is none.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OccupationFileError("The file is not UTF-8 text. Save it as CSV UTF-8 and try again.") from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    found: dict[str, dict]
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
        if esco.is_esco(head):
            found = esco.take(head, reader)
            if not found:
                raise OccupationFileError("The file holds no relation of an occupation to a skill.")
            return Occupation.Scheme.ESCO, found
        column = {key: next((head.index(n) for n in names if n in head), None) for key, names in HEADERS.items()}
        missing = [HEADERS[key][0] for key in NEEDED if column[key] is None]
        if missing:
            raise OccupationFileError(
                f"The file lacks the column {missing[0]!r}. It has: {', '.join(head[:15]) or 'none'}."
            )
        found = {}
        for number, cells in enumerate(reader, start=2):
            if cells:
                _take(
                    found,
                    {k: cells[i].strip() if i is not None and i < len(cells) else "" for k, i in column.items()},
                    number,
                )
    except csv.Error as error:
        raise OccupationFileError(f"The file cannot be read as a table: {error}.") from error
    except ValueError as error:
        raise error if isinstance(error, OccupationFileError) else OccupationFileError(str(error)) from error
    if not found:
        raise OccupationFileError("The file holds no importance or level ratings.")
    return Occupation.Scheme.ONET, found


def _take(found: dict, row: dict, number: int) -> None:
    if row["scale"] not in {"IM", "LV"} or row["suppress"] == "Y":
        return
    top = 5.0 if row["scale"] == "IM" else 7.0
    try:
        value = float(row["value"])
        error = float(row["error"]) if row["error"] not in {"", "n/a"} else None
    except ValueError as problem:
        raise OccupationFileError(f"Line {number}: {row['value'] or row['error']!r} is not a number.") from problem
    if not (math.isfinite(value) and 0 <= value <= top and (error is None or 0 <= error < 10)):
        raise OccupationFileError(f"Line {number}: {value:g} does not lie on the scale from 0 to {top:g}.")
    occupation = found.setdefault(row["code"][:12], {"title": row["title"][:200] or row["code"], "ratings": {}})
    rating = occupation["ratings"].setdefault(row["element"], {"name": row["name"]})
    if row["scale"] == "LV" and row["not_relevant"] == "Y":
        return
    rating[row["scale"]] = value
    if error is not None:
        rating[f"{row['scale']}_error"] = error


@transaction.atomic
def import_file(data: bytes, source: str = "", *, by=None) -> int:
    """Store the occupations of a file, all or none; returns how many. Without a source its scheme is named."""
    scheme, found = parse(data)
    source = source or scheme.label
    for code, occupation in found.items():
        row, _ = Occupation.objects.update_or_create(
            code=code,
            defaults={
                "scheme": scheme,
                "title": occupation["title"],
                "ratings": occupation["ratings"],
                "source": source[:120],
            },
        )
    record("occupations.imported", row, f"{len(found)} occupations from {source}", by=by, count=len(found))
    return len(found)


def draft(occupation: Occupation) -> list[dict]:
    """Lines of a role draft, most important first; empty where too few elements are rated.

    Essentials proposed: the up to three most important skills that need level 3 or more, else the single most
    important one. ESCO's occupations are drafted as roles.esco says.
    """
    if occupation.scheme == Occupation.Scheme.ESCO:
        return esco.draft(occupation)
    lines = [line for skill in Skill.objects.current() if (line := _line(skill, occupation)) is not None]
    lines = _distinct(lines)
    lines.sort(key=lambda line: -line["provenance"]["importance"])
    strong = [line for line in lines if line["provenance"]["importance"] >= MIN_IMPORTANCE]
    chosen = (strong if len(strong) >= FEWEST_REQUIREMENTS else lines[:FEWEST_REQUIREMENTS])[:MOST_REQUIREMENTS]
    essential = [line for line in chosen if line["level"] >= 3 and line["provenance"]["importance"] >= 3][:3]
    for line in essential or chosen[:1]:
        line["is_essential"] = True
    return chosen


def _distinct(lines: list[dict]) -> list[dict]:
    """Of skills that rest on the very same elements only the one that they say most about, the first where equal.

    O*NET's "Speaking" knows no camera: three skills with one and the same figure would be a guess three times.
    """
    best: dict[tuple, dict] = {}
    for line in lines:
        key = tuple(sorted(line["provenance"]["elements"]))
        if key not in best or line["share"] > best[key]["share"]:
            best[key] = line
    return [{name: value for name, value in line.items() if name != "share"} for line in best.values()]


def _error(parts, total: float) -> float:
    """Standard error of the weighted mean level, O*NET units; elements without one count with the others' mean."""
    known = [rating["LV_error"] for _, rating, _ in parts if "LV_error" in rating]
    if not known:
        return 0.0
    usual = sum(known) / len(known)
    return math.sqrt(sum((share * rating.get("LV_error", usual)) ** 2 for share, rating, _ in parts)) / total


def _line(skill: Skill, occupation: Occupation) -> dict | None:
    parts = [
        (share, occupation.ratings[element], element)
        for element, share in mapping().get(skill.slug, [])
        if "IM" in occupation.ratings.get(element, {}) and "LV" in occupation.ratings[element]
    ]
    total = sum(share for share, _, _ in parts)
    if not total:
        return None
    importance = sum(share * rating["IM"] for share, rating, _ in parts) / total
    level = sum(share * rating["LV"] for share, rating, _ in parts) / total * SCALE
    names = ", ".join(rating["name"] for _, rating, _ in parts)
    whole = max(1, min(5, round(level)))
    return {
        "share": total,
        "skill_id": skill.pk,
        "level": whole,
        "target": min(5, whole + 1),
        "weight": 3 if importance >= 4 else 2 if importance >= 3 else 1,
        "is_essential": False,
        "reason": f"{occupation.source} rates {names} {importance:.1f} of 5 in importance for this occupation."[:300],
        "standard_error": round(_error(parts, total) * SCALE, 3),
        "provenance": {
            "source": occupation.source,
            "occupation": f"{occupation.code} {occupation.title}",
            "elements": [f"{element} {rating['name']}" for _, rating, element in parts],
            "importance": round(importance, 2),
            "level": round(level, 2),
        },
    }
