"""A real browser, a real Celery worker, and the pages to look at."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = os.environ.get("CHROMIUM")
    if not path:
        pytest.skip("CHROMIUM is not set; `make test` finds or installs one")
    return {**browser_type_launch_args, "executable_path": path, "args": FLAGS}


@pytest.fixture
def start_worker(transactional_db, own_queue):
    """A function that starts a real worker process on this test's database and queue, with Redis between."""
    if connection.vendor != "postgresql" or not os.environ.get("REDIS_URL"):
        pytest.skip("needs PostgreSQL and Redis; `make test` starts both")
    address = os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    started = []

    def start() -> subprocess.Popen:
        name = f"{own_queue}-{len(started)}@here"
        command = [sys.executable, "-m", "celery", "-A", "socialstrategy", "worker", "--pool", "solo"]
        command += ["--loglevel", "WARNING", "--hostname", name]
        environment = {**os.environ, "DATABASE_URL": address, "CELERY_QUEUE": own_queue}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        wait_for_worker(name)
        return started[-1]

    yield start
    for process in started:
        # A test that failed may have left it stopped.
        process.send_signal(signal.SIGCONT)
        process.terminate()
    for process in started:
        process.wait(20)


@pytest.fixture
def celery_worker(start_worker):
    return start_worker()


def wait_for_worker(name: str, seconds: float = 30) -> None:
    from socialstrategy.celery import app

    deadline = time.monotonic() + seconds
    while not app.control.ping(destination=[name], timeout=0.3):
        assert time.monotonic() < deadline, "the worker did not start"


@pytest.fixture
def wait_until():
    """Ask again until something is so."""

    def wait(ready, seconds=40.0):
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.05)

    return wait


@pytest.fixture
def demo(live_server, settings):
    """The demo organisation behind a live server; gives its address."""
    from teams.demo import seed

    settings.DEMO = True
    settings.BASE_URL = live_server.url
    seed()
    return live_server.url


def is_problem(message) -> bool:
    """Errors and warnings, but for htmx's note that leaving a page has ended a request under way."""
    aborted = message.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
    return message.type in {"error", "warning"} and not aborted


@pytest.fixture
def open_as(browser, live_server):
    """A function that opens a browser of its own, signed in as somebody of the demo (or nobody)."""
    contexts = []

    def opened(role=None, *, width=1440, theme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url)
        context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda m: page.problems.append(m.text) if is_problem(m) else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        if role:
            page.goto("/sign-in/")
            page.click(f"button[value={role}]")
            page.wait_for_url("**/")
        return page

    yield opened
    for context in contexts:
        context.close()
