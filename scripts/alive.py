"""Whether the worker or the scheduler of this machine has given a sign of life lately; for a container's health check.

python scripts/alive.py worker|beat

Standard library only, since it runs every half minute. Exit status 0 when it has, 1 with a sentence when not.
"""

import os
import socket
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LATELY_SECONDS = 60


def main(arguments: list[str]) -> int:
    if arguments not in (["worker"], ["beat"]):
        print(__doc__, file=sys.stderr)
        return 2
    sign = ROOT / os.environ.get("VAR_DIR", "var") / "signs" / f"{arguments[0]}-{socket.gethostname()}"
    try:
        age = time.time() - sign.stat().st_mtime
    except OSError:
        print(f"The {arguments[0]} has not given a sign of life yet.")
        return 1
    print(f"The last sign of life of the {arguments[0]} is {age:.0f} s old.")
    return int(age > LATELY_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
