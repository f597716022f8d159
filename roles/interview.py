"""What to ask about a skill in an interview: two questions about what somebody did, and what answers sound like."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from roles.models import Skill

SHIPPED = Path(__file__).parent / "data" / "interview.json"
SOUNDS_AT = (1, 3, 5)


@dataclass(frozen=True)
class Prompt:
    """Two questions, and (level, what an answer at it sounds like) for three levels."""

    questions: tuple[str, ...]
    answers: tuple[tuple[int, str], ...]


@cache
def shipped() -> dict[str, Prompt]:
    """Skill slug → prompt, for the skills that come with the product."""
    data = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return {
        slug: Prompt(tuple(row["questions"]), tuple((level, row["answers"][str(level)]) for level in SOUNDS_AT))
        for slug, row in data.items()
    }


def prompt(skill: Skill) -> Prompt:
    """The shipped prompt, or one made of the skill's own question and anchors."""
    found = shipped().get(skill.slug)
    if found:
        return found
    answers = tuple((level, skill.anchor(level)) for level in SOUNDS_AT)
    return Prompt(("Tell me about the last time you needed this. What did you do yourself?", skill.question), answers)
