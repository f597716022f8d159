"""Where numba keeps the compiled loops of the engine."""

import hashlib
import os
import shutil
import time
from importlib.metadata import version
from pathlib import Path

from socialstrategy import environment as env

KEPT_SECONDS = 30 * 24 * 3600


def choose_cache(code: Path, var: Path) -> None:
    """Set NUMBA_CACHE_DIR where the code's own folder cannot be written to; called before numba is imported.

    numba keeps compiled loops beside their source, and gives up where neither that folder nor a home can be written
    to, as in a container. The folder's name follows what the loops say and numba's version: numba itself tells two
    versions of a file by date and length, which an upgrade may leave alike.
    """
    beside = code / "__pycache__"
    if env.text("NUMBA_CACHE_DIR"):
        env.writable("NUMBA_CACHE_DIR", Path(env.text("NUMBA_CACHE_DIR")))
        return
    if os.access(beside if beside.exists() else code, os.W_OK):
        return
    said = hashlib.sha256(version("numba").encode())
    for file in sorted(code.glob("*.py")):
        said.update(file.name.encode() + b"\0" + file.read_bytes())
    cache = var / "numba" / said.hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    os.environ["NUMBA_CACHE_DIR"] = str(cache)
    _drop_old(cache)


def _drop_old(current: Path) -> None:
    """What no process has started with for a month goes."""
    for other in current.parent.iterdir():
        if other != current and other.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
