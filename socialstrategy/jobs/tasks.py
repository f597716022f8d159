"""Running jobs, and putting back those that got lost."""

import logging
import threading

from celery import shared_task
from django.db import connection
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from socialstrategy.jobs import HANDLERS
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
    job = Job.objects.get(pk=job_id)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(job.pk, stop), daemon=True)
    beat.start()
    try:
        HANDLERS[job.kind](job)
    except Exception as error:
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        _fail_or_retry(job, error)
    else:
        finished = timezone.now()
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.DONE, done=F("total"), finished_at=finished, heartbeat_at=finished
        )
    finally:
        stop.set()
        beat.join()


def _fail_or_retry(job, error) -> None:
    """A job may fail a few times (a mail server that is down); the sweeper sends it again."""
    again = job.attempts < MAX_ATTEMPTS and getattr(error, "is_temporary", False)
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.QUEUED if again else Job.State.FAILED,
        message=str(error)[:300] or type(error).__name__,
        heartbeat_at=timezone.now(),
        finished_at=None if again else timezone.now(),
    )


def _beat(job_id, stop: threading.Event) -> None:
    """Signs of life while the handler works, so that the sweeper takes only dead jobs."""
    while not stop.wait(HEARTBEAT_SECONDS):
        Job.objects.filter(pk=job_id).update(heartbeat_at=timezone.now())
    connection.close()


@shared_task(name="socialstrategy.jobs.tasks.sweep")
def sweep() -> None:
    """Queue anew what got lost, and give up on what has been lost too often."""
    now = timezone.now()
    for job in Job.objects.lost(now):
        if job.attempts >= MAX_ATTEMPTS:
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.FAILED, finished_at=now, message="Given up: the worker was lost too often."
            )
            continue
        taken = Job.objects.filter(pk=job.pk, heartbeat_at=job.heartbeat_at).update(
            state=Job.State.QUEUED, heartbeat_at=now
        )
        if taken:
            send(job.pk)
