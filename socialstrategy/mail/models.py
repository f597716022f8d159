"""The outbox: every mail is written here in the caller's transaction, and sent by a job."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

TRIED_FOR = timedelta(days=2)
"""How long a mail is tried before it is given up, as mail servers do among themselves."""


def end_of_trying():
    return timezone.now() + TRIED_FOR


class MailQuerySet(models.QuerySet):
    def about(self, kind: str, key):
        """Mails about one thing: an invitation, somebody's report, an account."""
        return self.filter(about=about(kind, key))

    def waiting(self):
        """Not sent yet, and still tried."""
        return self.filter(state=Mail.State.QUEUED)

    def due(self, now):
        """Whose next attempt is now or was before; the often tried come last, so that they hold up no other."""
        return self.waiting().filter(next_attempt_at__lte=now).order_by("attempts", "next_attempt_at", "pk")

    def held_up(self):
        """Waiting because no mail goes out at all."""
        return self.waiting().filter(trouble=Mail.Trouble.SERVER)

    def failed(self):
        return self.filter(state=Mail.State.FAILED)


def about(kind: str, key) -> str:
    """What a mail is about, as it is stored."""
    return f"{kind}:{key}"


class Mail(models.Model):
    """One mail. Its text may hold a link, so it is kept only until it is sent or given up; demo mode keeps it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not delivered"
        WITHDRAWN = "withdrawn", "Taken back"

    class Trouble(models.TextChoices):
        NONE = "", "None"
        SERVER = "server", "With the mail server: no mail goes out"
        MAIL = "mail", "With this mail or its address"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message_id = models.CharField(max_length=200, blank=True, help_text="The same at every attempt.")
    about = models.CharField(max_length=60, blank=True, help_text="What it is about: a kind and a key.")
    link = models.CharField(max_length=64, blank=True, help_text="Digest of the link that the text holds.")
    to = models.EmailField(db_index=True)
    to_name = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)
    give_up_at = models.DateTimeField(default=end_of_trying)
    useful_until = models.DateTimeField(null=True, blank=True, help_text="When the link in it ends.")
    trouble = models.CharField(max_length=6, choices=Trouble, blank=True, default="")
    error = models.CharField(max_length=300, blank=True, help_text="Why the last attempt failed, in plain words.")
    answer = models.CharField(max_length=300, blank=True, help_text="What the mail server answered last.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sent", "failed", "withdrawn"]), name="mail_state_known"
            ),
            models.CheckConstraint(condition=Q(trouble__in=["", "server", "mail"]), name="mail_trouble_known"),
        ]
        indexes = [
            models.Index(fields=["about", "created_at"]),
            models.Index(fields=["next_attempt_at", "id"], condition=Q(state="queued"), name="mail_due"),
            models.Index(fields=["failed_at", "id"], condition=Q(state="failed"), name="mail_failed"),
        ]

    def __str__(self):
        return f"{self.subject} → {self.to}"

    @property
    def kind(self) -> str:
        """Of what it is about: invitation, report, account; empty for what stands for itself."""
        return self.about.partition(":")[0]

    @property
    def key(self) -> str:
        return self.about.partition(":")[2]

    @property
    def is_tried_again(self) -> bool:
        return self.state == self.State.QUEUED and bool(self.error)
