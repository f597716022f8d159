"""Durable jobs: run once, come back when lost, give up in the end."""

import resource
import signal
import uuid
from datetime import timedelta
from pathlib import Path
from queue import Empty

import pytest
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu import Connection
from kombu.exceptions import ChannelError
from kombu.exceptions import OperationalError as OperationalErrorOfBroker

from socialstrategy import jobs
from socialstrategy.jobs import folder, sweeper, tasks
from socialstrategy.jobs.models import MAX_ATTEMPTS, STALE_AFTER, UNHEARD_AFTER, Job

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


def raises(text):
    def handler(job):
        raise ValueError(text)

    return handler


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        pytest.param(raises("no \x00 such\x00 file"), "no such file", id="nothing in the text"),
        pytest.param(raises("no \ud800 file"), "no ? file", id="half a sign in the text"),
        pytest.param(raises("\x00"), "ValueError", id="no text at all"),
        pytest.param(lambda job: {"mean": float("nan")}, None, id="no number in the result"),
        pytest.param(lambda job: {"made": object()}, None, id="something that is no JSON"),
    ],
)
def test_a_job_whose_end_cannot_be_stored_has_failed_and_says_why(handler, said, monkeypatch, caplog):
    # Half a sign in the log is more than what passes a test's report on.
    caplog.set_level("CRITICAL", tasks.__name__)
    monkeypatch.setitem(jobs.HANDLERS, "test.odd", handler)
    job = Job.objects.create(kind="test.odd", heartbeat_at=timezone.now())
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.message == said if said else job.message


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
    def unreachable(*args, **options):
        raise OSError("no broker")

    monkeypatch.setattr(tasks, "_pause_until", 0.0)
    monkeypatch.setattr(tasks.run_job, "apply_async", unreachable)
    job = jobs.enqueue("test.note", word="x")
    assert not tasks.send(job.pk)
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
    long_ago = timezone.now() - timedelta(hours=1)
    job = Job.objects.create(kind="test.long", state="running", run=uuid.uuid4(), heartbeat_at=long_ago)
    waits = iter([False, False, True])

    class Stop:
        def wait(self, seconds):
            return next(waits)

    errors = iter([OperationalError("database table is locked")])
    update = QuerySet.update

    def failing_once(found, **values):
        for error in errors:
            raise error
        return update(found, **values)

    monkeypatch.setattr(QuerySet, "update", failing_once)
    monkeypatch.setattr(tasks.connection, "close", lambda: None)
    tasks._beat(job, Stop())
    job.refresh_from_db()
    assert timezone.now() - job.heartbeat_at < timedelta(minutes=1)
    assert "could not be given" in caplog.text


def freeze_meanwhile(job) -> None:
    """What becomes of a job whose process is frozen for a while: another worker does it."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * STALE_AFTER)
    tasks.sweep()
    tasks.run_job(str(job.pk))


def breaks(job):
    raise ValueError("There is no file.")


@pytest.mark.parametrize("end", [lambda job: {"by": "the first"}, breaks, lambda job: jobs.progress(job, 1)])
def test_a_run_that_has_been_taken_over_changes_nothing_any_more(end, monkeypatch):
    """It comes to its end, it fails, or it tells of its progress, after another one has done the job."""
    runs, went_on = [], []

    def handler(job):
        runs.append(job.run)
        if len(runs) == 2:
            jobs.progress(job, 3, message="Nearly")
            return {"by": "the second"}
        freeze_meanwhile(job)
        found = end(job)
        went_on.append(found)
        return found

    monkeypatch.setattr(tasks, "send", lambda pk: True)
    monkeypatch.setitem(jobs.HANDLERS, "test.frozen", handler)
    job = jobs.enqueue("test.frozen", total=4)
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.message, job.result, job.done) == ("done", "Nearly", {"by": "the second"}, 4)
    assert len(set(runs)) == 2
    # Telling of its progress ends it: what it would do after that is done already.
    assert went_on in ([], [{"by": "the first"}])


def test_no_signs_of_life_are_given_for_somebody_else_s_run():
    long_ago = timezone.now() - timedelta(hours=1)
    job = Job.objects.create(kind="test.long", state="running", run=uuid.uuid4(), heartbeat_at=long_ago)
    frozen = Job.objects.get(pk=job.pk)
    frozen.run = uuid.uuid4()
    asked = []

    class Stop:
        def wait(self, seconds):
            asked.append(seconds)
            return len(asked) > 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks.connection, "close", lambda: None)
        tasks._beat(frozen, Stop())
    job.refresh_from_db()
    assert job.heartbeat_at == long_ago
    assert asked == [tasks.HEARTBEAT_SECONDS]


@pytest.mark.parametrize("error", [OperationalError("the database system is starting up"), InterfaceError("closed")])
def test_a_database_that_was_away_ends_no_job(error, monkeypatch):
    errors = iter([error])

    def handler(job):
        for one in errors:
            raise one

    monkeypatch.setitem(jobs.HANDLERS, "test.note", handler)
    job = jobs.enqueue("test.note")
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == "queued"
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 2)


@pytest.mark.parametrize("error", [OSError("no broker"), OperationalErrorOfBroker("gone"), ChannelError("disk full")])
def test_a_broker_that_is_away_is_not_asked_for_every_single_job(error, ran, monkeypatch):
    asked = []

    def unreachable(*args, **options):
        asked.append(options)
        raise error

    monkeypatch.setattr(tasks, "_pause_until", 0.0)
    monkeypatch.setattr(tasks.run_job, "apply_async", unreachable)
    for _ in range(50):
        assert not tasks.send(uuid.uuid4())
    assert asked == [{"retry": False}]
    monkeypatch.setattr(tasks, "_pause_until", 0.0)
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda *args, **options: None)
    assert tasks.send(uuid.uuid4())


def test_a_message_that_was_lost_is_sent_again_and_sooner_while_nobody_works(ran, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send", lambda pk: sent.append(pk) or True)
    job = jobs.enqueue("test.note", word="x")
    other = Job.objects.create(kind="test.long", state="running", run=uuid.uuid4(), heartbeat_at=timezone.now())

    def look(waited) -> bool:
        sent.clear()
        Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - waited)
        tasks.sweep()
        return sent == [job.pk]

    second = timedelta(seconds=1)
    # Somebody is at work: it is in a row most likely.
    assert not look(UNHEARD_AFTER + second)
    assert look(STALE_AFTER + second)
    # Asked about once, it is left in peace for a while.
    sent.clear()
    tasks.sweep()
    assert sent == []
    Job.objects.filter(pk=other.pk).update(state="done")
    assert not look(UNHEARD_AFTER - second)
    assert look(UNHEARD_AFTER + second)


def test_while_the_broker_is_away_what_waits_is_not_taken_for_sent(ran, monkeypatch):
    job = jobs.enqueue("test.note", word="x")
    long_ago = timezone.now() - 2 * STALE_AFTER
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)
    monkeypatch.setattr(tasks, "send", lambda pk: False)
    tasks.sweep()
    job.refresh_from_db()
    assert job.heartbeat_at == long_ago


class Rounds:
    """Instead of an event: so many rounds, without waiting."""

    def __init__(self, count: int):
        self.left = count

    def wait(self, seconds):
        self.left -= 1
        return self.left < 0


def test_the_first_look_takes_nothing_and_neither_does_one_after_a_gap(monkeypatch):
    """Whoever was away, the database or the machine itself: all have time for a sign of life first."""
    looks = []
    monkeypatch.setattr(tasks, "sweep", lambda: looks.append(now[-1]))
    monkeypatch.setattr(sweeper.connections, "close_all", lambda: None)
    times, now = iter([0, 4, 8, 600, 604, 608]), []

    def clock():
        now.append(next(times))
        return now[-1]

    sweeper.watch(Rounds(6), clock)
    assert looks == [4, 8, 604, 608]


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError("something else")])
def test_after_an_error_it_looks_on_and_takes_nothing_at_first(error, monkeypatch, caplog):
    looks, errors = [], iter([None, error, None])
    now = iter(range(0, 100, 4))

    def sweep():
        looks.append(1)
        problem = next(errors)
        if problem:
            raise problem

    monkeypatch.setattr(tasks, "sweep", sweep)
    monkeypatch.setattr(sweeper.connections, "close_all", lambda: None)
    sweeper.watch(Rounds(5), lambda: next(now))
    # The first of five rounds only looks, then one sweeps, one fails, one only looks, and one sweeps.
    assert len(looks) == 3
    assert "could not be looked for" in caplog.text


@pytest.fixture
def channel(tmp_path):
    """The folder as broker."""
    folders = dict.fromkeys(["data_folder_in", "data_folder_out", "control_folder"], str(tmp_path))
    with Connection(transport=folder.Transport, transport_options=folders) as connection:
        yield connection.channel()


def test_a_message_is_in_the_folder_whole_or_not_at_all(channel, tmp_path, monkeypatch):
    for n in range(3):
        channel._put("jobs", {"n": n})
    seen = []
    replace = Path.replace

    def looking(draft, path):
        seen.append([one for one in tmp_path.iterdir() if one.name.endswith("jobs.msg")])
        return replace(draft, path)

    monkeypatch.setattr(Path, "replace", looking)
    channel._put("jobs", {"n": 3})
    assert len(seen[0]) == 3
    assert [channel._get("jobs")["n"] for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(Empty):
        channel._get("jobs")


def test_on_a_full_disk_no_half_message_stays_behind(channel, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "dumps", lambda payload: "x" * 100_000)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(ChannelError, match="File too large"):
            channel._put("jobs", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []


def test_half_a_message_is_left_out(channel, tmp_path, caplog):
    (tmp_path / "0_half.jobs.msg").write_bytes(b'{"n": ')
    channel._put("jobs", {"n": 1})
    assert channel._get("jobs") == {"n": 1}
    assert "cannot be read and is left out" in caplog.text
