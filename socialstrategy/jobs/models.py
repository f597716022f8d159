"""Durable jobs: the row is the job, its progress and its result; Celery only carries its id."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

STALE_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 5


class JobQuerySet(models.QuerySet):
    def visible_to(self, user):
        """HR managers see every job, others their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_hr else self.filter(by=user)

    def active(self):
        return self.filter(state__in=Job.ACTIVE)

    def lost(self, now):
        """Jobs that a killed worker, a lost message or an absent broker left behind at ``now``.

        A part waits in a long row as long as its job shows signs of life.
        """
        old = now - STALE_AFTER
        waiting = Q(state=Job.State.QUEUED, heartbeat_at__lt=now - STALE_AFTER / 4)
        waiting &= Q(parent=None) | Q(parent__heartbeat_at__lt=old)
        running = Q(state=Job.State.RUNNING, heartbeat_at__lt=old)
        spread = Q(state=Job.State.SPREAD, heartbeat_at__lt=old) & ~Exists(
            Job.objects.active().filter(parent=OuterRef("pk"))
        )
        return self.filter(waiting | running | spread)


class Job(models.Model):
    """One piece of background work."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        SPREAD = "spread", "Running in parts"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    ACTIVE = (State.QUEUED, State.RUNNING, State.SPREAD)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="parts")
    part = models.PositiveIntegerField(default=0, help_text="Which part of its parent, counted from 0.")
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    result = models.JSONField(default=dict, help_text="What a part hands to its parent.")
    result_url = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(total=0) | Q(done__lte=F("total")), name="job_done_within_total"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "spread", "done", "failed"]), name="job_state_known"
            ),
            models.UniqueConstraint(fields=["parent", "part"], condition=~Q(parent=None), name="job_part_once"),
        ]

    def __str__(self):
        return f"{self.kind} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def share(self) -> float:
        """Progress, 0-1."""
        return self.done / self.total if self.total else 0.0
