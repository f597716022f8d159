"""Start SocialStrategy: migrations, catalogue, demo organisation, gunicorn and one Celery worker with its scheduler.

Ctrl-C (SIGINT or SIGTERM) ends every process that it started.
"""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / (os.environ.get("VAR_DIR") or "var")
STATIC = ROOT / (os.environ.get("STATIC_DIR") or VAR / "static")
PYTHON = sys.executable
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8000"


def say(text: str) -> None:
    print(text, flush=True)


def manage(*arguments: str) -> None:
    subprocess.run([PYTHON, ROOT / "manage.py", *arguments], check=True, cwd=ROOT)


def wrong_place() -> str:
    """Why HOST and PORT cannot be served at, as a sentence; nothing when they can."""
    if not (PORT.isascii() and PORT.isdigit() and 0 < int(PORT) < 65_536):
        return f"PORT must be a whole number from 1 to 65535, not {PORT!r}."
    try:
        socket.getaddrinfo(HOST, int(PORT))
    except OSError:
        return f"HOST must be an address of this machine, not {HOST!r}."
    if not port_is_free():
        return f"Port {PORT} on {HOST} is taken. Choose another one: make run PORT=8001"
    return ""


def port_is_free() -> bool:
    with socket.socket(socket.AF_INET6 if ":" in HOST else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(PORT)))
        except OSError:
            return False
    return True


def collect_static() -> None:
    """Collect static files when one of them has changed."""
    files = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    state = hashlib.sha256(
        "".join(f"{path}{path.stat().st_mtime_ns}" for path in files).encode()
        + (ROOT / "requirements.txt").read_bytes()
    ).hexdigest()
    stamp = STATIC / "state"
    if not (stamp.exists() and stamp.read_text() == state):
        say("· Collecting static files")
        manage("collectstatic", "--noinput", "--clear", "--verbosity", "0")
        stamp.write_text(state)


def prepare() -> None:
    say("· Bringing the database up to date")
    manage("migrate", "--verbosity", "0")
    collect_static()
    manage("seed_demo", "--if-empty")


def processes() -> dict[str, subprocess.Popen]:
    workers = os.environ.get("WEB_CONCURRENCY", "2")
    bind = f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"
    web = ["gunicorn", "socialstrategy.wsgi", "--bind", bind, "--workers", workers, "--threads", "4", "--timeout", "60"]
    web += ["--log-level", "warning", "--preload"]
    worker = [
        "celery",
        "--app",
        "socialstrategy",
        "--quiet",
        "worker",
        "--beat",
        "--concurrency",
        "1",
        "--loglevel",
        "WARNING",
    ]
    return {
        name: subprocess.Popen([PYTHON, "-m", *command], cwd=ROOT, start_new_session=True)
        for name, command in {"web server": web, "worker": worker}.items()
    }


def is_up() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(HOST, HOST)
    address = f"http://[{host}]:{PORT}" if ":" in host else f"http://{host}:{PORT}"
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def stop(running: dict[str, subprocess.Popen]) -> None:
    """End every process group: politely, then for certain."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for process in running.values():
            try:
                os.killpg(process.pid, kind)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline and any(process.poll() is None for process in running.values()):
            time.sleep(0.05)


def main() -> int:
    os.environ.setdefault("BASE_URL", f"http://{'127.0.0.1' if HOST in ('0.0.0.0', '::') else HOST}:{PORT}")
    if HOST in {"0.0.0.0", "::"}:
        # Whoever opens it to the network reaches it by names that are not known here.
        os.environ.setdefault("ALLOWED_HOSTS", "*")
    if wrong := wrong_place():
        say(wrong)
        return 1
    # Inherited as ignored in a background job: ask for both anew.
    asked: list[int] = []
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda number, frame: asked.append(number))
    try:
        prepare()
    except subprocess.CalledProcessError as error:
        # What was wrong has been said by the command itself.
        return error.returncode
    if asked:
        return 0
    running = processes()
    try:
        announced = False
        while not asked:
            ended = next((name for name, process in running.items() if process.poll() is not None), None)
            if ended:
                say(f"The {ended} has stopped by itself; ending the rest.")
                return 1
            if not announced and is_up():
                announced = True
                say(f"\nSocialStrategy is running at {os.environ['BASE_URL']}")
                say("Sign in with one click as HR manager, assessor, executive or employee. Ctrl-C stops everything.\n")
            time.sleep(0.2)
        return 0
    finally:
        stop(running)
        say("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
