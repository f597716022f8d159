"""Signs of life: a row for /readyz, which may run on another machine, and a file for the container's health check."""

import logging
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from celery.beat import PersistentScheduler
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

EVERY_SECONDS = 15
GONE_AFTER = 24 * 3600
"""Seconds without a sign of life after which its file goes."""
logger = logging.getLogger(__name__)


def file_of(name: str) -> Path:
    """The file whose date tells when ``name`` was last alive on this machine."""
    return Path(settings.VAR_DIR) / "signs" / f"{name}-{socket.gethostname()}"


def clear_away(now: float) -> None:
    """Remove the files of containers that are no more: whatever lives gives a sign every few seconds."""
    for file in (Path(settings.VAR_DIR) / "signs").glob("*"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < now - GONE_AFTER:
                file.unlink()


def give(name: str) -> None:
    """Say that ``name`` is alive. Where the disk or the database is away, the other one still learns of it."""
    from socialstrategy.operations.models import Sign

    try:
        file_of(name).parent.mkdir(parents=True, exist_ok=True)
        file_of(name).touch()
    except OSError as error:
        logger.warning("The sign of life of the %s could not be written: %s", name, error.strerror)
    try:
        Sign.objects.bulk_create(
            [Sign(of=name, at=timezone.now())], update_conflicts=True, unique_fields=["of"], update_fields=["at"]
        )
    except DatabaseError:
        logger.warning("A sign of life of the %s could not be stored", name, exc_info=True)


class SignGiver:
    """Gives signs from a thread of its own: a worker that is busy for an hour is alive all the while."""

    def __init__(self, name: str):
        self.name = name
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name=f"signs of {name}")

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join(5)

    def _run(self) -> None:
        while True:
            give(self.name)
            # Nothing stays open between two signs that a child process could inherit.
            connection.close()
            if self.stopped.wait(EVERY_SECONDS):
                return


class Scheduler(PersistentScheduler):
    """Celery's scheduler; its sign of life is that it looks at the schedule."""

    _signed_at: float = 0.0

    def tick(self, *args, **kwargs):
        wait = super().tick(*args, **kwargs)
        if time.monotonic() - self._signed_at >= EVERY_SECONDS:
            self._signed_at = time.monotonic()
            give("beat")
            connection.close()
        return min(wait, EVERY_SECONDS) if wait is not None else wait
