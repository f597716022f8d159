"""Role profiles from real occupations: drafts requirements from O*NET's ratings by the mapping in roles/data.

importance 1-5 -> weight 1-3      level 0-7 -> 0-5 (times 5/7)      standard errors of the level -> times 5/7

A skill's figures are the weighted means over the O*NET elements mapped to it. O*NET has no element for some of our
skills and a rough one for others; every drafted requirement therefore carries where its figures came from.
"""

import csv
import math
from collections import defaultdict
from functools import cache
from pathlib import Path

from roles import esco
from roles.models import Occupation, OccupationElement, Skill

MAPPING = Path(__file__).parent / "data" / "onet_mapping.csv"
SCALE = 5 / 7
MIN_IMPORTANCE = 2.5
MOST_REQUIREMENTS = 12
FEWEST_REQUIREMENTS = 8


@cache
def mapping() -> dict[str, list[tuple[str, float]]]:
    """Our skill's slug → [(O*NET element id, share), …]."""
    found = defaultdict(list)
    for row in _mapped():
        found[row["skill"]].append((row["element_id"], float(row["share"])))
    return dict(found)


@cache
def _mapped() -> list[dict]:
    with MAPPING.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names() -> dict[str, str]:
    """What O*NET calls the elements that feed our skills: as read in, else as our mapping has it."""
    shipped = {row["element_id"]: row["element_name"] for row in _mapped()}
    return shipped | OccupationElement.objects.names(shipped)


def draft(occupation: Occupation) -> list[dict]:
    """Lines of a role draft, most important first; empty where too few elements are rated.

    Essentials proposed: the up to three most important skills that need level 3 or more, else the single most
    important one. ESCO's occupations are drafted as roles.esco says.
    """
    if occupation.scheme == Occupation.Scheme.ESCO:
        return esco.draft(occupation)
    names = _names()
    lines = [line for skill in Skill.objects.current() if (line := _line(skill, occupation, names)) is not None]
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


def _line(skill: Skill, occupation: Occupation, names: dict[str, str]) -> dict | None:
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
    source = " and ".join(sorted({rating["source"] for _, rating, _ in parts}))
    called = ", ".join(names[element] for _, _, element in parts)
    whole = max(1, min(5, round(level)))
    return {
        "share": total,
        "skill_id": skill.pk,
        "level": whole,
        "target": min(5, whole + 1),
        "weight": 3 if importance >= 4 else 2 if importance >= 3 else 1,
        "is_essential": False,
        "reason": f"{source} rates {called} {importance:.1f} of 5 in importance for this occupation."[:300],
        "standard_error": round(_error(parts, total) * SCALE, 3),
        "provenance": {
            "source": source,
            "occupation": occupation.long_title,
            "elements": [f"{element} {names[element]}" for _, _, element in parts],
            "importance": round(importance, 2),
            "level": round(level, 2),
        },
    }
