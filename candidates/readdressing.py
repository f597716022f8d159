"""Somebody gets another address: links that went to the old one end, and fresh ones go to the new one."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import Link, record
from assessments import actions as assessments
from candidates import delivery, joining
from candidates.invitations import Invitation
from candidates.models import Person
from socialstrategy import mail


@transaction.atomic
def addresses_entered(people: Iterable[Person], *, by, before: dict[int, str | None] | None = None) -> None:
    """To be called for people who have just been entered, or whose address has just changed, by whatever way.

    ``before``: which address those had who were there already, by their keys.

    Whoever reads the old mailbox, by mistake or not any more, opens nothing with what was sent there, and what they
    have opened is open to them no more.
    """
    people = list(people)
    unanswered = Invitation.objects.filter(person__in=people, submitted_at=None, revoked_at=None)
    for invitation in unanswered.select_related("person", "role_version__role", "sitting"):
        _send_again(invitation, by)
    open_reports = Link.objects.filter(
        purpose=Link.Purpose.REPORT, target__in=[str(person.pk) for person in people], used_at=None, ended_at=None
    )
    undelivered = mail.undelivered_about("report", [person.pk for person in people])
    reports = undelivered | set(open_reports.values_list("target", flat=True))
    open_reports.update(ended_at=timezone.now())
    for person in people:
        if str(person.pk) in reports:
            mail.withdraw("report", person.pk)
            delivery.send_report(person, is_asked_by_hr=True)
        joining.follow(person, (before or {}).get(person.pk), by=by)
    joining.join(people, by=by)


def _send_again(invitation: Invitation, by) -> None:
    Link.objects.end(Link.Purpose.ASSESSMENT, invitation.pk)
    assessments.close_in_browsers(invitation.sitting, timezone.now())
    if invitation.deadline_at > timezone.now():
        delivery.mail_link(invitation, "candidates/emails/fresh_link.txt")
    record("invitation.readdressed", invitation, invitation.person.code, by=by)
