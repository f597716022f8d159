"""Role profiles from ESCO occupations: reads which skills ESCO calls essential or optional for an occupation.

ESCO grades no levels and no importance. What it does say is counted, over the ESCO skills mapped to ours in
roles/data/esco_mapping.csv:

    weight 3 where two or more of them are essential, 2 where one is, 1 where all are optional
    level 3 (independent) where one is essential, 2 (assisted) where all are optional, the target one above

The up to three skills with most essential ones are proposed as essentials. Every line says what it rests on.
"""

import csv
from functools import cache
from pathlib import Path

from roles.models import Occupation, Skill

MAPPING = Path(__file__).parent / "data" / "esco_mapping.csv"
COLUMNS = ("occupation_uri", "esco_code", "occupation", "relation", "skill", "skill_uri")
RELATIONS = ("essential", "optional")
MOST_REQUIREMENTS = 12
MOST_ESSENTIALS = 3


@cache
def mapping() -> dict[str, str]:
    """URI of an ESCO skill → the slug of ours that it feeds."""
    with MAPPING.open(encoding="utf-8", newline="") as file:
        return {row["esco_uri"]: row["skill"] for row in csv.DictReader(file)}


def is_esco(head: list[str]) -> bool:
    return {"occupation_uri", "skill_uri"} <= set(head)


def take(head: list[str], rows) -> dict[str, dict]:
    """Relations by occupation code: {"title": …, "ratings": {skill URI: {"name": …, "relation": …}}}.

    Raises
    ------
    ValueError : a column is missing, or a relation is neither essential nor optional.
    """
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        raise ValueError(f"The file lacks the column {missing[0]!r}. It has: {', '.join(head[:15])}.")
    at = {name: head.index(name) for name in COLUMNS}
    found: dict[str, dict] = {}
    for number, cells in enumerate(rows, start=2):
        if not cells:
            continue
        row = {name: cells[n].strip() if n < len(cells) else "" for name, n in at.items()}
        if row["relation"] not in RELATIONS:
            raise ValueError(f"Line {number}: {row['relation']!r} is neither essential nor optional.")
        if not (row["esco_code"] and row["occupation"] and row["skill_uri"]):
            raise ValueError(f"Line {number}: the code, the occupation or the skill is missing.")
        title = row["occupation"][:200]
        one = found.setdefault(row["esco_code"][:12], {"title": title[0].upper() + title[1:], "ratings": {}})
        one["ratings"][row["skill_uri"][:200]] = {"name": row["skill"][:200], "relation": row["relation"]}
    return found


def draft(occupation: Occupation) -> list[dict]:
    """Lines of a role draft, what ESCO calls essential first; empty where it names nothing that feeds our skills."""
    of_skill: dict[str, list[dict]] = {}
    for uri, relation in occupation.ratings.items():
        if uri in mapping():
            of_skill.setdefault(mapping()[uri], []).append(relation)
    lines = [
        _line(skill, of_skill[skill.slug], occupation) for skill in Skill.objects.current() if skill.slug in of_skill
    ]
    lines.sort(key=lambda line: (-line["provenance"]["essential"], -line["provenance"]["optional"]))
    chosen = lines[:MOST_REQUIREMENTS]
    essential = [line for line in chosen if line["provenance"]["essential"]][:MOST_ESSENTIALS]
    for line in essential or chosen[:1]:
        line["is_essential"] = True
    return chosen


def _line(skill: Skill, relations: list[dict], occupation: Occupation) -> dict:
    essential = [one["name"] for one in relations if one["relation"] == "essential"]
    optional = [one["name"] for one in relations if one["relation"] == "optional"]
    level = 3 if essential else 2
    said = f"calls {', '.join(essential)} essential" if essential else f"lists {', '.join(optional)} as optional"
    return {
        "skill_id": skill.pk,
        "level": level,
        "target": level + 1,
        "weight": min(3, 1 + len(essential)),
        "is_essential": False,
        "reason": f"{occupation.source} {said} for this occupation."[:300],
        "standard_error": 0.0,
        "provenance": {
            "source": occupation.source,
            "occupation": f"{occupation.code} {occupation.title}",
            "elements": essential + optional,
            "essential": len(essential),
            "optional": len(optional),
        },
    }
