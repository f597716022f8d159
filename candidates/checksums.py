"""That a file is as it was written: sums of its blocks at its end, compared once on each machine.

Reading a large file through takes a second; mapping it takes none. So whoever has compared the sums notes beside the
file which state of it they hold for (what the file system says of it: any write moves the time of its last change,
which no program can set), and the others on this machine look at that alone, until it has been started anew.
"""

import contextlib
import json
import os
import platform
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

BLOCK = 1 << 24
TICK = 0.02
"""Seconds: a file system's clock moves on at least so often. What is written within a tick has the same time."""


class Summed:
    """A file that is written from its beginning to its end, with the sums of its blocks after that."""

    def __init__(self, file):
        self.file = file
        self.length = 0
        self.sums = [0]

    def write(self, data) -> None:
        """Anything with contiguous bytes."""
        left = memoryview(data)
        left = left.cast("B") if left.nbytes else left
        self.file.write(left)
        while left.nbytes:
            room = BLOCK - self.length % BLOCK
            piece, left = left[:room], left[room:]
            self.sums[-1] = zlib.crc32(piece, self.sums[-1])
            self.length += len(piece)
            if len(piece) == room:
                self.sums.append(0)

    def pad(self, length: int) -> None:
        """Zeros up to ``length``."""
        self.write(bytes(length - self.length))

    def finish(self) -> None:
        sums = struct.pack(f"<{len(self.sums)}I", *self.sums)
        self.file.write(sums + struct.pack("<I", zlib.crc32(sums)))


def with_sums(length: int) -> int:
    """How long a file of so many bytes is with its sums."""
    return length + 4 * (length // BLOCK + 1) + 4


def is_whole(data, length: int) -> bool:
    """Whether the first ``length`` bytes are those that the sums behind them were made of."""
    with memoryview(data) as view:
        count = length // BLOCK + 1
        sums, (own,) = bytes(view[length : length + 4 * count]), struct.unpack("<I", view[length + 4 * count :])
        if zlib.crc32(sums) != own:
            return False
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:

            def sum_of(n: int) -> int:
                with view[n * BLOCK : min(length, (n + 1) * BLOCK)] as block:
                    return zlib.crc32(block)

            return list(pool.map(sum_of, range(count))) == list(struct.unpack(f"<{count}I", sums))


def state(file: Path | int) -> list[int]:
    """What tells one content of a file from every later one."""
    found = os.fstat(file) if isinstance(file, int) else file.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def let_settle(known: list[int]) -> None:
    """Wait until a later write would have a later time."""
    if 0 <= time.time_ns() - known[3] < TICK * 1e9:
        time.sleep(TICK)


def is_noted(path: Path, known: list[int]) -> bool:
    """Whether somebody on this machine has found this state of the file to be whole."""
    try:
        return json.loads(_note(path).read_text()) == known
    except (OSError, ValueError):
        return False


def note(path: Path, known: list[int]) -> None:
    """Tell the others on this machine. Where it cannot be written, each compares for themselves."""
    with contextlib.suppress(OSError):
        _note(path).write_text(json.dumps(known))


def notes(path: Path) -> list[Path]:
    """Notes of all machines."""
    return list(path.parent.glob(f"{path.name}.*.whole"))


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.{_machine()}.whole")


@lru_cache(1)
def _machine() -> str:
    """This machine since its last start: what it read before came from memory, and may come from a bad disk now."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return platform.node() or "here"
