"""What the pages of the assessment and of the ratings show of a skill and of one's way through."""

from hashlib import sha256

from socialstrategy.lib.levels import LEVELS


def cards(skill) -> list[dict]:
    """The six anchors in the order of levels."""
    return [{"level": a.level, "word": LEVELS[a.level], "text": a.text} for a in skill.anchors.all()]


def wording(skill) -> str:
    """A short sign for everything that a page says of a skill, sent back with what was chosen by it."""
    said = [skill.name, skill.question, *(anchor.text for anchor in skill.anchors.order_by("level"))]
    return sha256("\n".join(said).encode()).hexdigest()[:16]


def steps(place: int, last: int) -> list[dict]:
    """The bars of the progress line: where each begins, how wide it is, and whether it has been reached."""
    width = 100 / last
    return [{"x": f"{n * width + 0.35:.2f}%", "width": f"{width - 0.7:.2f}%", "done": n < place} for n in range(last)]
