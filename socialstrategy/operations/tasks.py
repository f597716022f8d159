"""Scheduled work on the machine's own files."""

import time

from celery import shared_task

from socialstrategy.lib.uploads import reading
from socialstrategy.operations import signs


@shared_task(name="operations.tasks.clear_away")
def clear_away() -> None:
    """Folders of readings that were killed, and signs of life of containers that are no more, go by night."""
    now = time.time()
    reading.clear_away(now)
    signs.clear_away(now)
