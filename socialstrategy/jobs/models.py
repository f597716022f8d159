"""Durable jobs: the row is the job, its progress and its result; Celery only carries its id."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

STALE_AFTER = timedelta(seconds=20)
"""Without a sign of life for so long, a running job's worker counts as lost."""
UNHEARD_AFTER = timedelta(seconds=10)
"""A job that waits for so long while no worker has anything to do was never heard of: its message is lost."""
MAX_ATTEMPTS = 5


class JobQuerySet(models.QuerySet):
    def visible_to(self, user):
        """HR managers see every job, others their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_hr else self.filter(by=user)

    def active(self):
        return self.filter(state__in=Job.ACTIVE)

    def in_hand(self, job):
        """The job's row, as long as it is this run of it that has the job in hand, and nobody has taken it over."""
        return self.filter(pk=job.pk, run=job.run, state=Job.State.RUNNING)

    def lost(self, now):
        """Jobs that a killed worker, a lost message or an absent broker left behind at ``now``.

        Messages keep their order, so while workers are busy one that waits is most likely in a row. It is asked about
        again now and then; a part only when later parts of its job have had their turn, or the job has gone quiet.
        """
        old, unheard = now - STALE_AFTER, now - UNHEARD_AFTER
        at_work = self.model.objects.filter(state=Job.State.RUNNING, heartbeat_at__gte=old).exists()
        later = Job.objects.filter(parent=OuterRef("parent"), part__gt=OuterRef("part"))
        queued = Q(state=Job.State.QUEUED)
        whole = queued & Q(parent=None, heartbeat_at__lt=old if at_work else unheard)
        part = queued & ~Q(parent=None) & Q(heartbeat_at__lt=unheard)
        part &= Q(parent__heartbeat_at__lt=old) | Exists(later.exclude(state=Job.State.QUEUED))
        running = Q(state=Job.State.RUNNING, heartbeat_at__lt=old)
        spread = Q(state=Job.State.SPREAD, heartbeat_at__lt=old) & ~Exists(
            Job.objects.active().filter(parent=OuterRef("pk"))
        )
        return self.filter(whole | part | running | spread)


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
    run = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Of those who began it, who has it in hand."
    )
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
    def waits_long(self) -> bool:
        """Nobody has taken it yet, though a worker that is free takes a job at once."""
        is_untouched = self.state == self.State.QUEUED and self.attempts == 0 and not self.message
        return is_untouched and timezone.now() - self.created_at > UNHEARD_AFTER

    @property
    def share(self) -> float:
        """Progress, 0-1."""
        return self.done / self.total if self.total else 0.0
