"""Settings come from the environment and refuse nonsense with a sentence."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

KEY = "k" * 40


def start(**environment) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    # Empty values keep a .env file of this folder from filling them in.
    values = {"DEMO": "0", "SECRET_KEY": KEY, "DJANGO_SETTINGS_MODULE": "socialstrategy.settings"} | environment
    code = "from django.conf import settings; print(settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE)"
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | values, cwd=settings.BASE_DIR, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "short"}, "32 characters or more"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0, not 'perhaps'"),
        ({"BASE_URL": "skills.example.org"}, "BASE_URL must be an address"),
        ({"DATABASE_URL": "mysql://x@y/z"}, "PostgreSQL or SQLite"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(environment, said):
    done = start(**environment)
    assert done.returncode != 0
    assert said in done.stderr


def test_https_switches_on_what_belongs_to_it():
    done = start(BASE_URL="https://skills.example.org", ALLOWED_HOSTS="other.example.org")
    assert done.returncode == 0, done.stderr
    assert "skills.example.org" in done.stdout
    assert "other.example.org" in done.stdout
    assert done.stdout.strip().endswith("True")


def test_the_embedded_broker_keeps_to_its_own_folder(tmp_path):
    """Sending a message and asking workers for news leaves nothing in the folder one started from."""
    started_in, var = tmp_path / "somewhere", tmp_path / "var"
    started_in.mkdir()
    code = (
        "import django; django.setup()\n"
        "from socialstrategy.celery import app\n"
        "app.send_task('socialstrategy.jobs.tasks.sweep'); app.control.ping(timeout=0.1)"
    )
    values = {"DEMO": "1", "SECRET_KEY": KEY, "DJANGO_SETTINGS_MODULE": "socialstrategy.settings", "VAR_DIR": str(var)}
    values |= {"PYTHONPATH": str(settings.BASE_DIR), "DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}
    values = {name: value for name, value in values.items() if value}
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | values, cwd=started_in, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not list(started_in.iterdir())
    assert list((var / "broker").rglob("*.msg"))
