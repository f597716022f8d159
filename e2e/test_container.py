"""What a container does, without one: somebody without rights and without a home, over code that nobody may write to.

PostgreSQL, Redis, gunicorn, a worker and the scheduler, all started before the database has any table.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.cookiejar import CookieJar
from pathlib import Path

import psycopg2
import pytest

from e2e.test_run import free_port

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parent.parent
SOMEBODY = 10001
LIBC = ctypes.CDLL(None)
NOT_IN_IMAGES = ("tests", ".git", ".venv", "node_modules", "var", "__pycache__", ".env", "e2e", "benchmarks", "docs")


def without_rights() -> None:
    """Give up every right of root (PR_CAPBSET_DROP) before the program starts: files' modes hold for it then."""
    for right in range(64):
        LIBC.prctl(24, right, 0, 0, 0)


def identity() -> dict:
    """Who runs it: another user, or root without rights where this Python lies in a home that others cannot read."""
    if os.geteuid() != 0:
        return {}
    other = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": []}
    which = [sys.executable, "-c", "import os, sys; print(sys.version, os.__file__)"]
    seen = [subprocess.run(which, capture_output=True, text=True, cwd="/", **one).stdout for one in ({}, other)]
    return other if seen[0] == seen[1] else {"preexec_fn": without_rights}


class Installation:
    """Runs commands as a container would: as another user where the tests are root, and never with a home."""

    def __init__(self, folder: Path, database: str):
        self.code, self.var = folder / "app", folder / "var"
        shutil.copytree(ROOT, self.code, ignore=shutil.ignore_patterns(*NOT_IN_IMAGES))
        self.var.mkdir()
        self.port = free_port()
        self.log = folder / "log"
        self.identity = identity()
        if "user" in self.identity:
            os.chown(self.var, SOMEBODY, SOMEBODY)
            for parent in [folder, *folder.parents][:-1]:
                parent.chmod(parent.stat().st_mode | 0o011)
        for path in [self.code, *self.code.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": "/dev/null",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DEMO": "1",
            "SECRET_KEY": "container-" + uuid.uuid4().hex + uuid.uuid4().hex,
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "VAR_DIR": str(self.var),
            "STATIC_DIR": str(self.var / "collected"),
            "DATABASE_URL": database,
            "REDIS_URL": os.environ["REDIS_URL"],
            "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
            "CELERY_QUEUE": f"container-{uuid.uuid4().hex}",
        }
        self.started: list[subprocess.Popen] = []

    def run(self, *command: str) -> str:
        options = {"cwd": self.code, "env": self.environment, "capture_output": True, "text": True, **self.identity}
        done = subprocess.run([sys.executable, *command], **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen:
        with self.log.open("a") as out:
            options = {"cwd": self.code, "env": self.environment, "stdout": out, "stderr": out, **self.identity}
            self.started.append(subprocess.Popen([sys.executable, "-m", *command], **options))
        return self.started[-1]

    def start_all(self) -> None:
        bind = f"127.0.0.1:{self.port}"
        web = ["gunicorn", "socialstrategy.wsgi", "--bind", bind, "--workers", "1", "--threads", "4", "--preload"]
        self.start(*web, "--access-logfile", "-")
        self.start("celery", "--app", "socialstrategy", "worker", "--loglevel", "WARNING", "--concurrency", "1")
        self.start("celery", "--app", "socialstrategy", "beat", "--loglevel", "WARNING")

    def stop(self) -> None:
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(30)

    def until(self, ready, seconds: float = 120):
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            assert all(process.poll() is None for process in self.started), self.log.read_text()[-4000:]
            time.sleep(0.2)
        return found

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.environment['BASE_URL']}/healthz", timeout=5):
                return True
        except OSError:
            return False

    def report(self) -> dict:
        try:
            with urllib.request.urlopen(f"{self.environment['BASE_URL']}/readyz", timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as answer:
            return json.load(answer)


@pytest.fixture
def installation(tmp_path):
    if "REDIS_URL" not in os.environ:
        pytest.skip("needs PostgreSQL and Redis; `make test` starts both")
    name = f"container_{uuid.uuid4().hex}"
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    made = Installation(tmp_path, os.environ["DATABASE_URL"].replace("/postgres?", f"/{name}?"))
    yield made
    made.stop()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


def sign_in_as_hr(base: str) -> urllib.request.OpenerDirector:
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.open(f"{base}/sign-in/").read()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = urllib.parse.urlencode({"role": "hr", "csrfmiddlewaretoken": token}).encode()
    browser.open(urllib.request.Request(f"{base}/demo/", form, {"Referer": base})).read()
    return browser


def test_somebody_without_rights_and_home_runs_everything_over_read_only_code(installation):
    installation.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0")
    installation.start_all()
    installation.until(lambda: installation.log.read_text().count("outstanding: run `manage.py migrate`") == 3)
    assert not installation.answers()
    installation.run("manage.py", "migrate", "--noinput", "--verbosity", "0")
    installation.until(installation.answers)
    installation.until(lambda: installation.report()["ready"])
    assert all(part["ok"] for part in installation.report()["parts"].values())
    for name in ("worker", "beat"):
        assert "sign of life" in installation.run("scripts/alive.py", name)

    installation.run("manage.py", "seed_demo")
    ranked = json.loads(installation.run("manage.py", "rank", "Community manager", "--format", "json"))
    assert len(ranked["people"]) == 50
    browser = sign_in_as_hr(installation.environment["BASE_URL"])
    hiring = browser.open(f"{installation.environment['BASE_URL']}/hiring/").read().decode()
    page = browser.open(installation.environment["BASE_URL"] + re.search(r'href="(/hiring/\d+/)"', hiring)[1])
    assert page.status == 200

    key = "k3y" * 14
    with pytest.raises(urllib.error.HTTPError, match="404"):
        browser.open(f"{installation.environment['BASE_URL']}/i/{key}/")
    installation.until(lambda: '"GET /i/[key]/ HTTP/1.1" 404' in installation.log.read_text())
    assert key not in installation.log.read_text()

    written = {path.relative_to(installation.var).parts[0] for path in installation.var.rglob("*.nbi")}
    assert written == {"numba"}
    assert not list(installation.code.rglob("*.nbi"))


def test_nobody_starts_over_a_database_that_stays_behind(installation):
    """Each says what it waited for, and ends with a status that whoever watches over it understands."""
    installation.environment["START_WAIT"] = "1"
    installation.start_all()
    assert [process.wait(60) for process in installation.started] == [1, 1, 1]
    said = installation.log.read_text()
    assert said.count("outstanding: run `manage.py migrate`. Not starting: this was waited for 1 s (START_WAIT).") == 3
    installation.started.clear()
