"""One fault after the other, and what becomes of each."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from django.db import connections

from faults import disks, work
from faults.browser import NoAnswerError, RefusedError
from faults.clients import Overseer
from faults.kinds import REQUESTS, WORK, Kind, Scene
from faults.ledger import asked_again
from faults.report import LONGEST, Line


class Game:
    """Plays faults until ``until``; ``lines`` says what became of each."""

    def __init__(self, scene: Scene, seed: int, until: float, say: Callable[[str], None]):
        self.scene, self.seed, self.until, self.say = scene, seed, until, say
        self.lines: list[Line] = []
        self.known: set[str] = set()
        self.lock = threading.Lock()

    def prepare(self) -> None:
        """Wait until everybody works, there is a snapshot, and what does not change is known."""
        looker = Overseer(self.scene.servers.url, self.scene.ledger, 0, threading.Event(), version=self.scene.version)
        looker.sign_in()
        self.scene.browser = looker.browser
        begun = replace(self.scene, pending=[lambda: disks.wrong_ranking(self.scene)])
        work.renew_snapshot()
        left = self._wait(begun, "", time.time(), [], Line("beginning"))
        if left:
            raise SystemExit(f"Before anything was broken it did not go: {left}; {self.scene.ledger.refused[:5]}")

    def play(self, plan: list[Kind]) -> None:
        """What touches pages alone is done while one waits for what takes its time behind them."""
        pages = deque(kind for kind in plan if kind.where == "pages")
        others = [kind for kind in plan if kind.where != "pages"]
        for n, kind in enumerate(others):
            if kind.where == "behind":
                waiting = threading.Thread(target=self._behind, args=(kind,))
                waiting.start()
                while pages and waiting.is_alive() and not self._is_late():
                    self.one(pages.popleft())
                waiting.join()
            elif not self._is_late():
                self.one(kind)
            # The rest of them evenly in between.
            ahead = sum(one.where == "behind" for one in others[n + 1 :])
            if pages and not ahead and not self._is_late():
                self.one(pages.popleft())
        while pages and not self._is_late():
            self.one(pages.popleft())
        line = Line("levels in the end", lost=set(asked_again(work.wrong_estimates)))
        if line.lost:
            self.lines.append(line)

    def _is_late(self) -> bool:
        return time.monotonic() > self.until - LONGEST

    def _behind(self, kind: Kind) -> None:
        try:
            if not self._is_late():
                self.one(kind)
        except Exception as error:
            # A thread's end is nobody's error; here it is.
            self.lines.append(Line(kind.name, lost={f"the harness itself: {error!r}"}))
        finally:
            connections.close_all()

    def one(self, kind: Kind) -> None:
        """Do it, wait until all goes again, and compare the ledger with the database."""
        with self.lock:
            number = len(self.lines) + 1
            line = Line(kind.name)
            self.lines.append(line)
        scene = replace(self.scene, pending=[], rng=random.Random(f"{self.seed} {number} {kind.name}"))
        size = scene.ledger.size
        held = kind.act(scene) or []
        left = self._wait(scene, kind.where, time.time(), held, line)
        found = asked_again(scene.ledger.compare)
        with self.lock:
            line.lost, line.doubled = found.lost - self.known, found.doubled - self.known
            self.known |= found.lost | found.doubled
            line.acknowledged = scene.ledger.size - size
        self.say(f"{number:>4} {line.told()}{'; still waiting for ' + ', '.join(left[:5]) if left else ''}")

    def _wait(self, scene: Scene, where: str, ended: float, held: list, line: Line) -> list[str]:
        """Until every kind of request has gone through, and what was begun before has been worked off."""
        left: list[str] = []
        while (waited := time.time() - ended) < 2 * LONGEST:
            if held and line.back is None and not asked_again(lambda: work.not_yet_back(held)):
                line.back = waited
            left = self._left(scene, where, ended)
            if not left and (line.back is not None or not held):
                break
            line.lastly = left[0] if left else "a lost job that nobody has in hand"
            time.sleep(0.1)
        line.seconds = time.time() - ended
        return left

    @staticmethod
    def _left(scene: Scene, where: str, ended: float) -> list[str]:
        ledger = scene.ledger
        kinds = REQUESTS if where == "pages" else (*REQUESTS, *WORK)
        left = [f"a {kind}" for kind in kinds if ledger.went[kind] < ended]
        if where != "pages":
            since = datetime.fromtimestamp(ended, UTC)
            left = left or ledger.without_mail(ended) or asked_again(lambda: ledger.jobs_left(since))
        try:
            return left or [one for question in scene.pending for one in question()]
        except (NoAnswerError, RefusedError) as error:
            return [str(error)]
