"""Nobody serves before the database is ready, and what is only for trying out is said."""

import pytest
from django.db import OperationalError
from django.test import Client

from socialstrategy.operations import readiness, signs, starting
from socialstrategy.operations.models import Sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only by waiting; gives what was waited."""
    waited = []
    monkeypatch.setattr(starting.time, "monotonic", lambda: sum(waited))
    monkeypatch.setattr(starting.time, "sleep", waited.append)
    return waited


@pytest.fixture(autouse=True)
def _connection_of_the_test_stays(monkeypatch):
    from django.db import connections

    monkeypatch.setattr(connections, "close_all", lambda: None)


def test_a_database_that_is_ready_is_not_waited_for(clock):
    starting.await_database()
    assert clock == []


def test_it_goes_on_as_soon_as_the_last_migration_is_through(clock, caplog, monkeypatch):
    left = [["a.0001", "b.0001"], ["b.0001"], []]
    monkeypatch.setattr(starting, "outstanding", lambda: left[len(clock)])
    starting.await_database()
    assert clock == [starting.LOOK_EVERY] * 2
    assert "2 migrations are outstanding: run `manage.py migrate`. Waiting for up to 120 s." in caplog.text
    assert "The migration b.0001 is outstanding" in caplog.text


def test_it_gives_up_with_a_sentence(clock, caplog, monkeypatch, settings):
    settings.START_WAIT = 10
    monkeypatch.setattr(starting, "outstanding", lambda: ["a.0001"])
    with pytest.raises(SystemExit) as ended:
        starting.await_database()
    assert ended.value.code == 1
    assert sum(clock) == 10
    assert "Not starting: this was waited for 10 s (START_WAIT)." in caplog.text


def test_a_database_that_is_away_is_waited_for_too(clock, caplog, monkeypatch):
    def outstanding():
        if not clock:
            raise OperationalError("connection refused\nIs the server running?")
        return []

    monkeypatch.setattr(starting, "outstanding", outstanding)
    starting.await_database()
    assert "The database cannot be reached (connection refused). Waiting" in caplog.text
    assert "The database is ready; going on." in caplog.text


def test_outstanding_migrations_are_seen():
    from django.db.migrations.recorder import MigrationRecorder

    assert starting.outstanding() == []
    MigrationRecorder.Migration.objects.filter(app="operations").delete()
    assert starting.outstanding() == ["operations.0001_signs"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"DEMO": False}, "SQLite is meant for trying out"),
        ({"DEMO": False, "CELERY_BROKER_URL": "filesystem://localhost"}, "a folder hands jobs on"),
        (
            {"DEMO": False, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"},
            "invitations will not arrive",
        ),
        ({"DEMO": True, "IS_SECURE": True}, "anybody who opens this site can sign in as HR manager"),
        ({"TYPOS": ["BASEURL is set, which nothing reads; BASE_URL may be meant."]}, "BASE_URL may be meant"),
    ],
)
def test_what_somebody_should_know_is_in_the_log_at_every_start_and_on_readyz(
    settings, monkeypatch, caplog, clock, values, said
):
    # Put back afterwards: whatever connects later would take it for its own.
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    for name, value in values.items():
        setattr(settings, name, value)
    starting.await_database()
    assert said in caplog.text
    assert said in " ".join(readiness.report()["notes"])


def test_a_real_installation_has_nothing_to_be_told(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    settings.DEMO, settings.CELERY_BROKER_URL, settings.TYPOS = False, "redis://redis:6379/0", []
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert starting.notes() == []


@pytest.fixture
def everything(settings):
    """Worker and scheduler give signs; the folder broker and the cache of the tests are there."""
    for of in Sign.Of.values:
        signs.give(of)


def report(client) -> tuple[int, dict]:
    readiness.forget()
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_everything_is_ready(client, everything):
    status, told = report(client)
    assert status == 200
    assert told["ready"] is True
    assert set(told["parts"]) == {"database", "migrations", "disk", "broker", "cache", "worker", "beat", "append_only"}
    assert all(part["ok"] for part in told["parts"].values())


@pytest.mark.parametrize("of", Sign.Of.values)
def test_a_silent_worker_or_scheduler_is_told(client, everything, of):
    from datetime import timedelta

    from django.utils import timezone

    Sign.objects.filter(of=of).update(at=timezone.now() - timedelta(seconds=readiness.SILENT_SECONDS + 5))
    status, told = report(client)
    assert status == 503
    assert [name for name, part in told["parts"].items() if not part["ok"]] == [of]
    assert "not been heard of for" in told["parts"][of]["sentence"] or "No worker" in told["parts"][of]["sentence"]
    signs.give(of)
    assert report(client)[0] == 200


def test_outstanding_migrations_and_a_full_disk_are_told(client, everything, monkeypatch, settings):
    monkeypatch.setattr(starting, "outstanding", lambda: ["a.0001"])
    settings.VAR_DIR = "/proc"
    status, told = report(client)
    assert status == 503
    assert told["parts"]["migrations"] == {"ok": False, "sentence": "1 outstanding: run `manage.py migrate`."}
    assert "cannot be written to" in told["parts"]["disk"]["sentence"]


def test_little_room_is_told_before_there_is_none(client, everything, monkeypatch):
    monkeypatch.setattr(readiness, "LEAST_FREE", 10**18)
    assert "too little" in report(client)[1]["parts"]["disk"]["sentence"]


def test_probes_need_no_host_no_session_and_no_https(everything, settings):
    settings.SECURE_SSL_REDIRECT = True
    client = Client(headers={"host": "10.0.0.7:8000"})
    assert client.get("/healthz").content == b"ok"
    assert client.get("/readyz").status_code == 200
    assert not client.cookies


def test_a_probe_that_is_asked_often_looks_seldom(client, everything, monkeypatch):
    readiness.forget()
    looked = []
    monkeypatch.setattr(readiness, "PARTS", (lambda: looked.append(1) or readiness.Part(True, "x"),))
    for _ in range(50):
        client.get("/readyz")
    assert looked == [1]


def test_a_sign_is_a_row_and_a_file(settings):
    signs.give("worker")
    first = Sign.objects.get(of="worker").at
    signs.give("worker")
    assert Sign.objects.get(of="worker").at >= first
    assert signs.file_of("worker").exists()
