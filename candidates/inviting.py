"""Inviting people, and what can be done with an invitation afterwards."""

from datetime import datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Link, record
from assessments import actions as assessments
from candidates.invitations import LINK_LASTS, Invitation
from candidates.models import Person
from socialstrategy import mail

REPORT_LASTS = timedelta(days=90)
BETWEEN_LINKS = timedelta(minutes=1)
BETWEEN_REMINDERS = timedelta(days=1)
MOST_REMINDERS = 500
"""Reminders sent at one press of the button."""


def end_of(day) -> datetime:
    """A deadline lasts until the end of its day, in the organisation's time zone."""
    return timezone.make_aware(datetime.combine(day, time(23, 59)))


@transaction.atomic
def invite(people, version, *, deadline_on, by) -> tuple[list[Invitation], list[Person]]:
    """Invite people to assess themselves; returns the invitations and those who have an open one already."""
    if version.is_draft:
        raise ValidationError("Publish the role before you invite people to it.")
    deadline = end_of(deadline_on)
    sent, skipped = [], []
    now = timezone.now()
    busy = set(Invitation.objects.open_at(now).filter(role_version=version).values_list("person_id", flat=True))
    # One that ran out makes room for a new one.
    stale = Invitation.objects.filter(
        role_version=version, person__in=people, submitted_at=None, revoked_at=None, deadline_at__lte=now
    )
    stale.update(revoked_at=now)
    for person in people:
        if person.pk in busy:
            skipped.append(person)
            continue
        sitting = assessments.create_sitting(subject=person.subject, role_version=version, deadline_at=deadline)
        invitation = Invitation.objects.create(
            person=person, role_version=version, sitting=sitting, by=by, deadline_at=deadline, sent_at=now
        )
        send_link(invitation, "candidates/emails/invitation.txt")
        record("invitation.sent", invitation, f"{person.code} for {version}", by=by)
        sent.append(invitation)
    return sent, skipped


def send_link(invitation: Invitation, template: str) -> None:
    """Mail a fresh single-use link; links sent before end."""
    expires = min(invitation.deadline_at, timezone.now() + LINK_LASTS)
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, expires)
    address = reverse("candidates:invitation_open", args=[token])
    context = {"invitation": invitation, "person": invitation.person, "path": address}
    mail.post(invitation.person.email, template, context)


@transaction.atomic
def send_fresh(invitation: Invitation) -> None:
    """A fresh link to the same address, for another device or after a used link; at most one a minute."""
    if _just_sent(Link.Purpose.ASSESSMENT, invitation.pk):
        return
    send_link(invitation, "candidates/emails/fresh_link.txt")
    record("invitation.link sent", invitation, invitation.person.code)


@transaction.atomic
def resend(invitation: Invitation, *, by) -> None:
    """Send the invitation once more."""
    _must_be_open(invitation)
    invitation.sent_at = timezone.now()
    invitation.save(update_fields=["sent_at"])
    send_link(invitation, "candidates/emails/invitation.txt")
    record("invitation.resent", invitation, invitation.person.code, by=by)


@transaction.atomic
def revoke(invitation: Invitation, *, by) -> None:
    """Take an invitation back: its link and its session end."""
    _must_be_open(invitation, even_late=True)
    now = timezone.now()
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    assessments.copy_deadline(invitation.sitting, revoked_at=now)
    Link.objects.end(Link.Purpose.ASSESSMENT, invitation.pk)
    record("invitation.revoked", invitation, invitation.person.code, by=by)


@transaction.atomic
def extend(invitation: Invitation, days: int, *, by) -> None:
    """Give extra time, from the deadline or from today where that has passed."""
    _must_be_open(invitation, even_late=True)
    start = max(invitation.deadline_at, timezone.now())
    invitation.deadline_at = end_of(timezone.localdate(start) + timedelta(days=days))
    invitation.extra_days += days
    invitation.reminded_at = None
    invitation.save(update_fields=["deadline_at", "extra_days", "reminded_at"])
    assessments.copy_deadline(invitation.sitting, deadline_at=invitation.deadline_at)
    send_link(invitation, "candidates/emails/extended.txt")
    record("invitation.extended", invitation, f"{invitation.person.code}, {days} days", by=by)


@transaction.atomic
def remind(now) -> int:
    """One reminder before the deadline; returns how many were sent."""
    due = list(Invitation.objects.due_for_reminder(now).select_related("person", "role_version__role")[:500])
    for invitation in due:
        taken = Invitation.objects.filter(pk=invitation.pk, reminded_at=None).update(reminded_at=now)
        if taken:
            send_link(invitation, "candidates/emails/reminder.txt")
    return len(due)


@transaction.atomic
def remind_now(invitations, now, *, by) -> tuple[int, int]:
    """Remind everybody of open invitations who had no mail about it within a day; (sent, left in peace)."""
    due = list(invitations.select_related("person", "role_version__role")[:MOST_REMINDERS])
    sent = 0
    for invitation in due:
        newest = max(filter(None, (invitation.sent_at, invitation.reminded_at)))
        if newest > now - BETWEEN_REMINDERS:
            continue
        invitation.reminded_at = now
        invitation.save(update_fields=["reminded_at"])
        send_link(invitation, "candidates/emails/reminder.txt")
        record("invitation.reminded", invitation, invitation.person.code, by=by)
        sent += 1
    return sent, len(due) - sent


def _must_be_open(invitation: Invitation, *, even_late: bool = False) -> None:
    state = invitation.state(timezone.now())
    if state in {"submitted", "revoked"} or (state == "expired" and not even_late):
        words = {"submitted": "has been answered", "revoked": "has been taken back", "expired": "has run out"}
        raise ValidationError(f"This invitation {words[state]}.")


@transaction.atomic
def begin(token: str, now) -> Invitation | None:
    """Use up a link and open its assessment; None when the link opens nothing."""
    link = Link.objects.consume(Link.Purpose.ASSESSMENT, token, now)
    invitation = Invitation.objects.open_at(now).filter(pk=link.target).first() if link else None
    if invitation and invitation.opened_at is None:
        invitation.opened_at = now
        invitation.save(update_fields=["opened_at"])
    return invitation


def _just_sent(purpose, target) -> bool:
    """Whether a link went out within the last minute: pressing a button again and again fills nobody's mailbox."""
    since = timezone.now() - BETWEEN_LINKS
    return Link.objects.filter(purpose=purpose, target=str(target), created_at__gt=since, used_at=None).exists()


@transaction.atomic
def send_report(person: Person) -> None:
    """Mail the personal report's own link; at most one a minute."""
    if _just_sent(Link.Purpose.REPORT, person.pk):
        return
    token = Link.objects.issue(Link.Purpose.REPORT, person.pk, timezone.now() + REPORT_LASTS)
    context = {"person": person, "path": reverse("candidates:report_open", args=[token])}
    mail.post(person.email, "candidates/emails/report.txt", context)
