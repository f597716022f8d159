"""Files: a disk that is full, and snapshots of everybody's levels that are damaged."""

from __future__ import annotations

import csv
import io
import os
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from faults import work

if TYPE_CHECKING:
    from faults.kinds import Scene

SMALL = 32 * 1024
FULL_FOR = 3.0


def snapshots(scene: Scene) -> list[Path]:
    """Level snapshots, the newest first."""
    return sorted((scene.servers.var / "matrix").glob("[0-9]*.levels"), reverse=True)


def fill(scene: Scene) -> None:
    """No file of a worker or the web server may grow beyond a few pages, while a snapshot is due.

    A limit on the size of files stands for the full disk: the write itself fails, half way. The processes are those of
    before, and nobody else's files are touched.
    """
    pids = [pid for name in ("web", "worker 1", "worker 2") for pid in scene.servers.kept[name].family()]
    limited = []
    try:
        for pid in pids:
            try:
                soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL, hard))
                limited.append((pid, soft, hard))
            except ProcessLookupError:
                continue
        before = snapshots(scene)
        _age(before)
        work.renew_snapshot()
        time.sleep(FULL_FOR)
    finally:
        for pid, soft, hard in limited:
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
            except ProcessLookupError:
                continue
    _expect_another(scene, before)


def _age(files: list[Path]) -> None:
    """So old that the next look at them writes another."""
    for path in files:
        os.utime(path, (0, 0))


def _expect_another(scene: Scene, before: list[Path]) -> None:
    """Until there is a newer snapshot it has not gone well; the schedule's look every five minutes is played."""
    newest = before[0] if before else None
    looked_at = [0.0]

    def missing() -> list[str]:
        now = snapshots(scene)
        if now and now[0] != newest:
            return []
        if time.monotonic() - looked_at[0] > 3:
            looked_at[0] = time.monotonic()
            work.renew_snapshot()
        return ["a newer snapshot"]

    scene.pending.append(missing)


def damage(scene: Scene) -> None:
    """Some bytes are other ones, or the file is shorter or longer, under the feet of those who have it mapped."""
    found = snapshots(scene)
    if not found:
        _expect_another(scene, found)
        return
    path, rng = found[0], scene.rng
    size = path.stat().st_size
    what = rng.choice(["flip", "flip", "flip", "cut", "longer"])
    with path.open("r+b") as file:
        if what == "cut":
            file.truncate(rng.randrange(size))
        elif what == "longer":
            file.seek(size)
            file.write(rng.randbytes(rng.randint(1, 5000)))
        else:
            for _ in range(rng.randint(1, 20)):
                place = rng.randrange(size)
                file.seek(place)
                (byte,) = file.read(1)
                file.seek(place)
                file.write(bytes([byte ^ rng.randint(1, 255)]))
    scene.pending.append(lambda: wrong_ranking(scene))
    _expect_another(scene, found)


LEVELS: dict[str, tuple] = {}
"""How those stand of whom nothing changes, as the first ranking said."""


def wrong_ranking(scene: Scene) -> list[str]:
    """Whose place in the ranking rests on other levels than before the first damage."""
    page = scene.browser.get(f"/hiring/{scene.version}/ranking.csv")
    rows = list(csv.DictReader(io.StringIO(page.html.removeprefix("\ufeff"))))
    now = {
        row["Code"]: (row["Band"], row["All essentials"], row["Fit"])
        for row in rows
        if row["E-mail"].startswith("quiet")
    }
    if not LEVELS:
        LEVELS.update(now)
    return [] if now and now == LEVELS else ["the ranking of those of whom nothing changes"]
