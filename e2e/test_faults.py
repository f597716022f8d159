"""The short run of `make faults`: real servers are broken while people work, and nothing is lost or done twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest
from django.utils import timezone

from candidates.factories import give_evidence, make_person
from faults.ledger import Ledger
from faults.mailbox import Mailbox
from faults.report import Line, problems, table
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parent.parent


def test_the_ledger_misses_what_is_gone_and_sees_what_is_double(db):
    mailbox = Mailbox()
    ledger = Ledger(mailbox)
    person = make_person(email="there@faults.example")
    ledger.people |= {person.email, "gone@faults.example"}
    ledger.answers["mark-1"], ledger.ratings["mark-2"] = 3, 4
    ledger.handed_in["somebody@faults.example"] = ["mark-1"]
    for _ in range(2):
        give_evidence(person, "analytics", 3, note="mark-3")
    for n in (1, 1, 2):
        message = Message()
        message["Subject"], message["Message-ID"] = "Hello", f"<{n}@x>"
        mailbox.taken[person.email].append(message)
    ledger.invited[person.email] = 0.0
    Job.objects.create(kind="mail.send", state="failed", message="Given up.", heartbeat_at=timezone.now())
    found = ledger.compare()
    assert {one.rpartition(" ")[0] for one in found.lost if "job" not in one} == {
        "person",
        "answer",
        "rating",
        "evidence of",
        "assessment handed in by",
        "invitation of",
    }
    assert sum("Given up." in one for one in found.lost) == 1
    assert "person there@faults.example" not in found.lost
    assert found.doubled == {
        "evidence of mark-3: 2 times",
        "evidence of rating mark-3: 2 times",
        "mail 'Hello' to there@faults.example",
    }
    assert mailbox.twice() == 1


def test_a_broken_bound_is_told():
    good = Line("one", 5, set(), set(), 59.0, 29.0)
    assert problems([good], 1) == []
    bad = [replace(good, lost={"a"}), replace(good, doubled={"b"}), replace(good, seconds=61), replace(good, back=31)]
    for line in bad:
        assert len(problems([good, line], 2)) == 1
    assert len(problems([good], 2)) == 1
    assert table([good, *bad], 7).splitlines()[-1].split() == ["all", "5", "7", "1", "1", "61.0", "31.0"]


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
