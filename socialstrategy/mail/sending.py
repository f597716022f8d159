"""One attempt at a mail, and what follows from it.

A mail is claimed before it is tried: the claim moves its next attempt, so nobody else takes it meanwhile. A worker that
dies between the server's yes and our note of it leaves the claim behind, and the mail goes once more, with the same
Message-ID, by which mail programs tell that it is the same.
"""

import logging
import smtplib
from datetime import datetime, timedelta
from email.header import Header
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError
from django.utils import timezone

from socialstrategy import mail as outbox
from socialstrategy.jobs import enqueue_once
from socialstrategy.mail.failures import Failure, failure_of
from socialstrategy.mail.models import Mail

logger = logging.getLogger(__name__)
CLAIMED_FOR = timedelta(minutes=5)
LOST_AFTER = timedelta(seconds=15)
"""What a lost worker had in hand was begun so long ago at least."""
SHORTEST, LONGEST, LONGEST_OF_SERVER = timedelta(seconds=20), timedelta(hours=4), timedelta(minutes=30)
"""Between attempts: twenty seconds at first, then half of the time that a mail has waited; a mail server that is away
is looked for more often, since one attempt stands for all mails."""
SERVER_IS_AWAY_FOR = timedelta(seconds=30)
"""So long after the mail server has failed no other mail is tried."""


def send_due(clock=timezone.now) -> None:
    """Try every mail whose time has come, until none is left or the mail server fails."""
    while mail := Mail.objects.due(clock()).first():
        attempt(mail, clock)


def take_over(mails, now: datetime) -> None:
    """Mails that a worker had in hand when it was lost are due at once, without waiting for their claim to end."""
    in_hand = mails.filter(state=Mail.State.QUEUED, trouble=Mail.Trouble.NONE, tried_at__lte=now - LOST_AFTER)
    in_hand.update(next_attempt_at=now)


def attempt(mail: Mail, clock=timezone.now) -> None:
    """Try one mail, unless it is not due, or somebody else is at it."""
    now = clock()
    if not outbox.is_wanted(mail):
        outbox.end(mail, Mail.State.WITHDRAWN)
        return
    if mail.useful_until and mail.useful_until <= now:
        give_up(mail, now, Failure("its link ran out before it could be delivered", mail.answer))
        return
    away = Mail.objects.held_up().filter(tried_at__gt=now - SERVER_IS_AWAY_FOR).order_by("-tried_at").first()
    if away and away.pk != mail.pk:
        put_off(Mail.objects.waiting().filter(pk=mail.pk), now, away)
        return
    claimed = Mail.objects.due(now).filter(pk=mail.pk, next_attempt_at=mail.next_attempt_at)
    if not claimed.order_by().update(
        next_attempt_at=now + CLAIMED_FOR, attempts=mail.attempts + 1, tried_at=now, trouble=Mail.Trouble.NONE
    ):
        return
    mail.refresh_from_db()
    failure = _converse(mail, clock)
    if failure:
        failed(mail, clock(), failure)


def _converse(mail: Mail, clock) -> Failure | None:
    """Hand one mail to the server; None when it took it."""
    connection, connected = get_connection(), False
    try:
        connection.open()
        connected = True
        connection.send_messages([message_of(mail)])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return failure_of(error, connected=connected)
    except DatabaseError:
        raise
    except Exception as error:
        # Nothing that a mail may bring shall keep it in the outbox without anybody knowing.
        logger.exception("Mail %s could not be sent", mail.pk)
        return Failure("something unforeseen went wrong; the log says what", f"{type(error).__name__}: {error}"[:300])
    else:
        sent(mail, clock())
    finally:
        connection.close()
    return None


def message_of(mail: Mail) -> EmailMessage:
    """The mail as it goes out; ValueError where the address cannot be written."""
    message = EmailMessage(mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [address_of(mail)])
    message.extra_headers["Message-ID"] = mail.message_id or f"<{mail.pk}@socialstrategy>"
    message.extra_headers["Auto-Submitted"] = "auto-generated"
    return message


def address_of(mail: Mail) -> str:
    """The address with its name, in signs that every mail server takes."""
    local, _, domain = mail.to.rpartition("@")
    address = f"{local}@{domain.encode('idna').decode()}"
    address.encode("ascii")
    if mail.to_name.isascii():
        return formataddr((mail.to_name, address))
    # Long names are several encoded words (RFC 2047), here all in one line: a line break would begin another header.
    return f"{Header(mail.to_name, 'utf-8').encode(linesep='')} <{address}>"


def sent(mail: Mail, now: datetime) -> None:
    """Note that a mail has gone out; demo mode keeps its text. Mails that waited for the server go at once."""
    Mail.objects.filter(pk=mail.pk).update(
        state=Mail.State.SENT,
        sent_at=now,
        error="",
        answer="",
        trouble=Mail.Trouble.NONE,
        text=mail.text if settings.DEMO else "",
    )
    if Mail.objects.held_up().update(next_attempt_at=now, trouble=Mail.Trouble.NONE, error="", answer=""):
        enqueue_once("mail.send_due")


def failed(mail: Mail, now: datetime, failure: Failure) -> None:
    """Note a failed attempt: give the mail up, or say when the next one is. A server that fails holds up all."""
    if failure.is_final or mail.give_up_at <= now:
        give_up(mail, now, failure)
    else:
        trouble = Mail.Trouble.SERVER if failure.is_server else Mail.Trouble.MAIL
        Mail.objects.waiting().filter(pk=mail.pk).update(
            next_attempt_at=next_attempt(mail, now, failure),
            trouble=trouble,
            error=failure.words,
            answer=failure.answer,
        )
    if failure.is_server:
        mail.refresh_from_db()
        put_off(Mail.objects.due(now), now, mail)


def next_attempt(mail: Mail, now: datetime, failure: Failure) -> datetime:
    longest = LONGEST_OF_SERVER if failure.is_server else LONGEST
    gap = min(max((now - mail.created_at) / 2, SHORTEST), longest)
    return min(now + gap, mail.give_up_at)


def put_off(mails, now: datetime, like: Mail) -> None:
    """Without an attempt of their own, let mails wait for the server as ``like`` does."""
    failure = Failure(like.error, like.answer, is_server=True)
    for mail in mails.filter(give_up_at__lte=now):
        give_up(mail, now, failure)
    mails.order_by().update(
        next_attempt_at=max(like.next_attempt_at, now + SHORTEST),
        trouble=Mail.Trouble.SERVER,
        error=like.error,
        answer=like.answer,
    )


def give_up(mail: Mail, now: datetime, failure: Failure) -> None:
    """The end of a mail: HR sees it, and its link and text are gone."""
    trouble = Mail.Trouble.SERVER if failure.is_server else Mail.Trouble.MAIL
    outbox.end(mail, Mail.State.FAILED, error=failure.words, answer=failure.answer, trouble=trouble, failed_at=now)
