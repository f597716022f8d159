"""Scheduled work on teams."""

from celery import shared_task
from django.utils import timezone

from teams import snapshots


@shared_task(name="teams.tasks.take_snapshot")
def take_snapshot() -> None:
    """Store the quarter that has ended, once."""
    snapshots.take(snapshots.last_quarter_end(timezone.localdate()))
