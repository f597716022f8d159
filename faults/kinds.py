"""The faults: what is done to the servers, and what must go on afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from faults import disks, work
from faults.browser import Browser
from faults.ledger import Ledger
from faults.mailbox import Mailbox
from faults.servers import Servers, children_of, send_signal

REQUESTS = ("page", "person", "answer", "ranking")
WORK = ("import",)
OUTAGE = 1.5
"""Seconds that a server is away before it is started again."""
MAIL_OUTAGE = 6.0
WORKERS = ("worker 1", "worker 2")


@dataclass
class Scene:
    """Everything that a fault may need. ``pending``: questions that must have an empty answer before all goes again."""

    servers: Servers
    ledger: Ledger
    mailbox: Mailbox
    rng: random.Random
    version: int = 0
    pending: list[Callable[[], list[str]]] = field(default_factory=list)
    browser: Browser | None = None

    def workers(self) -> list[int]:
        """The processes that do jobs."""
        return [pid for name in WORKERS for pid in children_of(self.servers.kept[name].pid)]


@dataclass(frozen=True)
class Kind:
    """``act`` does it and returns when the servers are as before, or are being started again; it may give the jobs
    that it took from their worker.

    ``weight``: its share among all; ``is_quick``: part of the short run. ``where``: what touches pages alone ("pages")
    is done while one waits for what takes its time behind them ("behind"); the rest has the servers to itself.
    """

    name: str
    act: Callable[[Scene], list | None]
    weight: int
    is_quick: bool = False
    where: str = ""


def kill_web_worker(scene: Scene) -> None:
    workers = children_of(scene.servers.kept["web"].pid)
    send_signal([scene.rng.choice(workers)] if workers else [], signal.SIGKILL)


def kill_web(scene: Scene) -> None:
    """The master alone: its workers must notice, and the next one must get their port."""
    send_signal([scene.servers.kept["web"].pid], signal.SIGKILL)


def stop_web(scene: Scene) -> None:
    send_signal([scene.servers.kept["web"].pid], signal.SIGTERM)


def kill_worker(scene: Scene) -> None:
    """All of one of two workers, whatever it is at."""
    scene.servers.kept[scene.rng.choice(WORKERS)].kill()


def stop_worker(scene: Scene) -> None:
    send_signal([scene.servers.kept[scene.rng.choice(WORKERS)].pid], signal.SIGTERM)


def kill_in_job(scene: Scene) -> list:
    return work.kill_while(scene, ("people.write", "people.read"))


def kill_in_part(scene: Scene) -> list:
    work.begin_parts()
    return work.kill_while(scene, ("estimates.refresh.part",))


def kill_in_mail(scene: Scene) -> None:
    """The mail server has the mail, and its yes never arrives."""
    scene.mailbox.on_taken = lambda: send_signal(scene.workers(), signal.SIGKILL)
    deadline = time.monotonic() + 40
    while scene.mailbox.on_taken and time.monotonic() < deadline:
        time.sleep(0.05)
    scene.mailbox.on_taken = None


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


def mail_server(mode: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        with scene.mailbox.behaving(mode):
            time.sleep(MAIL_OUTAGE)

    return act


def second_scheduler(scene: Scene) -> None:
    """Two at once, and each of their tasks sent twice, with reminders due."""
    work.make_reminders_due(scene)
    with scene.servers.one_more("beat", "--schedule", str(scene.servers.base / "second")):
        for _ in range(2):
            work.send_all_scheduled()
        time.sleep(3)


KINDS = [
    Kind("web worker killed", kill_web_worker, 46, is_quick=True, where="pages"),
    Kind("web killed", kill_web, 12, is_quick=True, where="pages"),
    Kind("web stopped", stop_web, 8, where="pages"),
    Kind("worker killed", kill_worker, 14, is_quick=True),
    Kind("worker stopped", stop_worker, 6),
    Kind("worker killed in a job", kill_in_job, 6, where="behind"),
    Kind("worker killed in a part", kill_in_part, 8, where="behind"),
    Kind("worker killed after sending", kill_in_mail, 3, where="behind"),
    Kind("Redis killed", kill_redis, 24, is_quick=True),
    Kind("Redis lost its data", lose_redis, 10),
    Kind("PostgreSQL process killed", crash_postgres, 16, is_quick=True),
    Kind("PostgreSQL killed", kill_postgres, 8),
    Kind("mail server away", mail_server("away"), 2, where="behind"),
    Kind("mail server greylists", mail_server("greylist"), 2, where="behind"),
    Kind("mail server hangs up", mail_server("drop"), 2, where="behind"),
    Kind("disk full", disks.fill, 5),
    Kind("snapshot damaged", disks.damage, 20, is_quick=True, where="pages"),
    Kind("second scheduler", second_scheduler, 6, is_quick=True),
]
