"""Play the faults and print the table. Exit 1 when anything was lost, done twice, or took too long."""

from __future__ import annotations

import argparse
import os
import random
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

from faults.game import Game
from faults.ledger import Ledger
from faults.mailbox import Mailbox
from faults.report import Line, problems, table
from faults.servers import Servers

MINUTES = 30
"""After which nothing further is broken."""


def say(text: str) -> None:
    print(text, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument("--seed", type=int, default=None, help="the same faults in the same order")
    parser.add_argument("--count", type=int, default=200, help="how many faults")
    parser.add_argument("--quick", action="store_true", help="one of each kind that is quick, and no more")
    parser.add_argument("--only", default="", help="kinds whose name holds this (a regular expression)")
    parser.add_argument("--keep", default="", help="a new folder for what the servers have written")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    given = parser.parse_args()
    given.seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    return given


def main() -> int:
    given, begun = arguments(), time.monotonic()
    # Inherited as ignored in a background job: an interrupt ends everything here.
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, interrupted)
    say(f"Seed {given.seed}")
    base = Path(tempfile.mkdtemp(prefix="faults-"))
    base.chmod(0o755)
    mailbox = Mailbox()
    mailbox.open()
    servers = Servers(base, mailbox.port)
    try:
        lines, wanted, acknowledged = play(given, servers, mailbox, begun + 60 * given.minutes)
    finally:
        servers.end()
        mailbox.close()
        if given.keep:
            shutil.copytree(base, given.keep, ignore=lambda folder, names: {"data", "package", "s", "redis.sock"})
        shutil.rmtree(base, ignore_errors=True)
    found = problems(lines, wanted)
    say(f"\n{table(lines, acknowledged)}\n\nMails that went twice with the same Message-ID: {mailbox.twice()}")
    say("\n".join(found) if found else "Nothing was lost, nothing was done twice, and all went by itself again.")
    say(f"Seed {given.seed}, {(time.monotonic() - begun) / 60:.1f} minutes")
    return 1 if found else 0


def interrupted(number, frame) -> None:
    """Once; what is being ended then is ended."""
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)
    raise KeyboardInterrupt


def play(given, servers: Servers, mailbox: Mailbox, until: float) -> tuple[list[Line], int, int]:
    """Start everything, let people work, and break one thing after the other."""
    servers.start_databases()
    servers.manage("migrate", "--verbosity", "0")
    servers.manage("collectstatic", "--noinput", "--verbosity", "0")
    # What is asked here is asked of the database alone: no level in a file that is damaged on purpose.
    os.environ |= servers.environment() | {"VAR_DIR": str(servers.base / "own"), "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
    import django

    django.setup()
    from faults import kinds, organisation

    version = organisation.fill()
    servers.start_application()
    ledger, rng, is_over = Ledger(mailbox), random.Random(given.seed), threading.Event()
    plan = planned(kinds.KINDS, given, rng)
    scene = kinds.Scene(servers, ledger, mailbox, rng, version.pk)
    people = at_work(servers.url, ledger, given.seed, is_over, version.pk)
    game = Game(scene, given.seed, until, say)
    try:
        game.prepare()
        game.play(plan)
    finally:
        is_over.set()
        for one in people:
            one.join(5)
        django.db.connections.close_all()
    for sentence in dict.fromkeys(ledger.refused):
        say(f"  note: {sentence}")
    return game.lines, len(plan), ledger.size


def planned(every, given, rng: random.Random) -> list:
    """So many faults of all kinds by their weight, each kind at least once where there is room, in any order."""
    chosen = [kind for kind in every if re.search(given.only, kind.name) and (kind.is_quick or not given.quick)]
    if given.quick:
        return rng.sample(chosen, len(chosen))
    plan = sorted(chosen, key=lambda kind: -kind.weight)[: given.count]
    plan += rng.choices(chosen, [kind.weight for kind in chosen], k=given.count - len(plan))
    rng.shuffle(plan)
    return plan


def at_work(url: str, ledger: Ledger, seed: int, is_over: threading.Event, version: int) -> list:
    """Everybody, at work."""
    from candidates.models import Person
    from faults import clients

    waiting: deque = deque()
    common = (url, ledger, seed, is_over)
    known = Person.objects.filter(email__startswith="known").order_by("pk").values_list("pk", flat=True)
    people = [
        clients.Recruiter(*common, version=version, waiting=waiting),
        clients.Importer(*common),
        clients.Candidate(*common, waiting=waiting),
        clients.Candidate(url, ledger, seed + 1, is_over, waiting=waiting),
        clients.Asker(*common, keys=list(known)),
        clients.Rater(*common),
        clients.Overseer(*common, version=version),
    ]
    for one in people:
        one.start()
    return people


if __name__ == "__main__":
    sys.exit(main())
