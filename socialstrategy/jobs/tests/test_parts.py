"""Long jobs in parts: each part once, lost ones again, the end when all are done."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from socialstrategy import jobs
from socialstrategy.jobs import tasks
from socialstrategy.jobs.models import MAX_ATTEMPTS, STALE_AFTER, UNHEARD_AFTER, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def squares(monkeypatch):
    """A job that adds up the squares of 0-4, a part each; gives the list of its ends and of the parts' runs."""
    ends, runs = [], []

    def whole(job):
        ends.append(sum(part["square"] for part in jobs.in_parts(job, "test.part", plan, message="Squaring")))

    def plan():
        return [{"number": n, "size": 10} for n in range(5)]

    def part(job):
        runs.append(job.arguments["number"])
        return {"square": job.arguments["number"] ** 2}

    monkeypatch.setitem(jobs.HANDLERS, "test.whole", whole)
    monkeypatch.setitem(jobs.HANDLERS, "test.part", part)
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    return ends, runs


def test_parts_are_done_once_each_and_added_up_in_the_end(squares, run_jobs):
    job = jobs.enqueue("test.whole")
    run_jobs()
    job.refresh_from_db()
    assert squares == ([30], [0, 1, 2, 3, 4])
    assert (job.state, job.done, job.total) == ("done", 50, 50)


def test_progress_grows_with_every_part(squares):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.is_active, job.done, job.total) == ("spread", True, 0, 50)
    for n, part in enumerate(job.parts.order_by("part")[:3]):
        tasks.run_job(str(part.pk))
        tasks.run_job(str(part.pk))
        job.refresh_from_db()
        assert job.done == 10 * (n + 1)


def test_a_handler_that_runs_again_meanwhile_makes_no_second_parts(squares, run_jobs):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    Job.objects.filter(pk=job.pk).update(state="queued")
    tasks.run_job(str(job.pk))
    assert job.parts.count() == 5
    run_jobs()
    assert squares[0] == [30]


def test_progress_does_not_go_back_when_the_handler_runs_again(squares):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    tasks.run_job(str(job.parts.first().pk))
    Job.objects.filter(pk=job.pk).update(state="queued")
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.done, job.total, job.message) == (10, 50, "Squaring")


def test_of_two_plans_made_at_once_only_one_counts(monkeypatch):
    """Parts of both, mixed, would leave people out or count them twice."""
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    job = Job.objects.create(kind="test.whole", state="running", heartbeat_at=timezone.now())

    def plan():
        with pytest.raises(jobs.WaitingForPartsError):
            jobs.in_parts(job, "test.part", lambda: [{"number": n, "size": 10} for n in range(2)])
        return [{"number": n, "size": 4} for n in range(5)]

    with pytest.raises(jobs.WaitingForPartsError):
        jobs.in_parts(job, "test.part", plan)
    job.refresh_from_db()
    assert [part.arguments["size"] for part in job.parts.order_by("part")] == [10, 10]
    assert job.total == 20


def test_a_part_whose_worker_was_killed_is_done_again_and_counts_once(squares, run_jobs):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    lost = job.parts.get(part=2)
    Job.objects.filter(pk=lost.pk).update(
        state="running", attempts=1, heartbeat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1)
    )
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.done) == ("spread", 40)
    tasks.sweep()
    run_jobs()
    # The one that only seemed dead comes to its end as well.
    tasks._finish(lost, {"square": 99})
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 50)
    assert squares[0] == [30]


def test_parts_in_a_long_row_are_not_sent_again_while_the_job_lives(squares, monkeypatch):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    long_ago = timezone.now() - 2 * STALE_AFTER
    job.parts.update(heartbeat_at=long_ago)
    assert not Job.objects.lost(timezone.now()).exists()
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)
    assert Job.objects.lost(timezone.now()).count() == 5


def test_a_part_that_others_have_overtaken_is_sent_again(squares, monkeypatch):
    """Its message went down with a worker: later parts have had their turn, and the job is well."""
    sent = []
    monkeypatch.setattr(tasks, "send", lambda pk: sent.append(pk) or True)
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    sent.clear()
    job.parts.update(heartbeat_at=timezone.now() - UNHEARD_AFTER - timedelta(seconds=1))
    for number in (0, 3):
        tasks.run_job(str(job.parts.get(part=number).pk))
    tasks.sweep()
    assert set(sent) == set(job.parts.filter(part__in=[1, 2]).values_list("pk", flat=True))
    sent.clear()
    tasks.sweep()
    assert sent == []


def test_a_job_whose_last_word_was_lost_comes_to_its_end(squares, run_jobs):
    """The worker of the last part was killed between storing its result and calling for the end."""
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    job.parts.update(state="done", result={"square": 1})
    run_jobs()
    assert squares[0] == []
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * STALE_AFTER)
    tasks.sweep()
    run_jobs()
    assert squares[0] == [5]


def test_a_job_that_was_lost_while_it_sent_its_parts_is_not_kept_alive_by_them(squares, monkeypatch):
    """Signs of life of its parts are none of the worker that has the job itself in hand."""
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    long_ago = timezone.now() - 2 * STALE_AFTER
    Job.objects.filter(pk=job.pk).update(state="running", attempts=1, heartbeat_at=long_ago)
    tasks.run_job(str(job.parts.get(part=0).pk))
    beaten = job.parts.get(part=1)
    beaten.run = uuid.uuid4()
    Job.objects.filter(pk=beaten.pk).update(state="running", run=beaten.run)
    waits = iter([False, True])
    monkeypatch.setattr(tasks.connection, "close", lambda: None)
    tasks._beat(beaten, SimpleNamespace(wait=lambda seconds: next(waits)))
    job.refresh_from_db()
    assert (job.done, job.heartbeat_at) == (10, long_ago)
    tasks.sweep()
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_job_that_runs_again_sends_the_parts_that_were_never_sent(squares, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send", lambda pk: sent.append(pk) or True)
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    tasks.run_job(str(job.parts.get(part=0).pk))
    Job.objects.filter(pk=job.pk).update(state="queued")
    sent.clear()
    tasks.run_job(str(job.pk))
    assert sent == list(job.parts.filter(part__gt=0).order_by("part").values_list("pk", flat=True))


def test_a_part_that_fails_ends_the_job_with_its_reason(squares, monkeypatch, run_jobs):
    def broken(job):
        if job.arguments["number"] == 1:
            raise ValueError("There is no such number.")

    monkeypatch.setitem(jobs.HANDLERS, "test.part", broken)
    job = jobs.enqueue("test.whole")
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "There is no such number.")
    assert job.parts.get(part=4).message == "The job that this is a part of has ended."
    assert squares[0] == []


def test_a_part_that_is_lost_too_often_ends_the_job(squares):
    job = jobs.enqueue("test.whole")
    tasks.run_job(str(job.pk))
    long_ago = timezone.now() - 2 * STALE_AFTER
    job.parts.filter(part=0).update(state="running", attempts=MAX_ATTEMPTS, heartbeat_at=long_ago)
    tasks.sweep()
    job.refresh_from_db()
    assert job.state == "failed"


def test_a_job_without_parts_ends_at_once(monkeypatch, run_jobs):
    found = []
    monkeypatch.setitem(jobs.HANDLERS, "test.whole", lambda job: found.append(jobs.in_parts(job, "test.part", list)))
    job = jobs.enqueue("test.whole")
    run_jobs()
    job.refresh_from_db()
    assert (found, job.state) == ([[]], "done")


def test_one_job_of_a_kind_at_a_time(squares):
    first = jobs.enqueue_once("test.whole")
    assert jobs.enqueue_once("test.whole") == first
    Job.objects.update(state="done")
    assert jobs.enqueue_once("test.whole") != first
