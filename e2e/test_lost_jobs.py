"""Lost jobs come back by themselves, slow ones are left alone; and the folder as broker does many jobs a second."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections

from socialstrategy import jobs
from socialstrategy.jobs import models, sweeper, tasks
from socialstrategy.jobs.models import Job

pytestmark = [pytest.mark.servers]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def quick(monkeypatch):
    """Everything in a tenth of the time."""
    monkeypatch.setattr(models, "STALE_AFTER", models.STALE_AFTER / 10)
    monkeypatch.setattr(tasks, "HEARTBEAT_SECONDS", tasks.HEARTBEAT_SECONDS / 10)
    monkeypatch.setattr(sweeper, "SECONDS", sweeper.SECONDS / 10)


@contextmanager
def watched():
    """A worker's sweeper at work."""
    stop = threading.Event()
    thread = threading.Thread(target=sweeper.watch, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def test_a_slow_job_that_gives_signs_of_life_is_left_alone(transactional_db, quick, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts one")
    runs, told = [], []

    def slow(job):
        runs.append(job.attempts)
        begun = Job.objects.get(pk=job.pk).heartbeat_at
        while (newest := Job.objects.get(pk=job.pk)).heartbeat_at < begun + 2 * models.STALE_AFTER:
            told.append((newest.state, newest.attempts))
            time.sleep(0.05)

    monkeypatch.setitem(jobs.HANDLERS, "test.slow", slow)
    monkeypatch.setattr(tasks, "send", lambda pk: True)
    job = jobs.enqueue("test.slow")
    with watched():
        tasks.run_job(str(job.pk))
    connections.close_all()
    job.refresh_from_db()
    assert runs == [1]
    assert set(told) == {("running", 1)}
    assert (job.state, job.attempts) == ("done", 1)


WORKER = """
import time
from socialstrategy import jobs
from socialstrategy.celery import app

@jobs.handles("test.quick")
def quick(job):
    pass

@jobs.handles("test.long")
def long(job):
    if job.attempts == 1:
        time.sleep(600)

import celery.__main__
celery.__main__.main()
"""


@pytest.fixture
def embedded(tmp_path):
    """SQLite and a folder as broker in a place of its own: a function that starts a worker, and one that asks."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    environment = {
        **kept,
        "DEMO": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://localhost",
        "DJANGO_SETTINGS_MODULE": "socialstrategy.settings",
    }
    started = []

    def python(code: str) -> str:
        command = [sys.executable, "-c", f"import django; django.setup()\n{code}"]
        done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def start() -> subprocess.Popen:
        code = f"import django; django.setup()\n{WORKER}"
        options = ["-A", "socialstrategy", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
        command = [sys.executable, "-c", code, *options]
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True))
        return started[-1]

    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    yield python, start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


ENQUEUE = """
from socialstrategy import jobs
jobs.HANDLERS |= dict.fromkeys(["test.quick", "test.long"])
jobs.enqueue("test.{kind}")
"""
COUNT = """
from socialstrategy.jobs.models import Job
print(Job.objects.filter(state="{state}", kind="test.{kind}").count())
"""


def test_the_folder_does_more_than_a_job_a_second(embedded, wait_until):
    python, start = embedded
    python("\n".join([ENQUEUE.format(kind="quick"), *['jobs.enqueue("test.quick")'] * 59]))
    start()
    wait_until(lambda: python(COUNT.format(state="done", kind="quick")) != "0", seconds=60)
    # At one a second these would take a minute.
    wait_until(lambda: python(COUNT.format(state="done", kind="quick")) == "60", seconds=30)


def test_with_the_folder_a_job_whose_worker_was_killed_comes_back(embedded, wait_until):
    python, start = embedded
    python(ENQUEUE.format(kind="long"))
    first = start()
    wait_until(lambda: python(COUNT.format(state="running", kind="long")) == "1", seconds=60)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(20)
    start()
    wait_until(lambda: python(COUNT.format(state="done", kind="long")) == "1")


def test_half_a_message_in_the_folder_ends_no_worker(embedded, wait_until, tmp_path):
    """The disk was full when it was written, or whoever wrote it was killed."""
    python, start = embedded
    python("pass")
    for n, content in enumerate([b"", b'{"body": "W1', b"\xff\x00"]):
        (tmp_path / "broker" / "in" / f"{n}_half.celery.msg").write_bytes(content)
    python(ENQUEUE.format(kind="quick"))
    worker = start()
    wait_until(lambda: python(COUNT.format(state="done", kind="quick")) == "1")
    assert worker.poll() is None
    assert list((tmp_path / "broker" / "in").glob("*.celery.msg")) == []
