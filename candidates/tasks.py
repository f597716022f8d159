"""Background work on people."""

from celery import shared_task
from django.utils import timezone

from candidates import actions, importing, inviting
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
    """Bring estimates of an earlier month up to the current one."""
    as_of = month_start(actions.today())
    old = Estimate.objects.exclude(as_of=as_of).order_by("person").values_list("person", flat=True).distinct()
    people = list(old)
    for start in range(0, len(people), CHUNK):
        actions.refresh_estimates(people[start : start + CHUNK], as_of=as_of)


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
