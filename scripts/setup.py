"""Prepare this folder: .venv from the hash-checked lock, front-end files, and a .env in demo mode.

Runs on the system's Python with the standard library alone. Each step is skipped when nothing has changed since.

    python3 scripts/setup.py [--dev]
"""

import hashlib
import os
import secrets
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def environment() -> None:
    """Make .venv unless a working one is there."""
    works = PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True).returncode == 0
    if not works:
        say("Creating the virtual environment in .venv")
        venv.create(VENV, with_pip=True, clear=VENV.exists())


def packages(lock: Path) -> None:
    """Install a lock file into .venv, once."""
    stamp = VENV / f".{lock.stem}"
    wanted = digest(lock)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Installing Python packages from {lock.name} (a few minutes the first time)")
    subprocess.run(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock],
        check=True,
    )
    stamp.write_text(wanted)


def environment_file() -> None:
    """A .env in demo mode with a fresh key; never touches one that exists."""
    target = ROOT / ".env"
    if target.exists():
        return
    say("Writing .env in demo mode with a fresh key")
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(f"DEMO=1\nSECRET_KEY={secrets.token_urlsafe(50)}\n")


def compile_loops() -> None:
    """Compile the engine's loops into its cache; a second or two when they are there."""
    subprocess.run([PYTHON, "-c", "from scoring import ranking; ranking.warm_up()"], cwd=ROOT, check=True)


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        print(f"SocialStrategy needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    environment()
    # The development lock holds everything of the other one, at the same versions.
    packages(ROOT / ("requirements-dev.txt" if "--dev" in arguments else "requirements.txt"))
    environment_file()
    compile_loops()
    return subprocess.call([PYTHON, ROOT / "scripts" / "frontend.py"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
