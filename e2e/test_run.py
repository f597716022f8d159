"""`make run`: gunicorn with hashed files and one worker, from nothing to signed in, and away again without a trace."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parent.parent


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode(errors="replace")


def processes_of(folder: Path) -> list[str]:
    """Command lines of running processes whose environment names ``folder``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if (
                    f"VAR_DIR={folder}".encode() in (entry / "environ").read_bytes()
                    and (entry / "cmdline").read_bytes()
                ):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def start(folder: Path, port: int) -> subprocess.Popen:
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}}
    environment = {**kept, "VAR_DIR": str(folder), "PORT": str(port), "DEMO": "1", "WEB_CONCURRENCY": "1"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "run.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if "is running at" in line:
            return process
    raise AssertionError("it did not start: " + "".join(said))


def free_port() -> int:
    """A free port below those that outgoing connections use, so that nobody takes it between two starts."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_serves_and_ends_everything(tmp_path, kind):
    port = free_port()
    process = start(tmp_path, port)
    base = f"http://127.0.0.1:{port}"
    page = get(f"{base}/sign-in/")
    assert "Look around in the demo as" in page
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert any(re.search(r"theme|tokens\.[0-9a-f]{12}\.css", name) for name in files)
    for name in files:
        assert get(base + name)
    outbox = get(f"{base}/outbox/")
    assert "Your self-assessment for" in outbox
    process.send_signal(kind)
    assert process.wait(20) == 0
    deadline = time.monotonic() + 5
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(tmp_path) == []

    # A second start makes nobody twice.
    import sqlite3

    count = "select count(*) from candidates_person"
    before = sqlite3.connect(tmp_path / "db.sqlite3").execute(count).fetchone()
    begun = time.monotonic()
    process = start(tmp_path, port)
    assert time.monotonic() - begun < 30
    assert sqlite3.connect(tmp_path / "db.sqlite3").execute(count).fetchone() == before == (180,)
    process.send_signal(kind)
    assert process.wait(20) == 0


def test_a_taken_port_is_said_plainly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {**os.environ, "PORT": str(taken.getsockname()[1]), "VAR_DIR": str(tmp_path)}
        command = [sys.executable, ROOT / "scripts" / "run.py"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "is taken" in done.stdout


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535, not 'eighty'."),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535, not '70000'."),
        ({"HOST": "not an address"}, "HOST must be an address of this machine, not 'not an address'."),
        ({"EMAIL_URL": "nonsense"}, "EMAIL_URL must be an address such as"),
    ],
)
def test_nonsense_is_refused_with_a_sentence_alone(tmp_path, environment, said):
    values = {**os.environ, "PORT": str(free_port()), "VAR_DIR": str(tmp_path), **environment}
    command = [sys.executable, ROOT / "scripts" / "run.py"]
    done = subprocess.run(command, env=values, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
