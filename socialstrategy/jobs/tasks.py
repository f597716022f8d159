"""Running jobs, and putting back those that got lost."""

import logging
import threading
import time
import uuid

from celery import shared_task
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import ChannelError, KombuError

from socialstrategy.jobs import HANDLERS, TakenOverError, WaitingForPartsError
from socialstrategy.jobs.models import MAX_ATTEMPTS, Job
from socialstrategy.lib.text import clean

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 4
MOST_AT_ONCE = 200
"""Lost jobs that are put back at one look; the next look is seconds away."""
PAUSE_SECONDS = 3
_pause_until = 0.0


def send(job_id) -> bool:
    """Hand a job to Celery. Without a broker the row waits, and a worker finds it; nobody at a page waits for that.

    After a broker that did not answer it is not asked for some seconds: five hundred invitations would wait for it
    five hundred times.
    """
    global _pause_until
    if time.monotonic() < _pause_until:
        return False
    try:
        run_job.apply_async((str(job_id),), retry=False)
    except (KombuError, ChannelError, OSError) as error:
        _pause_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("Job %s waits: the broker cannot be reached (%s)", job_id, error)
        return False
    return True


@shared_task(name="socialstrategy.jobs.tasks.run_job")
def run_job(job_id: str) -> None:
    """Claim a queued job and run its handler; a job that somebody else runs or has finished is left alone."""
    now, run = timezone.now(), uuid.uuid4()
    claimed = Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
        state=Job.State.RUNNING, run=run, heartbeat_at=now, attempts=F("attempts") + 1
    )
    if not claimed:
        return
    job = Job.objects.select_related("parent").get(pk=job_id)
    # Between the two somebody may have taken it over; then nothing that follows touches the row.
    job.run = run
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(job, stop), daemon=True)
    beat.start()
    try:
        if job.parent and not job.parent.is_active:
            raise RuntimeError("The job that this is a part of has ended.")
        # What cannot be stored is a failure like any other: nobody would hear of it otherwise.
        _finish(job, HANDLERS[job.kind](job))
    except WaitingForPartsError:
        Job.objects.in_hand(job).update(state=Job.State.SPREAD, attempts=0, heartbeat_at=timezone.now())
        _gather(job.pk)
    except TakenOverError:
        logger.warning("Job %s (%s) seemed lost and is another worker's now", job.pk, job.kind)
    except Exception as error:
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        _fail_or_retry(job, error)
    finally:
        stop.set()
        beat.join()


def _finish(job, result) -> None:
    """Once, also when two workers have done the same part since one seemed lost."""
    now = timezone.now()
    with transaction.atomic():
        is_mine = Job.objects.in_hand(job).update(
            state=Job.State.DONE, done=F("total"), result=result or {}, finished_at=now, heartbeat_at=now
        )
        if is_mine and job.parent_id:
            Job.objects.filter(pk=job.parent_id).update(done=F("done") + job.total)
            _keep_alive(job.parent_id, now)
    if job.parent_id:
        _gather(job.parent_id)


def _keep_alive(job_id, now) -> None:
    """A job in parts lives while they do; while it is itself in hand, only its own worker can say that it lives."""
    Job.objects.filter(pk=job_id, state=Job.State.SPREAD).update(heartbeat_at=now)


def _gather(job_id) -> None:
    """Run a spread job's handler again when its last part is done."""
    unfinished = Job.objects.filter(parent=job_id).exclude(state=Job.State.DONE)
    if not unfinished.exists() and Job.objects.filter(pk=job_id, state=Job.State.SPREAD).update(
        state=Job.State.QUEUED, heartbeat_at=timezone.now()
    ):
        send(job_id)


def _fail_or_retry(job, error) -> None:
    """A job may fail a few times (a database that restarts), and is sent again; a part takes its job along."""
    is_database = isinstance(error, OperationalError | InterfaceError)
    if is_database and not connection.in_atomic_block:
        # A connection that a restarting database has cut serves no more.
        connection.close()
    is_temporary = is_database or getattr(error, "is_temporary", False)
    again = job.attempts < MAX_ATTEMPTS and is_temporary
    # Texts of errors may hold what no database stores: half a sign of a broken file name, or none at all.
    storable = clean(str(error).encode("utf-8", "replace").decode())
    now, message = timezone.now(), storable[:300] or type(error).__name__
    is_mine = Job.objects.in_hand(job).update(
        state=Job.State.QUEUED if again else Job.State.FAILED,
        message=message,
        heartbeat_at=now,
        finished_at=None if again else now,
    )
    if is_mine and not again:
        _fail_parent(job, message)


def _fail_parent(job, message: str) -> None:
    if job.parent_id:
        now = timezone.now()
        Job.objects.active().filter(pk=job.parent_id).update(
            state=Job.State.FAILED, message=message, heartbeat_at=now, finished_at=now
        )


def _beat(job, stop: threading.Event) -> None:
    """Signs of life while the handler works, so that only dead jobs are taken over."""
    while not stop.wait(HEARTBEAT_SECONDS):
        try:
            now = timezone.now()
            if not Job.objects.in_hand(job).update(heartbeat_at=now):
                break
            _keep_alive(job.parent_id, now)
        except DatabaseError:
            # One that is missed does no harm; none at all would have the job done twice.
            logger.warning("A sign of life of job %s could not be given", job.pk, exc_info=True)
            connection.close()
    connection.close()


@shared_task(name="socialstrategy.jobs.tasks.sweep")
def sweep() -> None:
    """Queue anew what got lost, and give up on what has been lost too often."""
    now = timezone.now()
    for job in Job.objects.lost(now).order_by("heartbeat_at")[:MOST_AT_ONCE]:
        # Two who look at the same moment: one of them finds it changed.
        as_seen = Job.objects.filter(pk=job.pk, state=job.state, heartbeat_at=job.heartbeat_at)
        if job.state == Job.State.QUEUED:
            if not send(job.pk):
                break
            as_seen.update(heartbeat_at=now)
        elif job.attempts >= MAX_ATTEMPTS:
            message = "Given up: the worker was lost too often."
            if as_seen.update(state=Job.State.FAILED, finished_at=now, message=message):
                _fail_parent(job, message)
        elif as_seen.update(state=Job.State.QUEUED, heartbeat_at=now):
            logger.warning("Job %s (%s) was lost and is done again", job.pk, job.kind)
            send(job.pk)
