"""Durable jobs: ``enqueue`` writes a row in the caller's transaction, a worker runs the kind's handler.

Long work is spread over parts (``in_parts``), which any number of workers on any number of machines take.

Kinds are strings; apps register their handlers in ``ready()``. A handler takes the job and must be idempotent: it
may run again after its worker was killed.
"""

from collections.abc import Callable

HANDLERS: dict[str, Callable] = {}


class WaitingForPartsError(Exception):
    """A handler has spread its job, and runs again when all parts are done."""


class TakenOverError(Exception):
    """A run of a job that seemed lost (its process was frozen, say) goes on, while another has the job in hand."""


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


def enqueue_once(kind: str, **options):
    """The job of this kind that waits or runs, or a new one."""
    from socialstrategy.jobs.models import Job

    return Job.objects.active().filter(kind=kind, parent=None).first() or enqueue(kind, **options)


def progress(job, done: int, *, total: int | None = None, message: str = "") -> None:
    """Tell how far a running job is; also its sign of life.

    Raises
    ------
    TakenOverError : this run seemed lost, and the job has been given to another worker.
    """
    from django.utils import timezone

    from socialstrategy.jobs.models import Job

    job.done, job.heartbeat_at = done, timezone.now()
    job.total = job.total if total is None else total
    job.message = message or job.message
    told = {name: getattr(job, name) for name in ("done", "total", "message", "heartbeat_at")}
    mine = Job.objects.in_hand(job) if job.run else Job.objects.filter(pk=job.pk)
    if not mine.update(**told):
        raise TakenOverError


def in_parts(job, kind: str, plan: Callable[[], list[dict]], *, message: str = "") -> list:
    """What the parts of a job have returned, in order, once all are done.

    At first ``plan`` gives each part's arguments, with ``size``, what it adds to the progress; the parts are jobs of
    their own, that any worker may take, and the handler ends here (by WaitingForPartsError) until they are done.
    ``message`` stands beside the progress.
    """
    from socialstrategy.jobs.models import Job
    from socialstrategy.jobs.tasks import send

    if not job.parts.exists():
        _spread(job, kind, plan(), message)
    # Also when it runs again: the worker before may have been killed while it sent them. Sent twice, each is done once.
    for pk in job.parts.filter(state=Job.State.QUEUED).order_by("part").values_list("pk", flat=True):
        send(pk)
    if job.parts.exclude(state=Job.State.DONE).exists():
        raise WaitingForPartsError
    return list(job.parts.order_by("part").values_list("result", flat=True))


def _spread(job, kind: str, planned: list[dict], message: str) -> None:
    from django.db import transaction
    from django.utils import timezone

    from socialstrategy.jobs.models import Job

    now = timezone.now()
    parts = [
        Job(kind=kind, arguments=one, total=one["size"], parent=job, part=n, by=job.by, heartbeat_at=now)
        for n, one in enumerate(planned)
    ]
    with transaction.atomic():
        # One of two workers that plan the same job at once: two plans may differ, and must not be mixed.
        Job.objects.select_for_update().get(pk=job.pk)
        if not job.parts.exists():
            Job.objects.bulk_create(parts, batch_size=500)
            total = sum(one.total for one in parts)
            Job.objects.filter(pk=job.pk).update(total=total, message=message, heartbeat_at=now)
