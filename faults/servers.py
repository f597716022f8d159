"""The servers that are broken: PostgreSQL, Redis, gunicorn, two Celery workers and a scheduler, each a process group
that is started again when it ends, as a service manager would do."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scripts.with_servers import Server, addresses, make_postgres, make_redis

ROOT = Path(__file__).resolve().parent.parent
START_AGAIN_AFTER = 1.0
"""Seconds, as service managers wait."""


def children_of(pid: int) -> list[int]:
    """All descendants of a process, the eldest first."""
    try:
        direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*direct, *(below for one in direct for below in children_of(one))]


def send_signal(pids: list[int], kind: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, kind)


@dataclass
class Kept:
    """A process that is kept running."""

    name: str
    server: Server
    process: subprocess.Popen | None = None
    is_held: bool = False
    ended_at: float = 0.0
    starts: int = 0

    def start(self) -> None:
        with self.server.log.open("a") as out:
            command = [str(part) for part in self.server.command]
            options = {"cwd": ROOT, "start_new_session": True, **self.server.options}
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options)
        self.starts += 1

    @property
    def pid(self) -> int:
        if self.process is None:
            raise LookupError(f"{self.name} has not been started.")
        return self.process.pid

    def family(self) -> list[int]:
        return [self.pid, *children_of(self.pid)]

    def kill(self) -> None:
        """All of it at once, as when the machine's power fails; whatever was written to files is there afterwards."""
        send_signal(self.family(), signal.SIGKILL)
        if self.process:
            self.process.wait(20)

    def end(self) -> None:
        """Politely, then for certain."""
        if self.process is None or self.process.poll() is not None:
            return
        family = self.family()
        send_signal(family, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            family = self.family()
        send_signal(family, signal.SIGKILL)
        self.process.wait(20)


@dataclass
class Servers:
    """Everything that runs, in ``base``; ``port`` is gunicorn's, ``smtp`` that of the mail server."""

    base: Path
    smtp: int
    port: int = field(default_factory=lambda: free_port())
    key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    kept: dict[str, Kept] = field(default_factory=dict)
    more: list[Kept] = field(default_factory=list)
    watcher: threading.Thread | None = None
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def var(self) -> Path:
        return self.base / "var"

    def environment(self) -> dict[str, str]:
        """Settings of an installation without the demo."""
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "NUMBA_CACHE_DIR"}}
        return {
            **kept,
            **addresses(self.base),
            "DEMO": "0",
            "DEBUG": "0",
            "SECRET_KEY": self.key,
            "BASE_URL": self.url,
            "VAR_DIR": str(self.var),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.smtp}",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "socialstrategy.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def start_databases(self) -> None:
        postgres, redis = make_postgres(self.base), make_redis(self.base)
        # What was committed is in files before anybody hears of it. Files outlive a killed process without fsync; only
        # a crash of the whole machine would need it, and none is played here.
        postgres.command.extend(["-c", "synchronous_commit=on"])
        redis.command.extend(["--appendonly", "yes", "--appendfsync", "always"])
        for name, server in {"postgres": postgres, "redis": redis}.items():
            self.kept[name] = Kept(name, server)
            self.kept[name].start()
            self.wait_for(server.is_up, name)

    def start_application(self) -> None:
        celery = [sys.executable, "-m", "celery", "--app", "socialstrategy", "--quiet"]
        web = [sys.executable, "-m", "gunicorn", "socialstrategy.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        commands = {
            "web": [*web, "--workers", "2", "--threads", "4", "--preload", "--log-level", "warning"],
            "worker 1": [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING", "--hostname", "one@faults"],
            "worker 2": [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING", "--hostname", "two@faults"],
            "beat": [*celery, "beat", "--loglevel", "WARNING"],
        }
        options = {"env": self.environment()}
        for name, command in commands.items():
            log = self.base / f"{name.replace(' ', '-')}.log"
            self.kept[name] = Kept(name, Server(command, lambda: True, log, options))
            self.kept[name].start()
        self.wait_for(self.is_web_up, "web")
        self.watcher = threading.Thread(target=self._watch, name="service manager", daemon=True)
        self.watcher.start()

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, ROOT / "manage.py", *arguments]
        subprocess.run(command, check=True, cwd=ROOT, env=self.environment(), stdout=subprocess.DEVNULL)

    def is_web_up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_for(self, ready: Callable[[], bool], name: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise SystemExit(f"{name} did not start:\n{self.said(name)}")
            time.sleep(0.05)

    def said(self, name: str) -> str:
        """The end of what a server has written."""
        return self.kept[name].server.log.read_text(errors="replace")[-3000:]

    def _watch(self) -> None:
        while not self.is_over.wait(0.1):
            for one in self.kept.values():
                if one.is_held or one.process is None or one.process.poll() is None:
                    one.ended_at = 0.0
                elif not one.ended_at:
                    one.ended_at = time.monotonic()
                elif time.monotonic() - one.ended_at >= START_AGAIN_AFTER:
                    one.start()
                    one.ended_at = 0.0

    @contextlib.contextmanager
    def away(self, name: str):
        """Within it a server is dead and stays so; afterwards it has been started again."""
        one = self.kept[name]
        one.is_held = True
        try:
            one.kill()
            yield
        finally:
            one.start()
            one.is_held = False
        self.wait_for(one.server.is_up, name)

    @contextlib.contextmanager
    def one_more(self, name: str, *options: str):
        """Within it a second one of the same runs beside the first."""
        first = self.kept[name].server
        second = Kept(f"second {name}", Server([*first.command, *options], first.is_up, first.log, first.options))
        self.more.append(second)
        second.start()
        try:
            yield
        finally:
            second.end()

    def end(self) -> None:
        """End every process, those that need the others first."""
        self.is_over.set()
        if self.watcher:
            self.watcher.join(5)
        for one in [*self.more, *reversed(self.kept.values())]:
            one.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
