"""Everything `make test` does after the setup: checks first, then both suites; the last line is pytest's own.

python scripts/test.py [pytest arguments]
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
DEPLOYED = {
    "DEMO": "0",
    "DEBUG": "0",
    "BASE_URL": "https://skills.example.org",
    "SECRET_KEY": secrets.token_urlsafe(50),
}


def step(title: str, command: list, **environment: str) -> None:
    print(f"\n== {title}", flush=True)
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **environment})
    if done.returncode:
        print(f"{title}: failed", flush=True)
        sys.exit(done.returncode)


def main(arguments: list[str]) -> int:
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    manage = [PYTHON, ROOT / "manage.py"]
    if not arguments:
        step("ruff check", [PYTHON, "-m", "ruff", "check", "."])
        step("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."])
        step("mypy --strict scoring", [PYTHON, "-m", "mypy", "--strict", "scoring"])
        apps = ["accounts", "roles", "assessments", "candidates", "teams", "socialstrategy"]
        step("mypy", [PYTHON, "-m", "mypy", *apps])
        step("check --deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], **DEPLOYED)
        step("makemigrations --check", [*manage, "makemigrations", "--check", "--dry-run", "--verbosity", "1"])
    chromium = subprocess.run([PYTHON, ROOT / "scripts" / "chromium.py"], stdout=subprocess.PIPE, text=True)
    if chromium.returncode:
        return chromium.returncode
    os.environ["CHROMIUM"] = chromium.stdout.strip()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    pytest = [PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    if not arguments:
        step(
            "tests on SQLite, without the browser and the real servers",
            [*pytest, "-n", "2", "-m", "not browser and not servers"],
        )
        arguments = ["-n", "2"]
    step(
        "tests on PostgreSQL, Redis, Celery and Chromium",
        [PYTHON, ROOT / "scripts" / "with_servers.py", *pytest, *arguments],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
