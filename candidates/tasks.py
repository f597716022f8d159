"""Background work on people."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from candidates import actions, deadlines, importing, inviting, matrix, parameters, standings
from candidates.evidence import Estimate, month_start
from candidates.imports import ImportBatch, ImportFile
from socialstrategy.jobs import enqueue_once, handles, in_parts, progress

PART = 2_000
"""People a part of a long job."""
CHUNK = 500


@shared_task(name="candidates.tasks.remind")
def remind() -> None:
    """Send the reminders that are due."""
    inviting.remind(timezone.now())


@shared_task(name="candidates.tasks.hand_in")
def hand_in() -> None:
    """Hand in what is complete when its deadline has passed."""
    deadlines.hand_in(timezone.now())


@shared_task(name="candidates.tasks.refresh")
def refresh() -> None:
    """Bring estimates of an earlier month, or made with earlier parameters, up to what holds now."""
    if Estimate.objects.outdated(parameters.current().name, month_start(actions.today())).exists():
        enqueue_once("estimates.refresh")


@handles("estimates.refresh")
def refresh_all(job) -> None:
    """The same after a new parameter version: parts are runs of people, by primary key."""
    as_of, name = month_start(actions.today()), parameters.current().name

    def plan() -> list[dict]:
        people = Estimate.objects.outdated(name, as_of).order_by("person").values_list("person", flat=True).distinct()
        keys = list(people)
        size = job.arguments.get("part", PART)
        runs = [keys[start : start + size] for start in range(0, len(keys), size)]
        return [{"first": run[0], "last": run[-1], "as_of": as_of.isoformat(), "size": len(run)} for run in runs]

    in_parts(job, "estimates.refresh.part", plan, message="Bringing levels up to what holds now")


@handles("estimates.refresh.part")
def refresh_part(job) -> None:
    """One run of people; a second time it finds only what is still old."""
    first, last = job.arguments["first"], job.arguments["last"]
    as_of = date.fromisoformat(job.arguments["as_of"])
    old = Estimate.objects.outdated(parameters.current().name, as_of).filter(person__gte=first, person__lte=last)
    people = list(old.order_by("person").values_list("person", flat=True).distinct())
    for start in range(0, len(people), CHUNK):
        actions.bring_up_to_date(people[start : start + CHUNK], as_of)


@shared_task(name="candidates.tasks.renew_snapshot")
def renew_snapshot() -> None:
    """Keep a snapshot of everybody's levels that new processes can begin with."""
    matrix.renew_snapshot()


@handles("matrix.snapshot")
def make_snapshot(job) -> None:
    """The first snapshot of very many people, with progress."""
    matrix.renew_snapshot(lambda done, total: progress(job, done, total=total, message="Reading everybody's levels"))


@shared_task(name="candidates.tasks.count_roles")
def count_roles() -> None:
    """Count who stands where for each role when something has changed."""
    if standings.is_due():
        standings.count()


@handles("roles.count")
def count_everybody(job) -> None:
    """All people against all published roles: parts are runs of people in one snapshot."""
    parts = in_parts(job, "roles.count.part", standings.plan, message="Comparing everybody with every role")
    first = job.parts.order_by("part").values_list("arguments", flat=True).first()
    standings.store(parts, first or standings.begin())


@handles("roles.count.part")
def count_part(job) -> dict:
    return standings.count_part(**job.arguments)


@handles("people.read")
def read_people(job) -> None:
    """Read an uploaded file row by row into the preview."""
    batch = ImportBatch.objects.get(pk=job.arguments["batch_id"])
    if job.arguments.get("again"):
        progress(job, 0, message="Reading the file")
        try:
            importing.take(batch)
        except importing.ImportFileError as error:
            importing.refuse(batch, error, is_shown=True)
            return
    importing.judge(batch, lambda done, total: progress(job, done, total=total, message="Comparing with the list"))


@handles("people.write")
def write_people(job) -> None:
    """Write what the preview has promised, in chunks; a second run finds the written rows unchanged."""
    batch = ImportBatch.objects.get(pk=job.arguments["batch_id"])
    importing.write(batch, lambda done, total: progress(job, done, total=total, message="Writing people"), by=job.by)


@shared_task(name="candidates.tasks.forget_files")
def forget_files() -> None:
    """Delete uploaded files of people that nobody has imported in time."""
    ImportFile.objects.forget(timezone.now())
