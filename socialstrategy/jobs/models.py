"""Durable jobs: the row is the job, its progress and its result; Celery only carries its id."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

STALE_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 5


class JobQuerySet(models.QuerySet):
    def visible_to(self, user):
        """HR managers see every job, others their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_hr else self.filter(by=user)

    def lost(self, now):
        """Jobs that a killed worker, a lost message or an absent broker left behind at ``now``."""
        waiting = Q(state=Job.State.QUEUED, heartbeat_at__lt=now - STALE_AFTER / 4)
        running = Q(state=Job.State.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
        return self.filter(waiting | running)


class Job(models.Model):
    """One piece of background work."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    ACTIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
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
                condition=Q(state__in=["queued", "running", "done", "failed"]), name="job_state_known"
            ),
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
