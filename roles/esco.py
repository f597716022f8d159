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

from roles.models import Occupation, OccupationElement, Skill

MAPPING = Path(__file__).parent / "data" / "esco_mapping.csv"
MOST_REQUIREMENTS = 12
MOST_ESSENTIALS = 3


@cache
def _mapped() -> list[dict]:
    with MAPPING.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def mapping() -> dict[str, str]:
    """Address of an ESCO skill → the slug of ours that it feeds."""
    return {row["esco_uri"]: row["skill"] for row in _mapped()}


def _names() -> dict[str, str]:
    """What ESCO calls the skills that feed ours: as read in, in whatever language, else as our mapping has it."""
    shipped = {row["esco_uri"]: row["esco_label"] for row in _mapped()}
    return shipped | OccupationElement.objects.names(shipped)


def draft(occupation: Occupation) -> list[dict]:
    """Lines of a role draft, what ESCO calls essential first; empty where it names nothing that feeds our skills."""
    names = _names()
    of_skill: dict[str, list[dict]] = {}
    for uri, relation in occupation.ratings.items():
        if uri in mapping():
            of_skill.setdefault(mapping()[uri], []).append({**relation, "name": names[uri]})
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
    source = " and ".join(sorted({one["source"] for one in relations}))
    said = f"calls {', '.join(essential)} essential" if essential else f"lists {', '.join(optional)} as optional"
    return {
        "skill_id": skill.pk,
        "level": level,
        "target": level + 1,
        "weight": min(3, 1 + len(essential)),
        "is_essential": False,
        "reason": f"{source} {said} for this occupation."[:300],
        "standard_error": 0.0,
        "provenance": {
            "source": source,
            "occupation": occupation.long_title,
            "elements": essential + optional,
            "essential": len(essential),
            "optional": len(optional),
        },
    }
