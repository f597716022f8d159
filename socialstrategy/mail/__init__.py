"""Mail through an outbox: ``post`` writes the row, a job sends it, and it is tried for two days.

What a mail is about (``about=("invitation", key)``) leads from the row to its mails and back: an app says by
``follows`` what becomes of a kind's mails that were not delivered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Follower:
    """What an app does about mails of one kind.

    ``ended`` is told of each that will not be sent any more, so that its link ends; ``again`` (mail, by) writes a
    fresh one with a fresh link, or raises ValidationError with the reason why it cannot; ``is_wanted`` is asked before
    each attempt: what waited may have become pointless.
    """

    ended: Callable
    again: Callable
    is_wanted: Callable = lambda mail: True


FOLLOWERS: dict[str, Follower] = {}
NOTICE = "notice"
"""What a mail without a link is about: its text is kept when it fails, and goes again as it is."""
RECORDERS: list[Callable] = []
"""How the audit trail is written; the app that keeps it adds its function."""


def follows(kind: str, follower: Follower) -> None:
    """Say what becomes of mails about ``kind``."""
    FOLLOWERS[kind] = follower


def post(
    to: str,
    template: str,
    context: dict,
    *,
    name: str = "",
    about: tuple[str, object] | None = None,
    link: str = "",
    until: datetime | None = None,
):
    """Render ``template`` (first line the subject, a blank line, then the text) and put it into the outbox.

    ``name`` stands beside the address, ``link`` is the digest of the link in the text, and after ``until`` the mail
    would be of no use.
    """
    from django.conf import settings
    from django.template.loader import render_to_string

    from socialstrategy import jobs
    from socialstrategy.lib.text import clean
    from socialstrategy.mail import models

    written = render_to_string(template, {**context, "base_url": settings.BASE_URL}).strip()
    subject, _, text = written.partition("\n")
    mail = models.Mail(
        to=to,
        to_name=clean(name)[:120],
        subject=clean(subject)[:200],
        text=text.strip() + "\n",
        about=models.about(*about) if about else "",
        link=link,
        useful_until=until,
    )
    mail.message_id = f"<{mail.pk}@{urlsplit(settings.BASE_URL).hostname}>"
    if until:
        mail.give_up_at = min(mail.give_up_at, until)
    mail.save()
    jobs.enqueue("mail.send", mail_id=str(mail.pk))
    return mail


def withdraw(kind: str, key) -> int:
    """Take back whatever about one thing was not delivered, so that nothing outdated goes out late; how many."""
    from socialstrategy.mail.models import Mail

    taken = 0
    for mail in Mail.objects.about(kind, key).filter(state__in=[Mail.State.QUEUED, Mail.State.FAILED]):
        taken += end(mail, Mail.State.WITHDRAWN)
    return taken


def undelivered_about(kind: str, keys) -> set[str]:
    """Those of these, by their keys as text, about which a mail was given up."""
    from socialstrategy.mail import models

    asked = [models.about(kind, key) for key in keys]
    return {mail.key for mail in models.Mail.objects.failed().filter(about__in=asked)}


def record(action: str, mail, summary: str, *, by) -> None:
    """Write down who did what to a mail."""
    for recorder in RECORDERS:
        recorder(action, mail, summary, by=by)


def is_wanted(mail) -> bool:
    """Whether a mail that waits shall still go out."""
    return mail.kind not in FOLLOWERS or FOLLOWERS[mail.kind].is_wanted(mail)


def end(mail, state: str, **fields) -> bool:
    """Give a mail up or take it back: its text goes, and its link ends. False when it has been sent meanwhile."""
    from socialstrategy.mail.models import Mail

    unsent = Mail.objects.filter(pk=mail.pk, state__in=[Mail.State.QUEUED, Mail.State.FAILED])
    is_kept = mail.kind == NOTICE and state == Mail.State.FAILED
    if not unsent.update(state=state, text=mail.text if is_kept else "", **fields):
        return False
    if mail.kind in FOLLOWERS:
        FOLLOWERS[mail.kind].ended(mail)
    return True


def newest(kind: str, keys) -> dict[str, object]:
    """The newest mail about each of these, by its key as text."""
    from socialstrategy.mail import models

    asked = [models.about(kind, key) for key in keys]
    return {mail.key: mail for mail in models.Mail.objects.filter(about__in=asked).order_by("created_at", "pk")}
