"""Sending what is in the outbox."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from socialstrategy.jobs import handles
from socialstrategy.mail.models import Mail


class MailServerUnreachable(Exception):
    """The mail server did not answer, or asked to come back later; worth another try."""

    is_temporary = True


@handles("mail.send")
def send_mail(job) -> None:
    """Send one mail of the outbox, once; afterwards only demo mode keeps its text."""
    mail = Mail.objects.get(pk=job.arguments["mail_id"])
    if mail.state == Mail.State.SENT:
        return
    message = EmailMessage(mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [mail.to])
    message.extra_headers["Message-ID"] = f"<{mail.pk}@{settings.BASE_URL.split('//')[1].split(':')[0]}>"
    try:
        message.send()
    except smtplib.SMTPResponseException as error:
        _failed(mail, error)
        if error.smtp_code < 500:
            raise MailServerUnreachable(str(error)) from error
    except smtplib.SMTPRecipientsRefused as error:
        _failed(mail, error)
    except OSError as error:
        _failed(mail, error)
        raise MailServerUnreachable(f"The mail server cannot be reached: {error}") from error
    else:
        mail.state, mail.sent_at, mail.error = Mail.State.SENT, timezone.now(), ""
        mail.text = mail.text if settings.DEMO else ""
        mail.save(update_fields=["state", "sent_at", "error", "text"])


def _failed(mail: Mail, error: Exception) -> None:
    mail.state, mail.error = Mail.State.FAILED, str(error)[:300]
    mail.save(update_fields=["state", "error"])
