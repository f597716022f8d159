"""The matrix in memory is always what a fresh reading of the database gives; a matrix in use never changes."""

import gc
import json
import os
import resource
import signal
import struct
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import scoring
from candidates import actions, changes, checksums, loading, matrix, tables
from candidates.factories import give_evidence, make_person
from candidates.models import Change, Estimate, Person
from candidates.ranking import RoleRanking
from roles.models import Skill, SkillSet
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.django_db


def same_as_fresh() -> None:
    """What is in memory, person by person, is what everybody read anew would be."""
    now, fresh = matrix.current(), loading.everybody()
    assert sorted(now.people[now.everybody].tolist()) == fresh.people.tolist()
    at = now.table.rows(fresh.people)
    skills = len(fresh.mean)
    assert (now.is_employee[at] == fresh.employee).all()
    for name in ("mean", "inverse", "assessed"):
        assert (getattr(now.profiles, name)[:skills, at] == getattr(fresh, name)).all()
    assert (now.by_person[at, :skills, 0] == fresh.mean.T).all()
    assert (now.by_person[at, :skills, 1] == np.where(fresh.assessed, fresh.inverse, 0).T).all()
    gone = np.setdiff1d(np.arange(now.table.capacity), at)
    assert not now.profiles.assessed[:, gone].any()
    assert not now.present[gone].any()
    assert not now.is_employee[gone].any()


def some_estimate(person, skill, mean=3.0, sd=0.5) -> Estimate:
    today = timezone.localdate()
    return Estimate(
        person=person, skill=skill, mean=mean, sd=sd, evidence_count=1, newest_on=today, as_of=today.replace(day=1)
    )


def skills() -> list[Skill]:
    return list(Skill.objects.order_by("column")[:4])


def execute(sql: str, *parameters) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@given(st.data())
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_to_people_and_estimates_is_seen(data):
    """Through the models, in bulk and by SQL of one's own: the database itself writes the log."""
    with transaction.atomic():
        matrix.forget()
        known = skills()
        for _ in range(data.draw(st.integers(1, 8))):
            people = list(Person.objects.all())
            somebody = data.draw(st.sampled_from(people)) if people else None
            skill = data.draw(st.sampled_from(known))
            what = data.draw(st.sampled_from(["add", "evidence", "bulk", "update", "kind", "archive", "delete", "sql"]))
            if what == "add" or somebody is None:
                make_person(kind=data.draw(st.sampled_from(["employee", "candidate"])))
            elif what == "evidence":
                give_evidence(somebody, skill.slug, data.draw(st.integers(0, 5)))
            elif what == "bulk":
                Estimate.objects.bulk_create([some_estimate(one, skill) for one in people], ignore_conflicts=True)
            elif what == "update":
                Estimate.objects.filter(skill=skill).update(mean=data.draw(st.floats(0, 5)))
            elif what == "kind":
                Person.objects.filter(pk=somebody.pk).update(kind="employee")
            elif what == "archive":
                actions.set_archived(somebody, by=None, archived=somebody.archived_at is None)
            elif what == "delete":
                Estimate.objects.filter(person=somebody, skill=skill).delete()
            else:
                execute("UPDATE candidates_estimate SET sd = 0.7 WHERE person_id = %s", somebody.pk)
            if data.draw(st.booleans()):
                same_as_fresh()
        same_as_fresh()
        transaction.set_rollback(True)


def test_an_estimate_given_to_another_person_is_news_of_both():
    giver, taker = make_person(), make_person()
    give_evidence(giver, "analytics", 4)
    matrix.current()
    execute("UPDATE candidates_estimate SET person_id = %s WHERE person_id = %s", taker.pk, giver.pk)
    same_as_fresh()


def test_what_is_rolled_back_was_never_so():
    person = make_person()
    give_evidence(person, "analytics", 2)
    matrix.current()
    with transaction.atomic():
        Estimate.objects.update(mean=4.9)
        same_as_fresh()
        transaction.set_rollback(True)
    same_as_fresh()


def test_who_is_deleted_is_gone_from_the_next_answer(version):
    person = make_person("Short Stay", email="short@example.org")
    Estimate.objects.create(
        **{f.attname: getattr(some_estimate(person, skills()[0]), f.attname) for f in Estimate._meta.fields[1:]}
    )
    assert len(RoleRanking(version)) == 1
    Person.objects.filter(pk=person.pk).delete()
    assert len(RoleRanking(version)) == 0
    same_as_fresh()


def test_a_matrix_in_use_stays_as_it_is_and_its_table_comes_back_when_nobody_holds_it():
    person = make_person()
    give_evidence(person, "analytics", 2)
    held = matrix.current()
    (row,) = held.rows([person.pk])
    column = Skill.objects.get(slug="analytics").column
    before = held.profiles.mean[column, row]
    levels = held.profiles.mean[column][row : row + 1]
    tables_met = set()
    for level in (5, 0, 4, 1):
        give_evidence(person, "analytics", level, source="manager")
        newer = matrix.current()
        tables_met.add(id(newer.table))
        assert newer.profiles.mean[column, row] != before
        assert held.profiles.mean[column, row] == before
    # One is held, and two take turns.
    assert len(tables_met) == 2
    del held, newer
    gc.collect()
    give_evidence(person, "analytics", 3, source="peer")
    matrix.current()
    # A view of a view still holds the table.
    assert levels[0] == before
    same_as_fresh()


def test_how_everybody_stands_is_kept_until_something_changes(version):
    """And holds nothing back: with the matrix it goes, and the table serves again."""
    for _ in range(3):
        give_evidence(make_person(), version.requirements.first().skill.slug, 2)
    first = RoleRanking(version).standing
    assert RoleRanking(version).standing is first
    before = first.fit.copy()
    Estimate.objects.update(mean=4.9)
    later = RoleRanking(version).standing
    assert (first.fit == before).all()
    assert (later.fit > before).all()
    assert matrix._keeper.free == []
    del first
    assert len(matrix._keeper.free) == 1


def test_a_new_skill_has_a_column_and_the_others_are_not_read_again(monkeypatch):
    person = make_person()
    give_evidence(person, "analytics", 2)
    matrix.current()
    monkeypatch.setattr(loading, "everybody", lambda *_: pytest.fail("everybody was read again"))
    highest = loading.skills()
    for n in range(tables.SPARE_SKILLS + 2):
        skill = Skill.objects.create(
            name=f"New {n}", slug=f"new-{n}", skill_set=SkillSet.objects.first(), column=highest + n, position=90 + n
        )
        some_estimate(person, skill, mean=4.0).save()
        latest = matrix.current()
        (row,) = latest.rows([person.pk])
        assert latest.profiles.mean[skill.column, row] == 4.0
        assert latest.profiles.mean[skill.column].sum() == pytest.approx(
            4.0 + scoring.PRIOR_MEAN * (latest.table.capacity - 1)
        )
    monkeypatch.undo()
    same_as_fresh()


def test_there_is_room_for_more_people_than_there_were():
    matrix.current()
    Person.objects.bulk_create(Person(name=f"P {n}", email=f"p{n}@example.org") for n in range(400))
    same_as_fresh()
    Person.objects.bulk_create(Person(name=f"Q {n}", email=f"q{n}@example.org") for n in range(400))
    same_as_fresh()


@pytest.mark.parametrize(("mean", "sd"), [(3.0, 1e-60), (1e300, 0.5), (3.0, 1e300)])
def test_an_estimate_that_is_none_counts_as_not_assessed_and_is_told(mean, sd, version, caplog):
    person, other = make_person(), make_person()
    give_evidence(other, "analytics", 2)
    some_estimate(person, version.requirements.first().skill, mean=mean, sd=sd).save()
    for _ in range(2):
        assert {line.band for line in RoleRanking(version)[:5] if line.person == person} == {"not_assessed"}
        assert "no numbers" in caplog.text
        matrix.forget()
        caplog.clear()


def test_nobody_at_all_is_an_empty_ranking(version):
    assert len(RoleRanking(version)) == 0
    assert RoleRanking(version)[:10] == []
    assert RoleRanking(version, relaxing=True).relaxed()
    matrix.renew_snapshot()
    matrix.forget()
    assert len(RoleRanking(version)) == 0


def test_nobody_has_any_of_the_skills(version):
    make_person()
    ranking = RoleRanking(version)
    assert [line.band for line in ranking[:5]] == ["not_assessed"]
    assert ranking.expected_qualified() == 0


# Snapshot files


@pytest.fixture
def snapshot(version):
    """A snapshot of five people, two more who came later, and one who has gone; gives its path."""
    for n in range(5):
        give_evidence(make_person(kind="employee" if n % 2 else "candidate"), "analytics", n)
    path = matrix.renew_snapshot()
    give_evidence(make_person("Late"), "analytics", 5)
    Person.objects.filter(pk=Person.objects.order_by("pk").first().pk).update(archived_at=timezone.now())
    return path


def begin_anew(monkeypatch) -> None:
    """A process that begins now, and may not read the database from the start."""
    matrix.forget()
    monkeypatch.setattr(loading, "everybody", lambda *_: pytest.fail("the snapshot was not used"))
    matrix.current()
    monkeypatch.undo()


def test_a_process_begins_with_the_snapshot_and_what_came_later(snapshot, monkeypatch):
    begin_anew(monkeypatch)
    same_as_fresh()
    assert matrix._keeper.path == snapshot


def test_a_later_snapshot_takes_the_place_of_the_earlier_one(snapshot, monkeypatch):
    held = matrix.current()
    before = held.profiles.mean.copy()
    Estimate.objects.update(mean=1.0)
    (snapshot.parent / "0000000077.draft").write_bytes(b"left behind by a crash")
    os.utime(snapshot, (0, 0))
    later = matrix.renew_snapshot()
    assert {path.name for path in snapshot.parent.iterdir()} - {"lock"} == {later.name, checksums.notes(later)[0].name}
    begin_anew(monkeypatch)
    same_as_fresh()
    # The older file is gone, and whoever has it mapped still reads it.
    assert (held.profiles.mean == before).all()


def test_no_snapshot_is_written_when_little_has_changed(snapshot):
    assert matrix.renew_snapshot() is None


def test_a_snapshot_is_written_after_much_has_changed(snapshot):
    Person.objects.bulk_create(Person(name=f"P {n}", email=f"p{n}@example.org") for n in range(600))
    assert matrix.renew_snapshot() is not None
    same_as_fresh()


def spoil(path, change) -> None:
    data = bytearray(path.read_bytes())
    path.write_bytes(change(data) or data)


def with_header(path, **other) -> None:
    """Another header, with sums that fit."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[12:20])
    about = json.loads(data[20 : 20 + length])
    end = tables.offsets(about["capacity"], about["skills"])[-1]
    header = json.dumps({**about, **other}).encode()
    with path.open("wb") as raw:
        file = checksums.Summed(raw)
        file.write(data[:12] + struct.pack("<Q", len(header)) + header)
        file.pad(tables.HEADER)
        file.write(data[tables.HEADER : end])
        file.finish()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: spoil(path, lambda data: data[:-1]), "cut short"),
        (lambda path: spoil(path, lambda data: data[: len(data) // 2]), "cut short"),
        (lambda path: spoil(path, lambda data: data[:10]), "no file of levels"),
        (lambda path: path.write_bytes(b""), "no file of levels"),
        (lambda path: spoil(path, lambda data: data.__setitem__(slice(-8, None), b"\0" * 8)), "sums do not fit"),
        (lambda path: spoil(path, lambda data: data.__setitem__(8, 99)), "version 99"),
        (lambda path: spoil(path, lambda data: data.__setitem__(slice(20, 30), b"x" * 10)), "header cannot be read"),
        (lambda path: with_header(path, size=-1), "header cannot be read"),
        (lambda path: with_header(path, skills=3), "cut short"),
        (lambda path: with_header(path, made_at="soon"), "header cannot be read"),
        (lambda path: with_header(path, anchor=3), "header cannot be read"),
        (lambda path: with_header(path, catalogue=[[[1]]]), "header cannot be read"),
        (lambda path: with_header(path, horizon=None), "header cannot be read"),
        (lambda path: with_header(path, engine="0.1"), "another version of the engine"),
        (lambda path: with_header(path, made_at=0), "too old"),
        (lambda path: with_header(path, anchor=[10**12, 5]), "another database"),
        (lambda path: with_header(path, catalogue=[[0, 10**9]]), "another catalogue"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_left_alone_with_a_reason(snapshot, change, reason, caplog):
    change(snapshot)
    matrix.forget()
    same_as_fresh()
    assert reason in caplog.text
    assert matrix._keeper.path is None


def test_after_the_database_has_been_put_back_no_later_snapshot_is_used(snapshot, caplog):
    newest = Change.objects.order_by("-pk").first()
    matrix.forget()
    matrix.current()
    os.utime(snapshot, (0, 0))
    matrix.renew_snapshot()
    Change.objects.filter(pk=newest.pk).update(token=1)
    matrix.forget()
    same_as_fresh()
    assert "another database" in caplog.text


def test_on_a_full_disk_the_old_snapshot_stays_and_nothing_is_left_behind(snapshot, monkeypatch):
    """A limit on the size of files stands for the full disk: the write itself fails, half way."""
    os.utime(snapshot, (0, 0))
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (snapshot.stat().st_size // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            matrix.renew_snapshot()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert {path.name for path in snapshot.parent.iterdir()} - {"lock"} == {
        snapshot.name,
        checksums.notes(snapshot)[0].name,
    }
    begin_anew(monkeypatch)
    same_as_fresh()


def test_a_crash_while_writing_leaves_the_old_one_valid(snapshot, monkeypatch):
    """A child process is killed between the sections of the new file."""
    os.utime(snapshot, (0, 0))
    child = os.fork()
    if child == 0:  # pragma: no cover
        matrix._keeper.published.matrix.table._write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        matrix._keeper.save(matrix._keeper.published)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert list(snapshot.parent.glob("*.draft"))
    begin_anew(monkeypatch)
    same_as_fresh()
    matrix.renew_snapshot()
    assert not list(snapshot.parent.glob("*.draft"))


def test_very_many_people_are_read_by_a_job_and_nobody_waits(monkeypatch, version, run_jobs, as_hr):
    monkeypatch.setattr(matrix, "BACKGROUND_FROM", 2)
    for _ in range(3):
        give_evidence(make_person(), "analytics", 3)
    address = f"/hiring/{version.pk}/"
    for _ in range(2):
        page = as_hr.get(address)
        assert page.status_code == 503
        assert page["Refresh"] == "5"
        assert "Getting everybody’s levels ready" in page.content.decode()
    (job,) = Job.objects.filter(kind="matrix.snapshot")
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 3)
    assert as_hr.get(address).status_code == 200
    assert matrix._keeper.path is not None


@pytest.mark.parametrize("asleep", [False, True])
def test_much_that_has_changed_at_once_is_read_by_a_job(asleep, monkeypatch, version, run_jobs, as_hr):
    """A process that has everybody's levels already, and can no longer catch up, waits for a new snapshot as well."""
    monkeypatch.setattr(matrix, "BACKGROUND_FROM", 2)
    monkeypatch.setattr(matrix, "FEW", 1)
    for _ in range(3):
        give_evidence(make_person(), "analytics", 3)
    matrix.renew_snapshot()
    Estimate.objects.update(mean=1.0)
    if asleep:
        now = matrix._keeper.published
        monkeypatch.setattr(matrix._keeper, "published", matrix.Published(now.matrix, now.mark, 0.0))
    address = f"/hiring/{version.pk}/"
    assert as_hr.get(address).status_code == 503
    run_jobs()
    assert {job.state for job in Job.objects.all()} == {"done"}
    assert as_hr.get(address).status_code == 200
    same_as_fresh()


def test_a_worker_that_has_caught_up_writes_what_others_cannot_catch_up_with(monkeypatch):
    monkeypatch.setattr(matrix, "FEW", 4)
    for _ in range(5):
        give_evidence(make_person(), "analytics", 3)
    matrix.renew_snapshot()
    for mean in (1.0, 2.0):
        Estimate.objects.filter(person__in=Person.objects.order_by("pk")[:3]).update(mean=mean)
        matrix.current()
    assert matrix.renew_snapshot() is not None


def test_whoever_is_not_at_a_page_waits(monkeypatch):
    monkeypatch.setattr(matrix, "BACKGROUND_FROM", 1)
    give_evidence(make_person(), "analytics", 3)
    with matrix.hurried(), pytest.raises(matrix.NotReadyError):
        matrix.current()
    same_as_fresh()


def test_progress_is_told_by_estimates_read_and_can_be_written_down(monkeypatch):
    """On PostgreSQL nothing else can be asked while a COPY runs; each is over before its progress is told."""
    monkeypatch.setattr(loading, "RUN", 2)
    monkeypatch.setattr(loading, "PAGES", 1)
    monkeypatch.setattr(loading._Sink, "SIZE", 64)
    for _ in range(3):
        give_evidence(make_person(), "analytics", 3)
    known = Skill.objects.exclude(slug="analytics")
    Estimate.objects.bulk_create(some_estimate(one, skill) for one in Person.objects.all() for skill in known)
    for _ in range(40 if connection.vendor == "postgresql" else 0):
        # Old versions of rows fill further pages.
        Estimate.objects.update(sd=0.6)
    told = []

    def tell(done, total):
        Change.note()
        told.append((done, total))

    loading.everybody(tell)
    assert told[-1][0] == Estimate.objects.count()
    assert len(told) > 1
    same_as_fresh()


def test_where_the_log_is_taken_back_people_can_still_be_saved():
    """Undoing the migration leaves no trigger behind that writes into a table that is gone."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE candidates_change")
        changes.watch()
        make_person()
        Person.objects.all().delete()
        transaction.set_rollback(True)


def test_triggers_that_a_migration_has_lost_come_back_and_no_earlier_snapshot_is_used(snapshot, caplog):
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER candidates_estimate_update")
        Estimate.objects.update(mean=1.5)
    changes.watch()
    Estimate.objects.update(sd=0.9)
    matrix.forget()
    same_as_fresh()
    assert ("another database" in caplog.text) == (connection.vendor == "sqlite")
    changes.watch()
    matrix.renew_snapshot()
    matrix.forget()
    same_as_fresh()


def test_the_log_is_forgotten_but_for_its_newest_row():
    make_person()
    Change.objects.update(made_at=timezone.now() - changes.KEEP - timedelta(hours=1))
    newest = Change.objects.order_by("pk").last()
    fresh = make_person()
    assert Change.prune(timezone.now()) >= 1
    assert list(Change.objects.values_list("person", flat=True)) == [fresh.pk]
    Change.objects.update(made_at=newest.made_at)
    assert Change.prune(timezone.now()) == 0


def test_what_has_slept_for_a_day_begins_anew(monkeypatch):
    make_person()
    matrix.current()
    read = []
    real = loading.everybody
    monkeypatch.setattr(loading, "everybody", lambda tell: read.append(1) or real(tell))
    later = matrix.time.time() + changes.FRESH.total_seconds() + 1
    monkeypatch.setattr(matrix.time, "time", lambda: later)
    matrix.current()
    assert read == [1]


def test_one_change_is_looked_for_with_one_query(django_assert_num_queries):
    person = make_person()
    give_evidence(person, "analytics", 3)
    matrix.current()
    matrix.current()
    with django_assert_num_queries(1):
        matrix.current()
