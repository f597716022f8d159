"""Durable jobs: ``enqueue`` writes a row in the caller's transaction, a worker runs the kind's handler.

Kinds are strings; apps register their handlers in ``ready()``. A handler takes the job and must be idempotent: it
may run again after its worker was killed.
"""

from collections.abc import Callable

HANDLERS: dict[str, Callable] = {}


def handles(kind: str) -> Callable:
    """Register the decorated function as the handler of ``kind``."""

    def register(function: Callable) -> Callable:
        HANDLERS[kind] = function
        return function

    return register


def enqueue(kind: str, *, by=None, total: int = 0, result_url: str = "", **arguments):
    """Write a job and send its id to Celery when the transaction commits; returns the job.

    ``result_url`` is where its progress page leads when it is done.
    """
    from django.db import transaction
    from django.utils import timezone

    from socialstrategy.jobs.models import Job
    from socialstrategy.jobs.tasks import send

    if kind not in HANDLERS:
        raise LookupError(f"Nothing handles jobs of the kind {kind!r}.")
    job = Job.objects.create(
        kind=kind, arguments=arguments, total=total, by=by, result_url=result_url, heartbeat_at=timezone.now()
    )
    transaction.on_commit(lambda: send(job.pk))
    return job


def progress(job, done: int, *, total: int | None = None, message: str = "") -> None:
    """Tell how far a running job is; also its sign of life."""
    from django.utils import timezone

    job.done, job.heartbeat_at = done, timezone.now()
    job.total = job.total if total is None else total
    job.message = message or job.message
    job.save(update_fields=["done", "total", "message", "heartbeat_at"])
