"""Settings come from the environment and refuse nonsense with a sentence."""

import os
import re
import secrets
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from socialstrategy import environment as environment_module

KEY = secrets.token_urlsafe(50)


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
        ({"SECRET_KEY": "k" * 40}, "SECRET_KEY repeats itself"),
        ({"SECRET_KEY": "changeme" * 8}, "SECRET_KEY repeats itself"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0, not 'perhaps'"),
        ({"BASE_URL": "skills.example.org"}, "BASE_URL must be an address"),
        ({"BASE_URL": "https://skills.example.org:port"}, "BASE_URL must be an address"),
        ({"BASE_URL": "https://me@skills.example.org"}, "BASE_URL must be an address"),
        ({"BASE_URL": "https://skills example.org"}, "BASE_URL must be an address"),
        ({"BASE_URL": "https://skills.example.org/tool"}, "nothing may follow it"),
        ({"BASE_URL": "https://skills.example.org#"}, "nothing may follow it"),
        ({"BASE_URL": "https://skills.example.org?"}, "nothing may follow it"),
        ({"BASE_URL": "https://skills.example.org:"}, "nothing may follow it"),
        ({"BASE_URL": "https://.example.org"}, "is no host name"),
        ({"BASE_URL": "https://skills..example.org"}, "is no host name"),
        ({"BASE_URL": "https://fähigkeiten.example"}, "xn--"),
        ({"ALLOWED_HOSTS": "https://other.example.org"}, "ALLOWED_HOSTS holds host names"),
        ({"DATABASE_URL": "mysql://x@y/z"}, "PostgreSQL or SQLite"),
        ({"DATABASE_URL": "nonsense"}, "PostgreSQL or SQLite"),
        ({"DATABASE_URL": "postgresql://u:p@host"}, "DATABASE_URL must name a database"),
        ({"DATABASE_URL": "postgresql://u:pa/ss@host/name"}, "written as %40"),
        ({"REDIS_URL": "foo"}, "REDIS_URL must be an address such as redis://host:6379/0"),
        ({"REDIS_URL": "redis://"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "http://redis:6379/0"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "redis://host:many/0"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "redis://host:6379/first"}, "number of a database"),
        ({"REDIS_URL": "REDIS://host:6379/0"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "redis://host:6379/0?socket_timeout=5"}, "REDIS_URL takes no options behind a ?"),
        ({"REDIS_URL": "redis://host:6379?db=x"}, "REDIS_URL takes no options behind a ?"),
        ({"REDIS_URL": "rediss://host:6379/0?ssl_cert_reqs=perhaps"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "rediss://host:6379/0?ssl_nonsense=1"}, "REDIS_URL must be an address"),
        ({"REDIS_URL": "unix:///run/redis.sock?db=first"}, "REDIS_URL must be an address"),
        ({"CELERY_BROKER_URL": "redis://host:6379/first"}, "number of a database"),
        ({"CELERY_BROKER_URL": "redis://host:6379/0?x=y"}, "CELERY_BROKER_URL takes no options behind a ?"),
        ({"CELERY_BROKER_URL": "carrier pigeon"}, "CELERY_BROKER_URL must be an address"),
        ({"CELERY_QUEUE": "a queue"}, "CELERY_QUEUE is a name"),
        ({"EMAIL_URL": "nonsense"}, "EMAIL_URL must be an address such as smtp+tls://"),
        ({"EMAIL_URL": "pop3://host"}, "it may begin with smtp"),
        ({"EMAIL_URL": "smtp://"}, "must name the host"),
        ({"EMAIL_URL": "smtp://user:pa#ss@host:25"}, "written as %40"),
        ({"EMAIL_URL": "smtp://user:pass@host:587?tls=1"}, "smtp+tls:// and smtp+ssl:// send encrypted"),
        ({"EMAIL_URL": "smtp+tls://host?EMAIL_USE_SSL=1"}, "EMAIL_URL takes no options behind a ?"),
        ({"DEFAULT_FROM_EMAIL": "People team"}, "DEFAULT_FROM_EMAIL must be such as"),
        ({"DEFAULT_FROM_EMAIL": "a@example.org, b@example.org"}, "DEFAULT_FROM_EMAIL must be such as"),
        ({"DEFAULT_FROM_EMAIL": "<a@example.org> team"}, "DEFAULT_FROM_EMAIL must be such as"),
        ({"TRUST_PROXY": "-1"}, "TRUST_PROXY must be a whole number from 0 to 9, not '-1'"),
        ({"TRUST_PROXY": "10.0.0.1"}, "TRUST_PROXY must be a whole number"),
        ({"TIME_ZONE": "Europe/Berlim"}, "Did you mean Europe/Berlin?"),
        ({"TIME_ZONE": "CEST"}, "TIME_ZONE must be a name such as Europe/Berlin"),
        ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535"),
        ({"WEB_CONCURRENCY": "abc"}, "WEB_CONCURRENCY must be a whole number from 1 to 256"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number from 1 to 256"),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535"),
        ({"START_WAIT": "long"}, "START_WAIT must be a whole number"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of DEBUG, INFO"),
        ({"VAR_DIR": "/proc/nowhere"}, "VAR_DIR: the folder /proc/nowhere cannot be made"),
        ({"VAR_DIR": "manage.py"}, "cannot be made"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(environment, said):
    done = start(**environment)
    assert done.returncode != 0
    assert said in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL"])
@pytest.mark.parametrize("scheme", ["postgresql", "redis", "smtp+tls", "gopher"])
def test_a_refusal_never_tells_a_password(name, scheme):
    """Whatever is wrong with the address: it may stand in a log for years."""
    done = start(**{name: f"{scheme}://user:opensesame@host:one/two/three"})
    assert done.returncode != 0
    assert f"{name} must" in done.stderr
    assert "opensesame" not in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "environment",
    [
        {"TRUST_PROXY": "2", "LOG_LEVEL": "info", "TIME_ZONE": "America/Argentina/Buenos_Aires", "PORT": "8080"},
        {"DATABASE_URL": "postgresql://u:p%23%40@one:5432,two:5433/name", "REDIS_URL": "rediss://:secret@host:6380/1"},
        {"DATABASE_URL": "postgresql:///name?host=/var/run/postgresql", "REDIS_URL": "unix:///run/redis.sock"},
        {"EMAIL_URL": "smtp+tls://people%40example.org:p%40ss@mail.example.org:587"},
        {"REDIS_URL": "rediss://:secret@host:6380/1?ssl_cert_reqs=none", "BASE_URL": "https://Skills.example.org:8443"},
        {"REDIS_URL": "unix:///run/redis.sock?db=2", "DEFAULT_FROM_EMAIL": '"Müller, Anne" <anne@example.org>'},
        {"DEFAULT_FROM_EMAIL": "Müller & Co <people@example.org>", "BASE_URL": "http://[::1]:8000/"},
        {"DATABASE_URL": "", "REDIS_URL": "", "EMAIL_URL": "", "TRUST_PROXY": "", "LOG_LEVEL": "", "TIME_ZONE": ""},
    ],
)
def test_what_makes_sense_is_taken(environment):
    assert start(**environment).returncode == 0


def test_a_misspelt_name_in_the_env_file_is_refused(tmp_path):
    """That file is read by nobody else."""
    file = tmp_path / ".env"
    file.write_text("# For compose\nCOMPOSE_PROJECT_NAME=skills\nPOSTGRES_PASSWORD=x\n export DATABSE_URL = x\n")
    with pytest.raises(ImproperlyConfigured, match="DATABSE_URL is set, which nothing reads; DATABASE_URL may be"):
        environment_module.read_file(file)
    file.write_text("COMPOSE_PROJECT_NAME=skills\nPOSTGRES_PASSWORD=x\nDATABASE_URL=x\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", {})
        environment_module.read_file(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_mark_in_front_of_the_env_file_hides_no_variable(tmp_path, monkeypatch, encoding):
    file = tmp_path / ".env"
    file.write_text("DEMO=1\nDEFAULT_FROM_EMAIL=Jürgen <j@example.org>\n", encoding=encoding)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(environment_module.environ.Env, "ENVIRON", os.environ)
    environment_module.read_file(file)
    assert os.environ == {"DEMO": "1", "DEFAULT_FROM_EMAIL": "Jürgen <j@example.org>"}


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_an_env_file_in_another_encoding_is_refused(tmp_path, encoding):
    file = tmp_path / ".env"
    file.write_text("DEMO=1\nDEFAULT_FROM_EMAIL=Jürgen <j@example.org>\n", encoding=encoding)
    with pytest.raises(ImproperlyConfigured, match="not UTF-8 text"):
        environment_module.read_file(file)


@pytest.mark.parametrize(
    "value", ["sqlite://", "sqlite://db.sqlite3", "sqlite:///", "sqlite:db.sqlite3", "sqlite://:memory:"]
)
def test_a_database_without_a_file_is_refused(monkeypatch, tmp_path, value):
    """SQLite would keep it in memory: one for each process, gone with it."""
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(ImproperlyConfigured, match="must name the file of SQLite"):
        environment_module.database("DATABASE_URL", tmp_path / "db.sqlite3")


def test_every_variable_that_is_read_is_known_and_told_about():
    """Otherwise its right name would be taken for a misspelt one."""
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (settings.BASE_DIR / "socialstrategy/settings.py").read_text()))
    assert {"SECRET_KEY", *read} <= environment_module.KNOWN
    told = (settings.BASE_DIR / "README.md").read_text()
    assert not {name for name in read - {"DEBUG", "CELERY_BROKER_URL"} if f"`{name}`" not in told}


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    """As root every folder can be written to, so that the system's answer stands in for another user's."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ImproperlyConfigured, match="cannot be written to by the user"):
        environment_module.folder("VAR_DIR", tmp_path, tmp_path)


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


def test_local_names_of_hosts_are_answered_in_demo_mode_only():
    address = {"BASE_URL": "https://skills.example.org"}
    assert start(**address).stdout == "['skills.example.org'] True\n"
    assert "'localhost', '127.0.0.1', '[::1]'" in start(**address, DEMO="1").stdout
    assert start(BASE_URL="http://[2001:db8::1]:8000").stdout == "['[2001:db8::1]'] False\n"
