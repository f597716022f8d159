"""What is told of coverage: shares of what is needed, and their sums for one kind of viewer."""

from dataclasses import dataclass

from scoring.readiness import READY
from socialstrategy.lib.templatetags.components import figure

TINTS = (0.05, 0.25, 0.50, 0.75)
WORDS = {"meets": "Ready", "uncertain": "Uncertain", "gap": "Not ready", "not_assessed": "Asks for nobody"}


@dataclass(frozen=True)
class Change:
    """What has changed between two shares: so many people, or so many points of a hundred."""

    amount: float
    unit: str = ""

    @property
    def signed(self) -> str:
        """With its sign; nothing where it is too little to be told."""
        return f"{'+' if self.amount > 0 else '−'}{figure(abs(self.amount))}" if abs(self.amount) >= 0.05 else ""

    @property
    def spoken(self) -> str:
        return f"{self.signed}{self.unit} since last quarter" if self.signed else ""

    @property
    def words(self) -> str:
        if not self.signed:
            return "as last quarter"
        return f"{'up' if self.amount > 0 else 'down'} {figure(abs(self.amount))}{self.unit}"


@dataclass(frozen=True)
class Share:
    """``covered`` of ``needed`` people; with an interval of the share where one was drawn."""

    covered: float
    needed: float
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float:
        return self.covered / self.needed if self.needed else 1.0

    @property
    def short(self) -> float:
        return self.needed - self.covered

    @property
    def tint(self) -> int:
        """0-4, by the share that is short: under 5 %, to 25, to 50, to 75, more."""
        if 1 - self.share < TINTS[0]:
            return 0
        return 1 + sum(1 - self.share > edge for edge in TINTS[1:])

    @property
    def state(self) -> str:
        if not self.needed:
            return "not_assessed"
        if self.low is None or self.high is None:
            return "meets" if self.share >= READY else "gap"
        if self.low >= READY:
            return "meets"
        return "gap" if self.high < READY else "uncertain"

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def tint_state(self) -> str:
        """The tint as one of the three states, for a shape beside the words."""
        return "meets" if self.tint == 0 else "uncertain" if self.tint <= 2 else "gap"

    @property
    def is_counted(self) -> bool:
        """Whether the people covered are told as a number, and not as a share alone."""
        return True

    @property
    def amount(self) -> str:
        """What is covered, as short as it can be told."""
        return figure(self.covered) if self.is_counted else f"{self.share:.0%}"

    @property
    def words(self) -> str:
        return f"{self.amount} of {figure(self.needed)} covered" if self.is_counted else f"about {self.amount} covered"

    def change_from(self, before: "Share") -> Change:
        return Change(self.covered - before.covered)

    @property
    def spoken(self) -> str:
        """What the drawing says to those who hear it."""
        if self.low is None or self.high is None:
            return f"{self.share:.0%} covered"
        return f"{self.share:.0%} covered, 80% interval {self.low:.0%} to {self.high:.0%}, {self.word.lower()}"

    def __add__(self, other: "Share") -> "Share":
        return Share(self.covered + other.covered, self.needed + other.needed)


NOTHING = Share(0.0, 0.0)


@dataclass(frozen=True)
class Figures:
    """Sums over demands, for one kind of viewer: all of them, by function, by cell and by initiative."""

    total: Share
    functions: dict[str, Share]
    cells: dict[str, Share]
    initiatives: dict[int, Share]

    def stored(self) -> dict:
        """As JSON."""

        def row(one: Share) -> list:
            return [one.covered, one.needed, one.low, one.high]

        return {
            "total": row(self.total),
            "functions": {key: row(one) for key, one in self.functions.items()},
            "cells": {key: row(one) for key, one in self.cells.items()},
            "initiatives": {str(key): row(one) for key, one in self.initiatives.items()},
        }

    @classmethod
    def restored(cls, data: dict) -> "Figures":
        return cls(
            Share(*data["total"]),
            {key: Share(*row) for key, row in data["functions"].items()},
            {key: Share(*row) for key, row in data["cells"].items()},
            {int(key): Share(*row) for key, row in data["initiatives"].items()},
        )


def cell_key(function: str, skill_set: str) -> str:
    return f"{function}/{skill_set}"
