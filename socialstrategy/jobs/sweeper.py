"""Each worker looks after what others have left behind, in a thread beside its own work.

Not as a task: a task would wait in the row behind the very work whose worker was lost, and there may be no scheduler.
"""

import logging
import threading
import time

from celery.signals import worker_ready
from django.db import DatabaseError, connections

from socialstrategy.jobs import tasks

logger = logging.getLogger(__name__)
SECONDS = 4


def watch(stop: threading.Event, clock=time.time) -> None:
    """Look every few seconds, and only where the look before was in time.

    After the database was away, or the machine asleep, nobody has given a sign of life; that is not yet being lost.
    """
    before = None
    while not stop.wait(SECONDS):
        try:
            now = clock()
            if before is not None and now - before < 3 * SECONDS:
                tasks.sweep()
            else:
                tasks.Job.objects.lost(tasks.timezone.now()).exists()
            before = now
        except DatabaseError as error:
            logger.warning("Lost jobs could not be looked for: %s", error)
            before = None
        except Exception:
            logger.exception("Lost jobs could not be looked for")
            before = None
        finally:
            connections.close_all()


@worker_ready.connect
def start(**_) -> None:
    threading.Thread(target=watch, args=(threading.Event(),), name="sweeper", daemon=True).start()
