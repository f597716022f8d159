"""Sending what is in the outbox."""

from celery import shared_task
from django.utils import timezone

from socialstrategy.jobs import enqueue_once, handles
from socialstrategy.mail import sending
from socialstrategy.mail.models import Mail


@handles("mail.send")
def send_mail(job) -> None:
    """The first attempt at a fresh mail; whatever it gives, the mail says when the next one is."""
    mail = Mail.objects.due(timezone.now()).filter(pk=job.arguments["mail_id"]).first()
    if mail:
        sending.attempt(mail)


@handles("mail.send_due")
def send_due_mails(job) -> None:
    """Every mail whose time has come."""
    sending.send_due()


@shared_task(name="socialstrategy.mail.tasks.send_due")
def send_due() -> None:
    """The clock's part: see whether a mail is due."""
    if Mail.objects.due(timezone.now()).exists():
        enqueue_once("mail.send_due")
