"""Quarters: what the board said when each ended, stored once, and the trend made of them."""

import zlib
from base64 import b64decode, b64encode
from datetime import date, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

import scoring
from candidates import matrix, parameters
from candidates.models import Change
from scoring import readiness
from teams import coverage
from teams.figures import Figures
from teams.models import Snapshot
from teams.told import Publication


def quarter_start(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def last_quarter_end(day: date) -> date:
    """The last day of the quarter before the one that ``day`` lies in."""
    return quarter_start(day) - timedelta(days=1)


def quarter_name(day: date) -> str:
    """Q3 2026."""
    return f"Q{(day.month - 1) // 3 + 1} {day.year}"


@transaction.atomic
def take(quarter_on: date, board: coverage.Board | None = None, *, told: dict | None = None) -> bool:
    """Store the quarter that ended on ``quarter_on`` unless it is stored already; whether it was taken now.

    ``told``: what executives read of it, if not their newest figures.

    The scheduled job takes the quarter on the first day that it can; later calls change nothing.
    """
    if Snapshot.objects.filter(quarter_on=quarter_on).exists():
        return False
    board = board or coverage.current()
    _, is_new = Snapshot.objects.get_or_create(
        quarter_on=quarter_on,
        defaults={
            "taken_at": timezone.now(),
            "engine": scoring.ENGINE_VERSION,
            "parameters": parameters.current().name,
            "figures": figures(board, told),
        },
    )
    Change.note()
    return is_new


PART = 2_000
"""Demands a part."""


def plan(day: date, size: int = PART) -> list[dict]:
    """Parts of the work before a quarter is stored, as runs of demands in the newest snapshot of everybody's levels."""
    path, _ = matrix.snapshot()
    count = len(coverage.Asked(day).demands)
    return [
        {"snapshot": path.name, "day": day.isoformat(), "first": n, "last": n + size, "size": min(size, count - n)}
        for n in range(0, count, size)
    ]


def draw_part(snapshot: str, day: str, first: int, last: int, **_) -> dict:
    """How many each demand of a run has in each draw, packed, by what the demand holds."""
    asked = coverage.Asked(date.fromisoformat(day))
    numbers = np.arange(len(asked.demands))[first:last]
    lines = coverage.lines_of(asked, matrix.of_snapshot(snapshot), numbers)
    met = readiness.draw([line.asked for line in lines], seed=coverage.SEED)
    return {key.hex(): b64encode(zlib.compress(one.tobytes())).decode() for key, one in met.items()}


def board_of(day: date, snapshot: str, parts: list[dict]) -> coverage.Board:
    """The board from what the parts have drawn; a demand that has changed meanwhile is drawn here."""
    known = {
        bytes.fromhex(key): np.frombuffer(zlib.decompress(b64decode(packed)), dtype=np.int32)
        for part in parts
        for key, packed in part.items()
    }
    return coverage.Board(coverage.Asked(day, known), matrix.of_snapshot(snapshot))


def figures(board: coverage.Board, told: dict | None = None) -> dict:
    """Everything the overview compares with later, as JSON: exact for HR, and for executives what they read then.

    Not what the board says on the quarter's own day: the difference from the week's figures would be somebody.
    """
    if told is None:
        newest = Publication.objects.last()
        told = newest.figures if newest else None
    return {
        "exact": board.exact.stored(),
        **({"told": {key: told[key] for key in ("total", "functions", "cells", "initiatives")}} if told else {}),
        "one_deep": len(board.one_deep),
        "initiatives": len(board.initiatives),
    }


def exact(snapshot: Snapshot) -> Figures:
    """A quarter's figures as HR sees them."""
    return Figures.restored(snapshot.figures["exact"])
