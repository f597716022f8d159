"""The catalogue as data: shipped in roles/data/catalogue.json, written and read by management commands."""

import json
from pathlib import Path

from django.db import transaction

from roles.models import Anchor, EnterpriseFunction, Phase, RoleTemplate, Skill, SkillSet, TemplateRequirement
from socialstrategy.lib.text import clean

SHIPPED = Path(__file__).parent / "data" / "catalogue.json"


class CatalogueError(ValueError):
    """A catalogue file that cannot be taken, with a sentence that says why."""


def export() -> dict:
    """Functions, skill sets, skills with anchors and references, and templates, in the order of the pages."""
    skills = Skill.objects.current().with_anchors()
    templates = RoleTemplate.objects.current().with_requirements()
    return {
        "functions": [{"slug": f.slug, "name": f.name, "uses": f.uses} for f in EnterpriseFunction.objects.all()],
        "skill_sets": [{"slug": s.slug, "name": s.name, "purpose": s.purpose} for s in SkillSet.objects.all()],
        "skills": [
            {
                "slug": skill.slug,
                "name": skill.name,
                "skill_set": skill.skill_set.slug,
                "kind": skill.kind,
                "question": skill.question,
                "anchors": [anchor.text for anchor in skill.anchors.all()],
                "references": skill.references,
            }
            for skill in skills
        ],
        "templates": [
            {
                "slug": template.slug,
                "title": template.title,
                "function": template.function.slug,
                "phase": template.phase,
                "purpose": template.purpose,
                "requirements": [
                    {
                        "skill": line.skill.slug,
                        "level": line.level,
                        "target": line.target,
                        "weight": line.weight,
                        "essential": line.is_essential,
                        "reason": line.reason,
                    }
                    for line in template.requirements.all()
                ],
            }
            for template in templates
        ],
    }


def read(path: Path) -> dict:
    """A catalogue file as data, or CatalogueError."""
    try:
        # Bytes, since json knows UTF-8 and UTF-16 by their marks, with which Windows writes and redirects.
        data = json.loads(path.read_bytes())
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name} is neither UTF-8 nor UTF-16 text.") from error
    except json.JSONDecodeError as error:
        raise CatalogueError(f"{path.name} is not JSON: {error.msg} in line {error.lineno}.") from error
    except RecursionError as error:
        raise CatalogueError(f"{path.name} is nested too deeply to be a catalogue.") from error
    if not isinstance(data, dict):
        raise CatalogueError(f"{path.name} must hold one object.")
    return data


@transaction.atomic
def load(data: dict) -> None:
    """Add and update everything in ``data`` by slug, or nothing at all. What is not in it stays as it is.

    Raises
    ------
    CatalogueError : a missing or unknown field, a level outside 0-5, a weight outside 1-3, an anchor twice.
    """
    for position, row in enumerate(_rows(data, "functions", "slug", "name", "uses")):
        values = {"name": _text(row, "name", 60), "uses": row["uses"], "position": position}
        if not isinstance(row["uses"], list) or not all(isinstance(use, str) for use in row["uses"]):
            raise CatalogueError(f"The uses of the function {row['slug']!r} must be a list of texts.")
        EnterpriseFunction.objects.update_or_create(slug=row["slug"], defaults=values)
    for position, row in enumerate(_rows(data, "skill_sets", "slug", "name")):
        values = {"name": _text(row, "name", 60), "purpose": str(row.get("purpose", ""))[:200], "position": position}
        SkillSet.objects.update_or_create(slug=row["slug"], defaults=values)
    _load_skills(_rows(data, "skills", "slug", "name", "skill_set", "anchors"))
    for row in _rows(data, "templates", "slug", "title", "function", "phase", "requirements"):
        _load_template(row)


def _rows(data: dict, name: str, *fields: str) -> list[dict]:
    rows = data.get(name, [])
    if not isinstance(rows, list):
        raise CatalogueError(f"{name!r} must be a list.")
    for row in rows:
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise CatalogueError(f"An entry of {name!r} lacks {missing[0]!r}: {str(row)[:80]}")
    return rows


def _text(row: dict, field: str, longest: int) -> str:
    value = row[field]
    if not isinstance(value, str) or not clean(value) or len(value) > longest:
        raise CatalogueError(f"{field!r} of {row['slug']!r} must be a text of 1 to {longest} characters.")
    return clean(value)


def _load_skills(rows: list[dict]) -> None:
    sets = {skill_set.slug: skill_set for skill_set in SkillSet.objects.all()}
    Anchor.objects.filter(skill__slug__in=[row["slug"] for row in rows]).delete()
    seen = set(Anchor.objects.values_list("text", flat=True))
    anchors = []
    for position, row in enumerate(rows):
        if row["skill_set"] not in sets:
            raise CatalogueError(f"The skill {row['slug']!r} belongs to an unknown skill set: {row['skill_set']!r}.")
        kind = row.get("kind", Skill.Kind.PERFORMANCE)
        if kind not in Skill.Kind.values:
            raise CatalogueError(
                f"The kind of the skill {row['slug']!r} must be one of {', '.join(Skill.Kind.values)}."
            )
        skill, _ = Skill.objects.update_or_create(
            slug=row["slug"],
            defaults={
                "name": _text(row, "name", 60),
                "skill_set": sets[row["skill_set"]],
                "kind": kind,
                "question": str(row.get("question") or f"How good are you at {row['name'].lower()}?")[:160],
                "references": row.get("references", []),
                "position": position,
            },
        )
        texts = row["anchors"]
        if not isinstance(texts, list) or len(texts) != 6:
            raise CatalogueError(f"The skill {row['slug']!r} needs six anchors, one for each level.")
        for level, text in enumerate(texts):
            if not isinstance(text, str) or not clean(text) or len(text) > 200 or clean(text) in seen:
                raise CatalogueError(f"Anchor {level} of {row['slug']!r} must be a text of its own: {str(text)[:60]!r}")
            seen.add(clean(text))
            anchors.append(Anchor(skill=skill, level=level, text=clean(text)))
    Anchor.objects.bulk_create(anchors)


def _whole(value) -> int:
    """A whole number as it is; -1, which lies on no scale, for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _load_template(row: dict) -> None:
    function = EnterpriseFunction.objects.filter(slug=row["function"]).first()
    if function is None or row["phase"] not in Phase.values:
        raise CatalogueError(f"The template {row['slug']!r} needs a known function and phase.")
    values = {"title": _text(row, "title", 120), "function": function, "phase": row["phase"]}
    values["purpose"] = str(row.get("purpose", ""))[:300]
    template, _ = RoleTemplate.objects.update_or_create(slug=row["slug"], defaults=values)
    skills = {skill.slug: skill for skill in Skill.objects.all()}
    template.requirements.all().delete()
    for line in row["requirements"]:
        if not isinstance(line, dict) or line.get("skill") not in skills:
            raise CatalogueError(f"The template {row['slug']!r} asks for an unknown skill: {str(line)[:60]}")
        level, target, weight = (_whole(line.get(name)) for name in ("level", "target", "weight"))
        if not 0 <= level <= target <= 5 or not 1 <= weight <= 3:
            raise CatalogueError(
                f"{row['slug']!r}, {line['skill']!r}: level and target go from 0 to 5, the weight from 1 to 3."
            )
        TemplateRequirement.objects.create(
            template=template,
            skill=skills[line["skill"]],
            level=level,
            target=target,
            weight=weight,
            is_essential=bool(line.get("essential", False)),
            reason=clean(str(line.get("reason", "")))[:300],
        )


def load_shipped(**kwargs) -> None:
    """After `migrate`: the shipped catalogue, where there is none yet."""
    if not SkillSet.objects.exists():
        load(read(SHIPPED))
