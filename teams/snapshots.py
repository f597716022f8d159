"""Quarters: what the board said when each ended, stored once, and the trend made of them."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

import scoring
from candidates import parameters
from candidates.models import Change
from teams import coverage
from teams.models import Snapshot


def quarter_start(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def last_quarter_end(day: date) -> date:
    """The last day of the quarter before the one that ``day`` lies in."""
    return quarter_start(day) - timedelta(days=1)


def quarter_name(day: date) -> str:
    """Q3 2026."""
    return f"Q{(day.month - 1) // 3 + 1} {day.year}"


@transaction.atomic
def take(quarter_on: date, board: coverage.Board | None = None) -> bool:
    """Store the quarter that ended on ``quarter_on`` unless it is stored already; whether it was taken now.

    The scheduled job runs every day and takes the quarter on the first day that it can; later calls change nothing.
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
            "figures": figures(board),
        },
    )
    Change.note()
    return is_new


def figures(board: coverage.Board) -> dict:
    """Everything the overview compares with later, as JSON: for those who see names, and merged for executives."""
    return {
        "exact": board.exact.stored(),
        "merged": board.merged.stored(),
        "one_deep": len(board.one_deep),
        "initiatives": len(board.initiatives),
    }


def figures_for(snapshot: Snapshot, user) -> coverage.Figures:
    """A quarter's figures as ``user`` may see them."""
    return coverage.Figures.restored(snapshot.figures["exact" if user.is_hr else "merged"])
