"""What HR must know about mails: a mail server that takes none, and mails that were given up."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from socialstrategy import mail as outbox
from socialstrategy.jobs import enqueue, enqueue_once
from socialstrategy.mail.models import Mail, end_of_trying

MOST_SHOWN = 5
MOST_AGAIN = 200
"""Mails sent again at one press of the button."""


def server_trouble() -> dict:
    """How many mails wait for the mail server, why, and when it is tried next; told once, whatever their number."""
    return _of_server(_counts())


def summary() -> dict:
    """Given-up mails for HR's home, those of the mail server as one number and the others by name, and its trouble."""
    counts = _counts()
    failed = Mail.objects.failed().order_by("-failed_at", "pk")
    by_server = failed.filter(trouble=Mail.Trouble.SERVER).first() if counts["by_server"] else None
    mails = {
        "rows": failed.exclude(trouble=Mail.Trouble.SERVER)[:MOST_SHOWN] if counts["others"] else [],
        "more": counts["others"] > MOST_SHOWN or (counts["by_server"] and counts["others"]),
        "by_server": counts["by_server"],
        "server_words": by_server.error if by_server else "",
    }
    return {"mails": mails, "mail_server": _of_server(counts)}


def _counts() -> dict:
    """All that the pages ask of mails when nothing is wrong, in one look."""
    held_up = Q(state=Mail.State.QUEUED, trouble=Mail.Trouble.SERVER)
    failed, by_server = Q(state=Mail.State.FAILED), Q(trouble=Mail.Trouble.SERVER)
    return Mail.objects.filter(held_up | failed).aggregate(
        waiting=Count("pk", filter=held_up),
        next_at=Min("next_attempt_at", filter=held_up),
        by_server=Count("pk", filter=failed & by_server),
        others=Count("pk", filter=failed & ~by_server),
    )


def _of_server(counts: dict) -> dict:
    newest = Mail.objects.held_up().order_by("-tried_at").first() if counts["waiting"] else None
    if newest is None:
        return {"waiting": 0}
    return {**counts, "words": newest.error, "answer": newest.answer}


@transaction.atomic
def send_again(mail: Mail, *, by) -> bool:
    """In place of a mail that was given up, a fresh one; False when somebody else has done it already.

    Raises
    ------
    ValidationError : with the reason why it cannot be sent again.
    """
    if not Mail.objects.failed().select_for_update().filter(pk=mail.pk).exists():
        return False
    if mail.kind == outbox.NOTICE:
        _queue_as_it_is(mail)
        outbox.record("mail.sent again", mail, mail.subject, by=by)
        return True
    if mail.kind not in outbox.FOLLOWERS:
        raise ValidationError("This mail cannot be sent again from here.")
    outbox.FOLLOWERS[mail.kind].again(mail, by)
    outbox.end(mail, Mail.State.WITHDRAWN)
    return True


def _queue_as_it_is(mail: Mail) -> None:
    mail.state, mail.trouble, mail.error, mail.answer, mail.failed_at = Mail.State.QUEUED, "", "", "", None
    mail.next_attempt_at, mail.give_up_at, mail.attempts = timezone.now(), end_of_trying(), 0
    mail.save()
    enqueue("mail.send", mail_id=str(mail.pk))


def send_all_again(mails, *, by) -> tuple[int, list[str]]:
    """How many were sent again, and why others were not: each reason once."""
    sent = 0
    reasons: dict[str, None] = {}
    for mail in mails.order_by("failed_at", "pk").iterator():
        try:
            sent += send_again(mail, by=by)
        except ValidationError as error:
            reasons[error.messages[0]] = None
        if sent == MOST_AGAIN:
            break
    return sent, list(reasons)


@transaction.atomic
def set_aside(mail: Mail, *, by) -> None:
    """Take a mail that was given up off the list."""
    if mail.state == Mail.State.FAILED and outbox.end(mail, Mail.State.WITHDRAWN):
        outbox.record("mail.set aside", mail, mail.subject, by=by)


def try_now(now) -> None:
    """Try the mail server at once."""
    if Mail.objects.held_up().update(next_attempt_at=now, tried_at=None):
        enqueue_once("mail.send_due")
