"""Background work on people."""

from celery import shared_task
from django.utils import timezone

from candidates import actions, importing, inviting, matrix, parameters
from candidates.evidence import Estimate, month_start
from candidates.imports import ImportBatch
from socialstrategy.jobs import handles, progress

CHUNK = 500


@shared_task(name="candidates.tasks.remind")
def remind() -> None:
    """Send the reminders that are due."""
    inviting.remind(timezone.now())


@shared_task(name="candidates.tasks.refresh")
def refresh() -> None:
    """Bring estimates of an earlier month, or made with earlier parameters, up to what holds now."""
    _refresh(lambda done, total: None)


@handles("estimates.refresh")
def refresh_all(job) -> None:
    """The same after a new parameter version, with progress; a second run finds what is still old."""
    _refresh(lambda done, total: progress(job, done, total=total, message="Bringing levels up to the new version"))


@shared_task(name="candidates.tasks.renew_snapshot")
def renew_snapshot() -> None:
    """Keep a snapshot of everybody's levels that new processes can begin with."""
    matrix.renew_snapshot()


@handles("matrix.snapshot")
def make_snapshot(job) -> None:
    """The first snapshot of very many people, with progress."""
    matrix.renew_snapshot(lambda done, total: progress(job, done, total=total, message="Reading everybody's levels"))


def _refresh(tell) -> None:
    as_of = month_start(actions.today())
    current = Estimate.objects.filter(as_of=as_of, parameters=parameters.current().name)
    old = Estimate.objects.exclude(pk__in=current.values("pk")).order_by("person")
    people = list(old.values_list("person", flat=True).distinct())
    for start in range(0, len(people), CHUNK):
        tell(start, len(people))
        actions.refresh_estimates(people[start : start + CHUNK], as_of=as_of)
    tell(len(people), len(people))


@handles("people.read")
def read_people(job) -> None:
    """Read an uploaded file row by row into the preview."""
    batch = ImportBatch.objects.get(pk=job.arguments["batch_id"])
    importing.judge(batch, lambda done, total: progress(job, done, total=total, message="Reading the file"))


@handles("people.write")
def write_people(job) -> None:
    """Write what the preview has promised, in chunks; a second run finds the written rows unchanged."""
    batch = ImportBatch.objects.get(pk=job.arguments["batch_id"])
    importing.write(batch, lambda done, total: progress(job, done, total=total, message="Writing people"), by=job.by)
