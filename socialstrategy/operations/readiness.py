"""What /readyz tells: each part by a word and a sentence, without secrets, within a few seconds whatever is away."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.utils import timezone

from socialstrategy.lib.readiness import FURTHER, Part
from socialstrategy.operations import starting
from socialstrategy.operations.models import Sign

logger = logging.getLogger(__name__)
SILENT_SECONDS = 60
"""Age of the last sign of life from which on a worker or the scheduler counts as away."""
LEAST_FREE = 200 * 1024 * 1024
KEPT_SECONDS = 2.0
"""How long an answer is used again, so that asking often costs nothing."""


def database() -> Part:
    """The database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return Part(False, "The database does not answer. Pages say so until it does.")
    return Part(True, f"{connection.display_name} answers.")


def migrations() -> Part:
    """The database is as new as the code."""
    try:
        waiting = starting.outstanding()
    except DatabaseError:
        connection.close()
        return Part(False, "Nobody can tell while the database is away.")
    if waiting:
        return Part(False, f"{len(waiting)} outstanding: run `manage.py migrate`.")
    return Part(True, "None outstanding.")


def broker() -> Part:
    """Jobs can be handed to workers; without it they wait in the database."""
    from socialstrategy.celery import app

    try:
        with app.connection_for_write() as link:
            link.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
            link.default_channel  # noqa: B018 (Redis is asked only when a channel is opened)
    except Exception:
        # Whatever a broker's library raises: all of it means that no job can be handed on.
        return Part(False, "The queue cannot be reached. Jobs and mails wait, and start when it is back.")
    return Part(True, "The queue can be reached.")


def cache() -> Part:
    """Rate limits are shared by all processes; without it each one keeps its own."""
    store = caches["default"]
    if getattr(store, "is_away", lambda: False)():
        return Part(False, "The cache is away. Each process counts attempts by itself until it is back.", needed=False)
    return Part(True, "The cache answers.", needed=False)


def worker() -> Part:
    return _sign(Sign.Of.WORKER, "No worker has been heard of {since}. Jobs and mails wait.")


def beat() -> Part:
    return _sign(Sign.Of.BEAT, "The scheduler has not been heard of {since}. Reminders and repairs wait.")


def _sign(of: str, silent: str) -> Part:
    try:
        sign = Sign.objects.filter(of=of).first()
    except DatabaseError:
        connection.close()
        return Part(False, "Nobody can tell while the database is away.")
    if sign is None:
        return Part(False, silent.format(since="yet"))
    age = round((timezone.now() - sign.at).total_seconds())
    if age > SILENT_SECONDS:
        return Part(False, silent.format(since=f"for {age} s"))
    return Part(True, f"Heard of {max(age, 0)} s ago.")


def disk() -> Part:
    """VAR_DIR can be written to, and has room."""
    folder = Path(settings.VAR_DIR)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="readyz-") as probe:
            probe.write(os.urandom(4096))
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Part(False, f"VAR_DIR cannot be written to ({error.strerror}). Nothing more can be stored there.")
    if free < LEAST_FREE:
        return Part(False, f"{free // 2**20} MB are free in VAR_DIR, which is too little.")
    return Part(True, f"{free / 2**30:.1f} GB are free in VAR_DIR.")


PARTS: tuple[Callable[[], Part], ...] = (database, migrations, disk, broker, cache, worker, beat)
_kept: tuple[float, dict] | None = None


def report() -> dict:
    """All parts, whether everything needed is there, and what the settings make somebody wonder about."""
    global _kept
    now = time.monotonic()
    if _kept and now - _kept[0] < KEPT_SECONDS:
        return _kept[1]
    parts = {part.__name__: part() for part in PARTS} | {name: part() for name, part in FURTHER.items()}
    answer = {
        "ready": all(part.ok for part in parts.values() if part.needed),
        "parts": {name: {"ok": part.ok, "sentence": part.sentence} for name, part in parts.items()},
        "notes": starting.notes(),
    }
    _kept = (time.monotonic(), answer)
    return answer


def forget() -> None:
    global _kept
    _kept = None
