"""What becomes of assessments when their deadline has passed: what is complete is handed in, as was agreed to."""

import logging
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from assessments.actions import Closed
from candidates import actions, delivery
from candidates.invitations import Invitation

logger = logging.getLogger(__name__)
LOOKED_BACK = timedelta(days=90)
"""Deadlines longer ago are not looked at again."""
AT_ONCE = 500
"""Assessments handed in at one time; the next are taken a quarter of an hour later."""
TOLD_FOR = timedelta(days=14)
"""For so long HR's home tells of what has run out, and of what was handed in by itself."""

MOST_SHOWN = 4
"""Of each kind that HR's home names."""


def over(now):
    """Invitations whose deadline passed lately and that nobody has handed in or taken back."""
    return Invitation.objects.filter(submitted_at=None, revoked_at=None, deadline_at__lte=now)


def due(now):
    """Those that are complete and were to be handed in by themselves."""
    return complete(over(now).filter(deadline_at__gt=now - LOOKED_BACK))


def complete(invitations):
    """Those among invitations that ran out which wait to be handed in by themselves, however long ago it was."""
    wanted = invitations.filter(sitting__hands_itself_in=True, sitting__submitted_at=None, person__archived_at=None)
    return wanted.with_progress().filter(answered__gte=F("asked"), asked__gt=0)


def hand_in(now, among=None) -> int:
    """Hand in what is due, or what of ``among`` is, each by itself, and mail each its report; returns how many."""
    wanted = due(now) if among is None else complete(among)
    return sum(_hand_in_one(invitation, now) for invitation in wanted.order_by("deadline_at")[:AT_ONCE])


def _hand_in_one(invitation: Invitation, now) -> bool:
    """One that cannot be handed in stops none of those behind it; a database that is away stops them all."""
    try:
        with transaction.atomic():
            actions.take_sitting_at_deadline(invitation, now)
            delivery.send_report(invitation.person)
    except Closed:
        return False  # HR gave more time, or took it back, at this very moment
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Invitation %s could not be handed in at its deadline", invitation.pk)
        return False
    return True


def told(now) -> dict:
    """What HR's home says about deadlines that have passed."""
    lately = now - TOLD_FOR
    by_itself = Invitation.objects.filter(sitting__submitted_by_itself=True, submitted_at__gt=lately)
    ran_out = over(now).filter(deadline_at__gt=lately, person__archived_at=None)
    shown = list(ran_out.with_progress().order_by("-answered", "-deadline_at")[:MOST_SHOWN])
    return {
        "by_itself": by_itself.select_related("person", "role_version__role").order_by("-submitted_at")[:MOST_SHOWN],
        "ran_out": shown,
        "ran_out_count": ran_out.count() if len(shown) == MOST_SHOWN else len(shown),
    }
