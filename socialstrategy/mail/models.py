"""The outbox: every mail is written here in the caller's transaction, and sent by a job."""

import uuid

from django.db import models


class Mail(models.Model):
    """One mail. Its text is dropped once it is sent, since it may hold a link; demo mode keeps it to be read."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField(db_index=True)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["queued", "sent", "failed"]), name="mail_state_known")
        ]

    def __str__(self):
        return f"{self.subject} → {self.to}"
