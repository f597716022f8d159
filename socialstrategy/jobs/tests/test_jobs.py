"""Durable jobs: run once, come back when lost, give up in the end."""

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from socialstrategy import jobs
from socialstrategy.jobs import tasks
from socialstrategy.jobs.models import MAX_ATTEMPTS, STALE_AFTER, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def ran(monkeypatch):
    """A kind of job that notes its runs."""
    runs = []
    monkeypatch.setitem(jobs.HANDLERS, "test.note", lambda job: runs.append(job.arguments["word"]))
    return runs


def test_a_job_runs_once_however_often_its_message_arrives(ran):
    job = jobs.enqueue("test.note", word="a", total=3)
    for _ in range(3):
        tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert ran == ["a"]
    assert (job.state, job.done, job.share) == ("done", 3, 1.0)


def test_nothing_is_sent_before_the_transaction_commits(ran, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(tasks, "send", sent.append)
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        job = jobs.enqueue("test.note", word="a")
        assert not sent
    assert callbacks
    assert sent == [job.pk]


def test_a_job_that_fails_says_why(monkeypatch):
    def broken(job):
        raise ValueError("There is no file.")

    monkeypatch.setitem(jobs.HANDLERS, "test.broken", broken)
    job = jobs.enqueue("test.broken")
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "There is no file.")


def test_a_job_whose_worker_was_killed_is_done_again(ran, monkeypatch):
    monkeypatch.setattr(tasks, "send", lambda pk: tasks.run_job(str(pk)))
    job = jobs.enqueue("test.note", word="again")
    Job.objects.update(state="running", heartbeat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1))
    tasks.sweep()
    job.refresh_from_db()
    assert ran == ["again"]
    assert job.state == "done"


def test_a_job_at_work_is_left_alone(ran, monkeypatch):
    monkeypatch.setattr(tasks, "send", lambda pk: tasks.run_job(str(pk)))
    jobs.enqueue("test.note", word="busy")
    Job.objects.update(state="running", heartbeat_at=timezone.now() - STALE_AFTER / 2)
    tasks.sweep()
    assert ran == []


def test_a_job_that_is_lost_too_often_is_given_up(ran):
    job = jobs.enqueue("test.note", word="x")
    Job.objects.update(state="running", attempts=MAX_ATTEMPTS, heartbeat_at=timezone.now() - 2 * STALE_AFTER)
    tasks.sweep()
    job.refresh_from_db()
    assert job.state == "failed"


def test_without_a_broker_the_row_waits(ran, monkeypatch):
    def unreachable(*args):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.run_job, "delay", unreachable)
    job = jobs.enqueue("test.note", word="x")
    tasks.send(job.pk)
    job.refresh_from_db()
    assert job.state == "queued"


def test_an_unknown_kind_is_refused():
    with pytest.raises(LookupError, match=r"test\.unknown"):
        jobs.enqueue("test.unknown")


def test_progress_is_somebody_s_own(client, as_hr, hr):
    from accounts.factories import make_user

    job = Job.objects.create(kind="mail.send", by=hr, heartbeat_at=timezone.now(), done=3, total=10, message="Reading")
    page = as_hr.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "3 of 10" in page
    assert "hx-trigger" in page
    client.force_login(make_user("employee"))
    assert client.get(f"/jobs/{job.pk}/").status_code == 404


def test_after_a_sign_of_life_that_failed_the_next_one_follows(monkeypatch, caplog):
    job = Job.objects.create(kind="test.long", heartbeat_at=timezone.now() - timedelta(hours=1))
    waits = iter([False, False, True])

    class Stop:
        def wait(self, seconds):
            return next(waits)

    answers = iter([OperationalError("database table is locked"), None])
    update = QuerySet.update

    def failing_once(found, **values):
        error = next(answers)
        if error:
            raise error
        return update(found, **values)

    monkeypatch.setattr(QuerySet, "update", failing_once)
    monkeypatch.setattr(tasks.connection, "close", lambda: None)
    tasks._beat([job.pk, None], Stop())
    job.refresh_from_db()
    assert timezone.now() - job.heartbeat_at < timedelta(minutes=1)
    assert "could not be given" in caplog.text
