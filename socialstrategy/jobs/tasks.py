"""Running jobs, and putting back those that got lost."""

import logging
import threading

from celery import shared_task
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from socialstrategy.jobs import HANDLERS, WaitingForPartsError
from socialstrategy.jobs.models import MAX_ATTEMPTS, Job

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10


def send(job_id) -> None:
    """Hand a job to Celery. Without a broker the row waits, and the sweeper tries again."""
    try:
        run_job.delay(str(job_id))
    except (OperationalError, OSError) as error:
        logger.warning("Job %s waits: the broker cannot be reached (%s)", job_id, error)


@shared_task(name="socialstrategy.jobs.tasks.run_job")
def run_job(job_id: str) -> None:
    """Claim a queued job and run its handler; a job that somebody else runs or has finished is left alone."""
    now = timezone.now()
    claimed = Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
        state=Job.State.RUNNING, heartbeat_at=now, attempts=F("attempts") + 1
    )
    if not claimed:
        return
    job = Job.objects.select_related("parent").get(pk=job_id)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=([job.pk, job.parent_id], stop), daemon=True)
    beat.start()
    try:
        if job.parent and not job.parent.is_active:
            raise RuntimeError("The job that this is a part of has ended.")
        result = HANDLERS[job.kind](job)
    except WaitingForPartsError:
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(
            state=Job.State.SPREAD, attempts=0, heartbeat_at=timezone.now()
        )
        _gather(job.pk)
    except Exception as error:
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        _fail_or_retry(job, error)
    else:
        _finish(job, result)
    finally:
        stop.set()
        beat.join()


def _finish(job, result) -> None:
    """Once, also when two workers have done the same part since one seemed lost."""
    now = timezone.now()
    with transaction.atomic():
        is_first = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(
            state=Job.State.DONE, done=F("total"), result=result or {}, finished_at=now, heartbeat_at=now
        )
        if is_first and job.parent_id:
            Job.objects.filter(pk=job.parent_id).update(done=F("done") + job.total, heartbeat_at=now)
    if job.parent_id:
        _gather(job.parent_id)


def _gather(job_id) -> None:
    """Run a spread job's handler again when its last part is done."""
    unfinished = Job.objects.filter(parent=job_id).exclude(state=Job.State.DONE)
    if not unfinished.exists() and Job.objects.filter(pk=job_id, state=Job.State.SPREAD).update(
        state=Job.State.QUEUED, heartbeat_at=timezone.now()
    ):
        send(job_id)


def _fail_or_retry(job, error) -> None:
    """A job may fail a few times (a mail server that is down), and is sent again; a part takes its job along."""
    again = job.attempts < MAX_ATTEMPTS and getattr(error, "is_temporary", False)
    now, message = timezone.now(), str(error)[:300] or type(error).__name__
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.QUEUED if again else Job.State.FAILED,
        message=message,
        heartbeat_at=now,
        finished_at=None if again else now,
    )
    if not again:
        _fail_parent(job, message)


def _fail_parent(job, message: str) -> None:
    if job.parent_id:
        now = timezone.now()
        Job.objects.active().filter(pk=job.parent_id).update(
            state=Job.State.FAILED, message=message, heartbeat_at=now, finished_at=now
        )


def _beat(job_ids: list, stop: threading.Event) -> None:
    """Signs of life while the handler works, so that the sweeper takes only dead jobs."""
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            Job.objects.filter(pk__in=job_ids).update(heartbeat_at=timezone.now())
        except DatabaseError:
            # One that is missed does no harm; none at all would have the job done twice.
            logger.warning("A sign of life of job %s could not be given", job_ids[0], exc_info=True)
            connection.close()
    connection.close()


@shared_task(name="socialstrategy.jobs.tasks.sweep")
def sweep() -> None:
    """Queue anew what got lost, and give up on what has been lost too often."""
    now = timezone.now()
    for job in Job.objects.lost(now):
        if job.attempts >= MAX_ATTEMPTS:
            message = "Given up: the worker was lost too often."
            Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=now, message=message)
            _fail_parent(job, message)
            continue
        taken = Job.objects.filter(pk=job.pk, heartbeat_at=job.heartbeat_at).update(
            state=Job.State.QUEUED, heartbeat_at=now
        )
        if taken:
            send(job.pk)
