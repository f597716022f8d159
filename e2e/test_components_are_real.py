"""The real things, and not something that quietly stands in for them."""

import os

import pytest
from django.core.cache import caches
from django.db import connection
from django.utils import timezone

from socialstrategy import mail
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.servers


def test_the_database_is_postgresql_18(db):
    assert connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("show server_version")
        assert cursor.fetchone()[0].startswith("18")


def test_redis_answers(settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"]}
    }
    caches["default"].set("word", "there", 10)
    assert caches["default"].get("word") == "there"


def test_a_worker_sends_what_is_in_the_outbox(celery_worker, wait_until, settings):
    class Someone:
        name = "Ada"

    written = mail.post(
        "a@example.org", "accounts/emails/password_reset.txt", {"user": Someone, "password_reset_url": "x"}
    )
    wait_until(lambda: Mail.objects.get(pk=written.pk).state == "sent")


def test_a_job_of_a_killed_worker_is_done_by_the_next(celery_worker, wait_until, monkeypatch):
    """Its row says running, its worker is dead: the sweeper puts it back and another worker does it."""
    from socialstrategy.jobs import tasks
    from socialstrategy.jobs.models import STALE_AFTER

    lost = Mail.objects.create(to="b@example.org", subject="x", text="y")
    long_ago = timezone.now() - 2 * STALE_AFTER
    job = Job.objects.create(
        kind="mail.send", arguments={"mail_id": str(lost.pk)}, state="running", attempts=1, heartbeat_at=long_ago
    )
    tasks.sweep.delay()
    wait_until(lambda: Job.objects.get(pk=job.pk).state == "done")
    assert Mail.objects.get(pk=lost.pk).state == "sent"
