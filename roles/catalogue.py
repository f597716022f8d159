"""The catalogue as data: shipped in roles/data/catalogue.json, written and read by management commands."""

import json
import re
from pathlib import Path
from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from roles.models import Anchor, EnterpriseFunction, Phase, RoleTemplate, Skill, SkillSet, TemplateRequirement
from socialstrategy.lib.text import clean

SHIPPED = Path(__file__).parent / "data" / "catalogue.json"
REFERENCE = ("scheme", "label", "id")
LISTS = {"uses", "anchors", "requirements"}
"""Fields that hold more than a text."""
Placed = TypeVar("Placed", EnterpriseFunction, SkillSet, Skill)
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")


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
    except ValueError as error:
        raise CatalogueError(f"{path.name} holds a number of too many digits.") from error
    except RecursionError as error:
        raise CatalogueError(f"{path.name} is nested too deeply to be a catalogue.") from error
    if not isinstance(data, dict):
        raise CatalogueError(f"{path.name} must hold one object.")
    return data


@transaction.atomic
def load(data: dict) -> None:
    """Add and update everything in ``data`` by slug, or nothing at all. What is not in it stays as it is: whole rows,
    and of those that are in it what is left out or null. A row that is there already keeps its place.

    Raises
    ------
    CatalogueError : a missing or unknown field, a level outside 0-5, a weight outside 1-3, an anchor or an entry twice.
    """
    _refuse_half_signs(data)
    for row in _rows(data, "functions", "slug", "name", "uses"):
        if not isinstance(row["uses"], list) or not all(isinstance(use, str) for use in row["uses"]):
            raise CatalogueError(f"The uses of the function {row['slug']!r} must be a list of texts.")
        _put(EnterpriseFunction, row["slug"], {"name": _text(row, "name", 60), "uses": [*map(clean, row["uses"])]})
    for row in _rows(data, "skill_sets", "slug", "name"):
        _put(SkillSet, row["slug"], {"name": _text(row, "name", 60), "purpose": _said(row, "purpose", 200)})
    _load_skills(_rows(data, "skills", "slug", "name", "skill_set", "anchors"))
    for row in _rows(data, "templates", "slug", "title", "function", "phase", "requirements"):
        _load_template(row)


def _put(model: type[Placed], slug: str, values: dict, defaults: dict | None = None) -> Placed:
    """Add a row at the end, or change of one that is there what is said; None says nothing."""
    if model._default_manager.filter(name=values["name"]).exclude(slug=slug).exists():
        raise CatalogueError(f"{slug!r} cannot be called {values['name']!r}: something else is called that.")
    said = {name: value for name, value in values.items() if value is not None}
    last = model._default_manager.aggregate(last=Max("position"))["last"]
    new = {"position": 0 if last is None else last + 1} | (defaults or {}) | said
    return model._default_manager.update_or_create(slug=slug, defaults=said, create_defaults=new)[0]


def _refuse_half_signs(data: dict) -> None:
    """JSON can hold halves of signs ("\\ud800"), which no database takes."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise CatalogueError(
            f"The catalogue holds half a sign: {error.object[error.start - 40 : error.start]!r}…"
        ) from error


def _rows(data: dict, name: str, *fields: str) -> list[dict]:
    rows = data.get(name, [])
    seen: set[str] = set()
    if not isinstance(rows, list):
        raise CatalogueError(f"{name!r} must be a list.")
    for row in rows:
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise CatalogueError(f"An entry of {name!r} lacks {missing[0]!r}: {str(row)[:80]}")
        other = [field for field in fields if field not in LISTS and not isinstance(row[field], str)]
        if other:
            raise CatalogueError(f"{other[0]!r} must be a text in this entry of {name!r}: {str(row)[:80]}")
        if not SLUG.fullmatch(row["slug"]):
            raise CatalogueError(f"A 'slug' has 1 to 50 plain letters, digits, - and _, unlike {row['slug'][:60]!r}.")
        if row["slug"] in seen:
            raise CatalogueError(f"{row['slug']!r} stands in {name!r} twice.")
        seen.add(row["slug"])
    return rows


def _text(row: dict, field: str, longest: int) -> str:
    value = row[field]
    if not isinstance(value, str) or not 0 < len(clean(value)) <= longest:
        raise CatalogueError(f"{field!r} of {row['slug']!r} must be a text of 1 to {longest} characters.")
    return clean(value)


def _said(row: dict, field: str, longest: int, of: str = "") -> str | None:
    """A text that may be left out or empty; None where it is left out or null. ``of``: what has no slug itself."""
    value = row.get(field)
    if value is not None and (not isinstance(value, str) or len(clean(value)) > longest):
        raise CatalogueError(f"{field!r} of {of or row['slug']!r} must be a text of at most {longest} characters.")
    return None if value is None else clean(value)


def _load_skills(rows: list[dict]) -> None:
    sets = {skill_set.slug: skill_set for skill_set in SkillSet.objects.all()}
    Anchor.objects.filter(skill__slug__in=[row["slug"] for row in rows]).delete()
    seen = set(Anchor.objects.values_list("text", flat=True))
    anchors = []
    for row in rows:
        if row["skill_set"] not in sets:
            raise CatalogueError(f"The skill {row['slug']!r} belongs to an unknown skill set: {row['skill_set']!r}.")
        skill = _put(Skill, row["slug"], _skill_values(row, sets), {"question": _question(row["name"])})
        texts = row["anchors"]
        if not isinstance(texts, list) or len(texts) != 6:
            raise CatalogueError(f"The skill {row['slug']!r} needs six anchors, one for each level.")
        for level, text in enumerate(texts):
            if not isinstance(text, str) or not 0 < len(clean(text)) <= 200 or clean(text) in seen:
                raise CatalogueError(f"Anchor {level} of {row['slug']!r} must be a text of its own: {str(text)[:60]!r}")
            seen.add(clean(text))
            anchors.append(Anchor(skill=skill, level=level, text=clean(text)))
    Anchor.objects.bulk_create(anchors)


def _skill_values(row: dict, sets: dict[str, SkillSet]) -> dict:
    """What a row says of a skill; None where it says nothing."""
    kind, references = row.get("kind"), row.get("references")
    if kind is not None and kind not in Skill.Kind.values:
        raise CatalogueError(f"The kind of the skill {row['slug']!r} must be one of {', '.join(Skill.Kind.values)}.")
    if references is not None and not (isinstance(references, list) and all(map(_is_reference, references))):
        raise CatalogueError(f"The references of the skill {row['slug']!r} must be a list, each of three texts.")
    return {
        "name": _text(row, "name", 60),
        "skill_set": sets[row["skill_set"]],
        "kind": kind,
        # There is always a question: an empty one says nothing.
        "question": _said(row, "question", 160) or None,
        "references": references and [{name: clean(one[name]) for name in REFERENCE} for one in references],
    }


def _is_reference(one) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(name), str) for name in REFERENCE)


def _question(name: str) -> str:
    return f"How good are you at {name.lower()}?"


def _whole(value) -> int:
    """A whole number as it is; -1, which lies on no scale, for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _load_template(row: dict) -> None:
    function = EnterpriseFunction.objects.filter(slug=row["function"]).first()
    if function is None or row["phase"] not in Phase.values:
        raise CatalogueError(f"The template {row['slug']!r} needs a known function and phase.")
    values = {"title": _text(row, "title", 120), "function": function, "phase": row["phase"]}
    purpose = _said(row, "purpose", 300)
    values |= {} if purpose is None else {"purpose": purpose}
    template, _ = RoleTemplate.objects.update_or_create(slug=row["slug"], defaults=values)
    skills = {skill.slug: skill for skill in Skill.objects.all()}
    before = {line.skill.slug: line for line in template.requirements.select_related("skill")}
    template.requirements.all().delete()
    if not isinstance(row["requirements"], list):
        raise CatalogueError(f"The requirements of the template {row['slug']!r} must be a list.")
    asked = set()
    for line in row["requirements"]:
        if not isinstance(line, dict) or not isinstance(line.get("skill"), str) or line["skill"] not in skills:
            raise CatalogueError(f"The template {row['slug']!r} asks for an unknown skill: {str(line)[:60]}")
        if line["skill"] in asked:
            raise CatalogueError(f"The template {row['slug']!r} asks for {line['skill']!r} twice.")
        asked.add(line["skill"])
        values = _line_values(row["slug"], line, before.get(line["skill"]))
        TemplateRequirement.objects.create(template=template, skill=skills[line["skill"]], **values)


def _line_values(template: str, line: dict, before: TemplateRequirement | None) -> dict:
    """What a line asks; what it leaves out is as it was ``before``."""
    place = f"{template!r}, {line['skill']!r}"
    level, target, weight = (_whole(line.get(name)) for name in ("level", "target", "weight"))
    if not 0 <= level <= target <= 5 or not 1 <= weight <= 3:
        raise CatalogueError(f"{place}: level and target go from 0 to 5, the weight from 1 to 3.")
    essential, reason = line.get("essential"), _said(line, "reason", 300, place)
    if essential is not None and not isinstance(essential, int):
        raise CatalogueError(f"{place}: 'essential' is true or false.")
    if before:
        essential = before.is_essential if essential is None else essential
        reason = before.reason if reason is None else reason
    numbers = {"level": level, "target": target, "weight": weight}
    return numbers | {"is_essential": bool(essential), "reason": reason or ""}


def load_shipped(**kwargs) -> None:
    """After `migrate`: the shipped catalogue, where there is none yet."""
    if not SkillSet.objects.exists():
        load(read(SHIPPED))
