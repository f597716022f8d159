"""The faults: what is done to the servers, and what must go on afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from faults.ledger import Ledger
from faults.mailbox import Mailbox
from faults.servers import Servers, children_of, send_signal

REQUESTS = ("page", "person", "answer", "ranking")
WORK = ("import",)
OUTAGE = 1.5
"""Seconds that a server is away before it is started again."""
WORKERS = ("worker 1", "worker 2")


@dataclass
class Scene:
    """Everything that a fault may need."""

    servers: Servers
    ledger: Ledger
    mailbox: Mailbox
    rng: random.Random
    left: list = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """``act`` does it and returns when the servers are as before, or are being started again.

    ``weight``: its share among all; ``is_quick``: part of the short run.
    """

    name: str
    act: Callable[[Scene], None]
    weight: int
    is_quick: bool = False


def kill_web_worker(scene: Scene) -> None:
    workers = children_of(scene.servers.kept["web"].pid)
    send_signal([scene.rng.choice(workers)] if workers else [], signal.SIGKILL)


def kill_web(scene: Scene) -> None:
    """The master alone: its workers must notice, and the next one must get their port."""
    send_signal([scene.servers.kept["web"].pid], signal.SIGKILL)


def stop_web(scene: Scene) -> None:
    scene.servers.kept["web"].process.terminate()


def kill_worker(scene: Scene) -> None:
    """All of one of two workers, whatever it is at."""
    scene.servers.kept[scene.rng.choice(WORKERS)].kill()


def stop_worker(scene: Scene) -> None:
    scene.servers.kept[scene.rng.choice(WORKERS)].process.terminate()


def kill_redis(scene: Scene) -> None:
    with scene.servers.away("redis"):
        time.sleep(OUTAGE)


def lose_redis(scene: Scene) -> None:
    """Killed, and its data gone: every message in it is lost."""
    with scene.servers.away("redis"):
        for file in scene.servers.base.glob("appendonly*"):
            file.unlink()
        time.sleep(OUTAGE)


def crash_postgres(scene: Scene) -> None:
    """One of its processes is killed; it ends all others and recovers."""
    backends = children_of(scene.servers.kept["postgres"].pid)
    send_signal([scene.rng.choice(backends)] if backends else [], signal.SIGKILL)


def kill_postgres(scene: Scene) -> None:
    with scene.servers.away("postgres"):
        time.sleep(OUTAGE)


KINDS = [
    Kind("web worker killed", kill_web_worker, 40, is_quick=True),
    Kind("web killed", kill_web, 12, is_quick=True),
    Kind("web stopped", stop_web, 8),
    Kind("worker killed", kill_worker, 16, is_quick=True),
    Kind("worker stopped", stop_worker, 6),
    Kind("Redis killed", kill_redis, 22, is_quick=True),
    Kind("Redis lost its data", lose_redis, 10),
    Kind("PostgreSQL process killed", crash_postgres, 16, is_quick=True),
    Kind("PostgreSQL killed", kill_postgres, 10),
]
