"""Bringing somebody their link: by mail, or on paper where there is no address; and what if a mail does not arrive."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Link, digest, record
from candidates.invitations import LINK_LASTS, Invitation
from candidates.models import Person
from socialstrategy import mail
from socialstrategy.mail.models import Mail

REPORT_LASTS = timedelta(days=90)
BETWEEN_LINKS = timedelta(minutes=1)
MOST_LINKS_AN_HOUR = 6


def take_turns(*people_keys: int) -> None:
    """Hold these people until the transaction ends: of several who ask at once, the second sees what the first sent.

    Whoever locks an invitation or a sitting as well takes the person first, so that nobody waits for each other.
    """
    list(Person.objects.select_for_update().filter(pk__in=people_keys).order_by("pk").values_list("pk"))


def take_in_hand(invitation: Invitation) -> None:
    """Hold whom an invitation is for, and read it as it is now."""
    take_turns(invitation.person_id)
    invitation.refresh_from_db()


def mail_link(invitation: Invitation, template: str, *, keeps_earlier: bool = False) -> Mail | None:
    """Mail a fresh single-use link; mails about the invitation that are still on their way are taken back.

    Links that have arrived end as well, unless ``keeps_earlier``. None where there is no address: the link is printed.
    """
    person, now = invitation.person, timezone.now()
    mail.withdraw("invitation", invitation.pk)
    if not person.email:
        return None
    expires = min(invitation.deadline_at, now + LINK_LASTS)
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, expires, keeps_earlier=keeps_earlier)
    path = reverse("candidates:invitation_open", args=[token])
    context = {"invitation": invitation, "person": person, "path": path, "expires": expires}
    invitation.mail = mail.post(
        person.email,
        template,
        context | {"is_begun": invitation.sitting.responses.exists()},
        name=person.name,
        about=("invitation", invitation.pk),
        link=digest(token),
        until=expires,
    )
    invitation.sent_at, invitation.handed_over_at = now, None
    invitation.save(update_fields=["mail", "sent_at", "handed_over_at"])
    return invitation.mail


def lengthen_links(invitation: Invitation) -> None:
    """Open links to an invitation that has more time now last until its deadline, as far as a link can last."""
    sent = Link.objects.filter(purpose=Link.Purpose.ASSESSMENT, target=str(invitation.pk), used_at=None, ended_at=None)
    for link in sent:
        link.expires_at = min(invitation.deadline_at, link.created_at + LINK_LASTS)
        link.save(update_fields=["expires_at"])


@dataclass(frozen=True)
class Paper:
    """What is printed for one person."""

    person: Person
    address: str
    expires: object
    invitation: Invitation | None = None


@transaction.atomic
def hand_over(invitation: Invitation, *, by) -> Paper:
    """A fresh link to be printed; it is shown this once, and whatever was mailed or printed before ends."""
    take_in_hand(invitation)
    now = timezone.now()
    if invitation.state(now) not in {"sent", "started"}:
        raise ValidationError("This invitation is not open any more.")
    mail.withdraw("invitation", invitation.pk)
    expires = min(invitation.deadline_at, now + LINK_LASTS)
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, expires, is_typed=True)
    invitation.mail, invitation.handed_over_at = None, now
    invitation.save(update_fields=["mail", "handed_over_at"])
    record("invitation.printed", invitation, invitation.person.code, by=by)
    address = settings.BASE_URL + reverse("candidates:invitation_open", args=[token])
    return Paper(invitation.person, address, expires, invitation)


def just_sent(purpose, target) -> bool:
    """Whether a link went out within the last minute, or many within the hour.

    Pressing a button again and again fills nobody's mailbox. Nor can a stranger with an old link go on ending the good
    one by having fresh ones sent.
    """
    now = timezone.now()
    links = Link.objects.filter(purpose=purpose, target=str(target))
    fresh = links.filter(created_at__gt=now - BETWEEN_LINKS, used_at=None, ended_at=None)
    return fresh.exists() or links.filter(created_at__gt=now - timedelta(hours=1)).count() >= MOST_LINKS_AN_HOUR


@transaction.atomic
def send_report(person: Person, *, is_asked_by_hr: bool = False) -> Mail | None:
    """Mail the personal report's own link; none to the archived or without an address.

    At most one a minute, unless HR asks for it: whoever else asks may be a stranger with an old link.
    """
    take_turns(person.pk)
    person.refresh_from_db(fields=["email", "archived_at"])
    is_enough = not is_asked_by_hr and just_sent(Link.Purpose.REPORT, person.pk)
    if person.archived_at or not person.email or is_enough:
        return None
    mail.withdraw("report", person.pk)
    expires = timezone.now() + REPORT_LASTS
    token = Link.objects.issue(Link.Purpose.REPORT, person.pk, expires)
    path = reverse("candidates:report_open", args=[token])
    return mail.post(
        person.email,
        "candidates/emails/report.txt",
        {"person": person, "path": path, "expires": expires},
        name=person.name,
        about=("report", person.pk),
        link=digest(token),
        until=expires,
    )


@transaction.atomic
def hand_over_report(person: Person, *, by) -> Paper:
    """A fresh link to the report, to be printed; it is shown this once."""
    take_turns(person.pk)
    mail.withdraw("report", person.pk)
    expires = timezone.now() + REPORT_LASTS
    token = Link.objects.issue(Link.Purpose.REPORT, person.pk, expires, is_typed=True)
    record("report.printed", person, person.code, by=by)
    return Paper(person, settings.BASE_URL + reverse("candidates:report_open", args=[token]), expires)


def end_link(ended: Mail) -> None:
    """A mail that is not sent any more: nobody has its link, so it opens nothing from now on."""
    if ended.link:
        Link.objects.filter(token_digest=ended.link, used_at=None, ended_at=None).update(ended_at=timezone.now())


def _invitation_of(about: Mail) -> Invitation | None:
    found = Invitation.objects.open_at(timezone.now()).filter(pk=about.key, person__archived_at=None)
    return found.select_related("person", "role_version__role", "sitting").first()


def _person_of(about: Mail) -> Person | None:
    return Person.objects.current().filter(pk=about.key).first()


def is_invitation_wanted(waiting: Mail) -> bool:
    """Not for what was answered, taken back or ran out meanwhile, nor to an address that was changed."""
    invitation = _invitation_of(waiting)
    return invitation is not None and invitation.person.email == waiting.to


def is_report_wanted(waiting: Mail) -> bool:
    person = _person_of(waiting)
    return person is not None and person.email == waiting.to


def invite_again(failed: Mail, by) -> None:
    """A fresh mail with a fresh link, in place of one that was not delivered."""
    invitation = _invitation_of(failed)
    if invitation is None:
        raise ValidationError("The invitation is not open any more. Give extra time first, on the list of invitations.")
    if mail_link(invitation, "candidates/emails/invitation.txt") is None:
        raise ValidationError(f"{invitation.person.name} has no e-mail address any more. Print the link instead.")
    record("invitation.resent", invitation, invitation.person.code, by=by)


def report_again(failed: Mail, by) -> None:
    person = _person_of(failed)
    if person is None:
        raise ValidationError("This person is archived.")
    if not person.email:
        raise ValidationError(f"{person.name} has no e-mail address any more. Print the link instead.")
    send_report(person, is_asked_by_hr=True)
    record("report.resent", person, person.code, by=by)


def register() -> None:
    """Tell the outbox what becomes of these mails."""
    mail.follows("invitation", mail.Follower(end_link, invite_again, is_invitation_wanted))
    mail.follows("report", mail.Follower(end_link, report_again, is_report_wanted))
