"""Sending what is in the outbox."""

from celery import shared_task
from django.utils import timezone

from socialstrategy.jobs import enqueue_once, handles
from socialstrategy.mail import sending
from socialstrategy.mail.models import Mail


@handles("mail.send")
def send_mail(job) -> None:
    """The first attempt at a fresh mail; whatever it gives, the mail says when the next one is."""
    now, mine = timezone.now(), Mail.objects.filter(pk=job.arguments["mail_id"])
    if job.attempts > 1:
        sending.take_over(mine, now)
    mail = Mail.objects.due(now).filter(pk__in=mine).first()
    if mail:
        sending.attempt(mail)


@handles("mail.send_due")
def send_due_mails(job) -> None:
    """Every mail whose time has come."""
    if job.attempts > 1:
        sending.take_over(Mail.objects.all(), timezone.now())
    sending.send_due()


@shared_task(name="socialstrategy.mail.tasks.send_due")
def send_due() -> None:
    """The clock's part: see whether a mail is due."""
    if Mail.objects.due(timezone.now()).exists():
        enqueue_once("mail.send_due")
