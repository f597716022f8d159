"""The short run of `make faults`: real servers are broken while people work, and nothing is lost or done twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parent.parent


def faults(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "faults", *arguments]


def test_one_fault_of_each_quick_kind_loses_and_doubles_nothing():
    done = subprocess.run(faults("--quick", "--seed", "7"), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    assert "Seed 7" in done.stdout
    row = re.search(r"^all +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout, re.MULTILINE)
    assert row, done.stdout
    played, acknowledged, lost, doubled = map(int, row.groups())
    assert played >= 5
    assert acknowledged > 50
    assert (lost, doubled) == (0, 0)


def processes_of(group: str) -> list[int]:
    """Processes whose environment or command names this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if group.encode() in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.fixture
def folder():
    """One that the servers' own user can enter, too."""
    made = Path(tempfile.mkdtemp(prefix="interrupted-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_everything(kind, folder):
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(faults("--count", "3"), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while len(processes_of(str(folder))) < 8:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(kind)
    assert process.wait(60) != 0
    deadline = time.monotonic() + 10
    while processes_of(str(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(str(folder)) == []
    assert list(folder.iterdir()) == []
