"""Which sittings a browser may work on: those that were opened in it, each for as long as it is come back to.

Every page names its sitting in its address, and asks here whether the browser may open it. A browser may hold several
sittings: two assessments of one subject, or those of two at one computer.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from assessments.models import Sitting

HELD = "held sittings"
"""For each: when it was opened here, and when one came back to it last."""
MOST = 20
"""Sittings that one browser holds; the one that was left alone for the longest goes first."""
NOTED_EVERY = 60 * 60
"""Seconds: coming back is noted once an hour, so that not every page writes the session."""


def idle_seconds() -> int:
    return settings.ASSESSMENT_IDLE_DAYS * 24 * 60 * 60


def hold(request, sitting_id: UUID, now: datetime) -> None:
    """Let this browser work on a sitting, beside those that it may work on already.

    ``now`` is when its link was used up: where the address is changed a moment later, the browser is let in no more.
    """
    request.session.cycle_key()
    held = request.session.get(HELD, {})
    held.pop(str(sitting_id), None)
    newest = sorted(held.items(), key=lambda pair: pair[1][1])[-(MOST - 1) :]
    opened = now.timestamp()
    request.session[HELD] = dict(newest) | {str(sitting_id): [opened, opened]}
    _last_as_long_as_one_comes_back(request)


def held_sitting(request, sitting_id: UUID) -> Sitting | None:
    """The sitting, whatever its state, if this browser may work on it; None where it may not."""
    opened, seen = request.session.get(HELD, {}).get(str(sitting_id), (0, 0))
    now = timezone.now().timestamp()
    if seen + idle_seconds() <= now:
        return None
    found = Sitting.objects.select_related("role_version__role").filter(pk=sitting_id).first()
    if found and found.left_at and found.left_at.timestamp() >= opened:
        return None
    if seen + NOTED_EVERY <= now:
        request.session[HELD] = request.session[HELD] | {str(sitting_id): [opened, now]}
        _last_as_long_as_one_comes_back(request)
    return found


def open_sitting(request, sitting_id: UUID) -> Sitting | None:
    """The sitting, if this browser may work on it and it can still be worked on."""
    found = held_sitting(request, sitting_id)
    return found if found and found.is_open(timezone.now()) else None


def leave(request) -> None:
    """Nothing of anybody can be opened in this browser any more, until a link is opened or somebody signs in."""
    request.session.flush()


def _last_as_long_as_one_comes_back(request) -> None:
    """Without an account the whole session ends after the idle days; signed in, it ends as every other does."""
    if not request.user.is_authenticated:
        request.session.set_expiry(idle_seconds())
