"""The six levels everything is measured on."""

LEVELS = ("None", "Aware", "Assisted", "Independent", "Leads", "Shapes the field")
LEVEL_CHOICES = [(number, f"{number} {word}") for number, word in enumerate(LEVELS)]


def word(level: float) -> str:
    """A level's word is its floor, within 0-5."""
    return LEVELS[max(0, min(5, int(level // 1)))]
