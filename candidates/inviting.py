"""Inviting people, and what can be done with an invitation afterwards."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Link, record
from assessments import actions as assessments
from candidates import deadlines
from candidates.delivery import just_sent, lengthen_links, mail_link, take_in_hand, take_turns
from candidates.invitations import BETWEEN_MAILS, Invitation
from candidates.models import Person
from socialstrategy import mail

MOST_REMINDERS = 500
"""Reminders sent at one press of the button."""


def end_of(day) -> datetime:
    """A deadline lasts until the end of its day, in the organisation's time zone."""
    return timezone.make_aware(datetime.combine(day, time(23, 59)))


@transaction.atomic
def invite(people, version, *, deadline_on, by) -> tuple[list[Invitation], list[Person]]:
    """Invite people to assess themselves; returns the invitations and those who have an open one already.

    Whoever has been archived meanwhile is in neither.
    """
    if version.is_draft:
        raise ValidationError("Publish the role before you invite people to it.")
    deadline = end_of(deadline_on)
    keys = [person.pk for person in people]
    take_turns(*keys)
    # As they are now: the address may have been corrected while the page stood open or this waited for its turn.
    current = Person.objects.current().in_bulk(keys)
    people = [current[key] for key in keys if key in current]
    sent, skipped = [], []
    now = timezone.now()
    busy = set(Invitation.objects.open_at(now).filter(role_version=version).values_list("person_id", flat=True))
    busy |= _make_room(deadlines.over(now).filter(role_version=version, person__in=people), now, by)
    for person in people:
        if person.pk in busy:
            skipped.append(person)
            continue
        sitting = assessments.create_sitting(subject=person.subject, role_version=version, deadline_at=deadline)
        invitation = Invitation.objects.create(
            person=person, role_version=version, sitting=sitting, by=by, deadline_at=deadline, sent_at=now
        )
        mail_link(invitation, "candidates/emails/invitation.txt")
        record("invitation.sent", invitation, f"{person.code} for {version}", by=by)
        sent.append(invitation)
    return sent, skipped


def _make_room(ran_out, now, by) -> set[int]:
    """Invitations that ran out end before the next one; what is complete and waits to be handed in is handed in.

    Gives whose could not be: theirs is not taken back, since their answers would be lost.
    """
    deadlines.hand_in(now, among=ran_out)
    waiting = set(deadlines.complete(ran_out).values_list("person_id", flat=True))
    for invitation in ran_out.exclude(person__in=waiting).select_related("person", "sitting"):
        revoke(invitation, by=by)
    return waiting


@transaction.atomic
def send_fresh(invitation: Invitation) -> None:
    """A fresh link to the same address, for another device or after a used link; at most one a minute."""
    take_in_hand(invitation)
    if just_sent(Link.Purpose.ASSESSMENT, invitation.pk) or not invitation.person.email:
        return
    mail_link(invitation, "candidates/emails/fresh_link.txt")
    record("invitation.link sent", invitation, invitation.person.code)


@transaction.atomic
def resend(invitation: Invitation, *, by) -> None:
    """Send the invitation once more; the links sent before end."""
    take_in_hand(invitation)
    _must_be_open(invitation)
    if mail_link(invitation, "candidates/emails/invitation.txt") is None:
        raise ValidationError(f"{invitation.person.name} has no e-mail address. Print the link instead.")
    record("invitation.resent", invitation, invitation.person.code, by=by)


@transaction.atomic
def revoke(invitation: Invitation, *, by) -> None:
    """Take an invitation back: its link and its session end."""
    take_in_hand(invitation)
    _must_be_open(invitation, even_late=True)
    now = timezone.now()
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    assessments.copy_deadline(invitation.sitting, revoked_at=now)
    Link.objects.end(Link.Purpose.ASSESSMENT, invitation.pk)
    mail.withdraw("invitation", invitation.pk)
    record("invitation.revoked", invitation, invitation.person.code, by=by)


@transaction.atomic
def extend(invitation: Invitation, days: int, *, by) -> None:
    """Give extra time, from the deadline or from today where that has passed; links that arrived go on working.

    None of them for longer than a link lasts: then a fresh one is asked for.
    """
    take_in_hand(invitation)
    _must_be_open(invitation, even_late=True)
    start = max(invitation.deadline_at, timezone.now())
    invitation.deadline_at = end_of(timezone.localdate(start) + timedelta(days=days))
    invitation.extra_days += days
    invitation.reminded_at = None
    invitation.save(update_fields=["deadline_at", "extra_days", "reminded_at"])
    assessments.copy_deadline(invitation.sitting, deadline_at=invitation.deadline_at)
    lengthen_links(invitation)
    mail_link(invitation, "candidates/emails/extended.txt", keeps_earlier=True)
    record("invitation.extended", invitation, f"{invitation.person.code}, {days} days", by=by)


@transaction.atomic
def remind(now) -> int:
    """One reminder before the deadline; returns how many were sent."""
    due = Invitation.objects.due_for_reminder(now).select_related("person", "role_version__role", "sitting")
    return sum(_remind(invitation, now) for invitation in due[:MOST_REMINDERS])


def _remind(invitation: Invitation, now) -> bool:
    """Mail one reminder, unless somebody else has meanwhile; the link sent before goes on working."""
    before = invitation.reminded_at
    still = Invitation.objects.open_at(now).filter(pk=invitation.pk, reminded_at=before)
    if not still.update(reminded_at=now):
        return False
    # Many are reminded in a row: the address may have been corrected since this one was looked up.
    invitation.refresh_from_db()
    mail_link(invitation, "candidates/emails/reminder.txt", keeps_earlier=True)
    return True


@dataclass(frozen=True)
class Reminded:
    """What became of open invitations when HR reminded everybody: how many of each."""

    sent: int
    left: int
    spared: int
    without_address: int
    undelivered: int


@transaction.atomic
def remind_now(invitations, now, *, by) -> Reminded:
    """Remind everybody of open invitations who had no mail about it within a day, the longest waiting first."""
    invitations = invitations.filter(person__archived_at=None)
    reachable = invitations.reachable()
    quiet = reachable.quiet_since(now - BETWEEN_MAILS)
    everybody, could, due = invitations.count(), reachable.count(), quiet.count()
    without = invitations.filter(person__email=None).count()
    sent = 0
    for invitation in quiet.order_by("sent_at", "pk")[:MOST_REMINDERS]:
        if _remind(invitation, now):
            record("invitation.reminded", invitation, invitation.person.code, by=by)
            sent += 1
    return Reminded(sent, due - sent, could - due, without, everybody - could - without)


def _must_be_open(invitation: Invitation, *, even_late: bool = False) -> None:
    state = invitation.state(timezone.now())
    if state in {"submitted", "revoked"} or (state == "expired" and not even_late):
        words = {"submitted": "has been answered", "revoked": "has been taken back", "expired": "has run out"}
        raise ValidationError(f"This invitation {words[state]}.")


@transaction.atomic
def begin(token: str, now) -> Invitation | None:
    """Use up a link and open its assessment; None when the link opens nothing."""
    link = Link.objects.consume(Link.Purpose.ASSESSMENT, token, now)
    current = Invitation.objects.open_at(now).filter(person__archived_at=None)
    invitation = current.filter(pk=link.target).first() if link else None
    if invitation and invitation.opened_at is None:
        invitation.opened_at = now
        invitation.save(update_fields=["opened_at"])
    return invitation
