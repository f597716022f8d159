"""The Celery application; tasks live in each app's tasks.py."""

import os

from celery import Celery, signals
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialstrategy.settings")
TRANSPORT_ALIASES["filesystem"] = "socialstrategy.jobs.folder:Transport"
app = Celery("socialstrategy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def await_database(**kwargs) -> None:
    """Neither a worker nor the scheduler begins before the migrations are through."""
    from socialstrategy.operations import starting

    starting.await_database()


@signals.worker_ready.connect
def give_signs(sender, **kwargs) -> None:
    """A worker tells that it is alive for as long as it is."""
    from socialstrategy.operations.signs import SignGiver

    giver = SignGiver("worker")
    giver.start()
    signals.worker_shutdown.connect(lambda **_: giver.stop(), weak=False)
