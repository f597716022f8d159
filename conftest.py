"""Fixtures of all tests."""

import os
import re

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Timings are measured by `make bench`; the same examples in every run keep the suite reproducible.
hypothesis_settings.register_profile(
    "house", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("house")


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """In CI a skipped test of a real component is a failure."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("CI") and skipped and not hasattr(config, "workerinput"):
        terminalreporter.write_line(f"{len(skipped)} skipped test(s) are not accepted in CI.", red=True)


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = 1


@pytest.fixture(scope="session", autouse=True)
def own_queue():
    """Each test process sends its jobs to a queue of its own, so that no worker meets another database's jobs."""
    from socialstrategy.celery import app

    app.conf.task_default_queue = f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    return app.conf.task_default_queue


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_the_door():
    """Tests with transactions of their own empty the database afterwards, also of rows that are only ever added."""
    from django.db.backends.base.operations import BaseDatabaseOperations

    from accounts.append_only import opened

    plain = BaseDatabaseOperations.execute_sql_flush

    def flush(operations, statements):
        with opened("A test's database is emptied.", "the tests"):
            plain(operations, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush)
        yield


@pytest.fixture(autouse=True)
def _clean_slate(settings, tmp_path):
    """Each test has its own cache (rate limits), and no matrix of another test's people."""
    from candidates import matrix
    from socialstrategy.operations import readiness
    from teams import coverage, views

    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": tmp_path}
    }
    settings.VAR_DIR = tmp_path
    readiness.forget()
    matrix.forget()
    coverage.forget()
    views.forget()


@pytest.fixture
def postgresql():
    """For tests of what happens at the same time: SQLite's writers take turns."""
    from django.db import connection

    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts it")


@pytest.fixture
def hr(db):
    from accounts.factories import make_user

    return make_user("hr", name="Hanne Berg")


@pytest.fixture
def as_hr(client, hr):
    client.force_login(hr)
    return client


@pytest.fixture
def version(hr):
    """A published role: tone & empathy 3 and micro-copy 3 are essential, analytics 2 is not."""
    from roles.factories import make_version

    return make_version(hr)


@pytest.fixture
def last_mail(db):
    """A function that gives the newest mail to an address."""
    from socialstrategy.mail.models import Mail

    return lambda to: Mail.objects.filter(to=to).order_by("-created_at").first()


@pytest.fixture
def link_in():
    """A function that gives the path of the link in a mail."""
    return lambda mail: re.search(r"https?://[^/\s]+(/\S+)", mail.text).group(1)


@pytest.fixture
def run_jobs(db):
    """A function that runs every waiting job here and now."""
    from socialstrategy.jobs.models import Job
    from socialstrategy.jobs.tasks import run_job

    def run():
        waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("created_at")
        for job in list(waiting):
            run_job(str(job.pk))
        # What they have set off; what failed for now waits for the next time.
        while more := list(waiting.filter(attempts=0)):
            for job in more:
                run_job(str(job.pk))

    return run


@pytest.fixture
def smtp(settings, tmp_path):
    """A real mail server, running, whose mood the test decides; mails go to it."""
    from socialstrategy.mail.tests.smtp import SmtpServer

    server = SmtpServer(tmp_path / "smtp")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEMO = False
    server.start()
    yield server
    server.stop()
