"""Dockerfile, compose.yaml, .dockerignore and Procfile hold what a safe installation needs."""

import fnmatch
import re
from pathlib import Path

import pytest
from django.conf import settings

from socialstrategy import environment

ROOT = Path(settings.BASE_DIR)
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def mappings(lines: list[str], depth: int = 0) -> dict:
    """The mappings of a YAML file of this house's plain style; values stay as they are written."""
    found: dict = {}
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if indent == depth and (match := re.match(r"([\w<-]+):\s*(.*)", line.strip())):
            inner = []
            for later in lines[number + 1 :]:
                if len(later) - len(later.lstrip()) <= depth:
                    break
                inner.append(later)
            key, value = match.groups()
            is_block = inner and (not value or value.startswith("&"))
            found[key] = mappings(inner, depth + 2) if is_block else value
    return found


@pytest.fixture(scope="module")
def compose() -> dict:
    text = (ROOT / "compose.yaml").read_text()
    return mappings([line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")])


@pytest.fixture(scope="module")
def services(compose) -> dict:
    """Every service with what it takes over from the common part."""
    return {
        name: compose["x-app"] | service if service.get("<<") == "*app" else service
        for name, service in compose["services"].items()
    }


def test_every_service_comes_back_but_the_migration_runs_once(services):
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}
    again = {name: service["restart"] for name, service in services.items()}
    assert again.pop("migrate") == '"no"'
    assert set(again.values()) == {"unless-stopped"}


def test_every_service_that_stays_has_a_health_check_of_its_own(services):
    checks = {name: service["healthcheck"] for name, service in services.items() if name != "migrate"}
    assert "/healthz" in checks["web"]["test"]
    for name in ("worker", "beat"):
        assert f'"scripts/alive.py", "{name}"' in checks[name]["test"]
    assert "pg_isready" in checks["postgres"]
    assert "redis-cli ping" in checks["redis"]


def test_nobody_starts_before_database_redis_and_migrations(services):
    for name in ("web", "worker", "beat"):
        waits = services[name]["depends_on"]
        assert "service_completed_successfully" in waits["migrate"]
        assert "service_healthy" in waits["postgres"]
        assert "service_healthy" in waits["redis"]
    assert "service_healthy" in services["migrate"]["depends_on"]["postgres"]
    assert "migrate" in services["migrate"]["command"]


def test_web_worker_and_scheduler_share_one_folder(compose, services):
    assert "var" in compose["volumes"]
    for name in ("web", "worker", "beat", "migrate"):
        assert services[name]["volumes"] == '["var:/var/socialstrategy"]'
    assert "VAR_DIR=/var/socialstrategy" in DOCKERFILE


def test_every_variable_that_one_may_set_reaches_the_containers(compose):
    """What stands in .env and is handed to nobody would be ignored without a word."""
    made_here = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_QUEUE", "POSTGRES_PASSWORD", "DEBUG"}
    made_in_the_image = {"VAR_DIR", "STATIC_DIR", "NUMBA_CACHE_DIR", "HOST", "PORT"}
    assert set(compose["x-app"]["environment"]) >= environment.KNOWN - made_here - made_in_the_image


def test_only_the_web_server_is_reached_and_only_from_this_machine(services):
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "web": '["127.0.0.1:8000:8000"]'
    }


def test_nobody_is_root_and_nothing_but_the_folder_is_theirs():
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.M)
    assert users
    assert all(re.fullmatch(r"[1-9]\d+:[1-9]\d+", user) for user in users), "by number, so that others can check it"
    last = DOCKERFILE.rindex("FROM ")
    assert DOCKERFILE.index("USER ") > last
    owned = re.findall(r"chown\s+(?:-R\s+)?\S+\s+(\S+)", DOCKERFILE)
    assert owned == ["/var/socialstrategy"]
    assert not re.search(r"^\s*user:", (ROOT / "compose.yaml").read_text(), re.M)


def test_static_files_are_in_the_image_and_not_in_the_shared_folder():
    """A volume keeps what an earlier image put there, and would serve it after an upgrade."""
    places = re.findall(r"STATIC_DIR=(\S+)", DOCKERFILE)
    assert places
    assert set(places) == {"/app/collected"}


def is_ignored(path: str) -> bool:
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    parts = path.split("/")
    heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for pattern in patterns:
        if pattern.startswith("**/"):
            if any(fnmatch.fnmatch(part, pattern[3:]) for part in parts):
                return True
        elif any(fnmatch.fnmatch(head, pattern) for head in heads):
            return True
    return False


@pytest.mark.parametrize(
    "path",
    [
        *(".git/config", ".env", ".env.production", ".venv/bin/python", "var/db.sqlite3", "node_modules/htmx/x.js"),
        *("conftest.py", "e2e/conftest.py", "accounts/tests/test_access.py", "roles/tests/onet_fixture.csv"),
        *("scripts/chromium.py", "scripts/with_servers.py", "requirements-dev.txt", "benchmarks/site.py"),
        *("accounts/__pycache__/x.pyc", "test-results/trace.zip", "static/vendor/fonts.css"),
    ],
)
def test_secrets_history_and_tests_stay_out_of_the_image(path):
    assert is_ignored(path)


@pytest.mark.parametrize(
    "path",
    [
        *("manage.py", "requirements.txt", "requirements-node.txt", "package.json", "package-lock.json", ".npmrc"),
        *("socialstrategy/settings.py", "roles/data/catalogue.json", "templates/root.html", "static/css/tokens.css"),
        *("scripts/frontend.py", "scripts/alive.py", "scoring/loops.py", "accounts/migrations/0001_initial.py"),
    ],
)
def test_what_runs_is_in_the_image(path):
    assert (ROOT / path).exists()
    assert not is_ignored(path)


def test_a_procfile_migrates_before_anything_starts():
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert next(iter(lines)) == "release"
    assert "migrate" in lines["release"]
    assert set(lines) == {"release", "web", "worker", "beat"}
