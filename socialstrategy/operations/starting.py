"""A safe start: nobody serves or works before the migrations are through."""

import logging
import sys
import time

import django
from django.apps import apps
from django.conf import settings

LOOK_EVERY = 2.0
NO_MAIL = tuple(f".{kind}.EmailBackend" for kind in ("dummy", "console", "locmem", "filebased"))
logger = logging.getLogger(__name__)


def await_database() -> None:
    """Wait until the database answers and has every migration; give up with a sentence after START_WAIT seconds.

    For the start of gunicorn, of a worker and of the scheduler. No connection stays open: a server that forks would
    hand it to its children.
    """
    if not apps.ready:
        django.setup()
    from django.db import connections

    say_notes()
    deadline = time.monotonic() + settings.START_WAIT
    said = ""
    while missing := _missing():
        if time.monotonic() >= deadline:
            logger.error("%s Not starting: this was waited for %d s (START_WAIT).", missing, settings.START_WAIT)
            sys.exit(1)
        if missing != said:
            logger.warning("%s Waiting for up to %d s.", missing, settings.START_WAIT)
            said = missing
        time.sleep(min(LOOK_EVERY, max(0.05, deadline - time.monotonic())))
    if said:
        logger.warning("The database is ready; going on.")
    connections.close_all()


def outstanding() -> list[str]:
    """Migrations of this code that the database does not have yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _missing() -> str:
    """What the start waits for, as a sentence; empty when there is nothing."""
    from django.db import DatabaseError, connections

    try:
        waiting = outstanding()
    except DatabaseError as error:
        connections.close_all()
        first = str(error).strip().partition("\n")[0]
        return f"The database cannot be reached ({first})."
    if not waiting:
        return ""
    number = f"{len(waiting)} migrations are" if len(waiting) > 1 else f"The migration {waiting[0]} is"
    return f"{number} outstanding: run `manage.py migrate`."


def notes() -> list[str]:
    """What the environment makes possible and somebody should know of."""
    found = list(settings.TYPOS)
    if not settings.DEMO and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append("DATABASE_URL names no PostgreSQL: SQLite is meant for trying out.")
    if not settings.DEMO and settings.CELERY_BROKER_URL.startswith("filesystem"):
        found.append("REDIS_URL is not set: a folder hands jobs on, which is meant for trying out.")
    if not settings.DEMO and settings.EMAIL_BACKEND.endswith(NO_MAIL):
        found.append("EMAIL_URL sends no mail to anybody: invitations will not arrive.")
    if settings.DEMO and settings.IS_SECURE:
        found.append("DEMO is 1: anybody who opens this site can sign in as HR manager and read all mails.")
    return found


def say_notes() -> None:
    for note in notes():
        logger.warning(note)
