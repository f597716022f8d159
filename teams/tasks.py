"""Scheduled work on teams."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from socialstrategy.jobs import enqueue_once, handles, in_parts, progress
from teams import housekeeping, publication, snapshots
from teams.models import Snapshot


@shared_task(name="teams.tasks.take_snapshot")
def take_snapshot() -> None:
    """Store the quarter that has ended, once."""
    today = timezone.localdate()
    quarter_on = snapshots.last_quarter_end(today)
    if not Snapshot.objects.filter(quarter_on=quarter_on).exists():
        enqueue_once("quarter.take", quarter_on=quarter_on.isoformat(), day=today.isoformat())


@shared_task(name="teams.tasks.publish")
def publish() -> None:
    """Put together what executives read, when a week has begun without it."""
    if publication.is_due(timezone.localdate()):
        enqueue_once("figures.publish")


@handles("figures.publish")
def publish_figures(job) -> None:
    """The week's figures; a second run finds them made."""
    today = timezone.localdate()
    if publication.is_due(today):
        publication.make(today)


@handles("quarter.take")
def take_quarter(job) -> None:
    """Parts are runs of demands in one snapshot of everybody's levels; together they are stored."""
    day = date.fromisoformat(job.arguments["day"])
    size = job.arguments.get("part", snapshots.PART)
    parts = in_parts(job, "quarter.part", lambda: snapshots.plan(day, size), message="Drawing how sure the figures are")
    first = job.parts.first()
    board = snapshots.board_of(day, first.arguments["snapshot"], parts) if first else None
    snapshots.take(date.fromisoformat(job.arguments["quarter_on"]), board)


@handles("quarter.part")
def draw_part(job) -> dict:
    return snapshots.draw_part(**job.arguments)


@shared_task(name="teams.tasks.clear_away")
def clear_away() -> None:
    """The night's part: what is older than the stated ages goes."""
    enqueue_once("ages.keep")


@handles("ages.keep")
def keep_ages(job) -> dict:
    return housekeeping.clear_away(job, timezone.now(), lambda done: progress(job, done, message="Clearing away"))
