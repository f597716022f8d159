"""What is kept how long: every table has its line, the night carries the lines out, and nothing needed goes."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.append_only import opened
from accounts.erasure import Erasure
from accounts.factories import make_user
from accounts.models import AuditEntry, Link, record
from candidates.changes import Change
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.import_awaiting import wait
from candidates.imports import AwaitedManager, ImportBatch, ImportRow
from candidates.models import Evidence, Person
from roles.models import OccupationFile
from socialstrategy.jobs.models import Job
from socialstrategy.jobs.tasks import run_job
from socialstrategy.mail.models import Mail
from teams import housekeeping
from teams.retention import AGES
from teams.tasks import clear_away

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ago(days):
    return NOW - timedelta(days=days)


def aged(row, **times):
    """A row whose times, which the database sets by itself, are as wanted."""
    type(row).objects.filter(pk=row.pk).update(**times)
    return row


def job(days, state=Job.State.DONE, **fields):
    finished = None if state in Job.ACTIVE else ago(days)
    return aged(
        Job.objects.create(kind="x", state=state, heartbeat_at=ago(days), finished_at=finished, **fields),
        created_at=ago(days),
    )


def mail(days, state):
    return aged(Mail.objects.create(to="a@x.example", subject="x", state=state), created_at=ago(days))


def batch(days, state, **fields):
    found = aged(ImportBatch.objects.create(file_name="x.csv", state=state, **fields), created_at=ago(days))
    ImportRow.objects.create(batch=found, number=2, cells=["Ada"], fate="create")
    return found


def link(days, target="17", purpose=Link.Purpose.REPORT, lasts=14):
    return Link.objects.create(
        purpose=purpose, target=target, token_digest=f"{target}{days}{purpose}", expires_at=ago(days - lasts)
    )


@pytest.fixture
def night():
    def go():
        clear_away()
        made = Job.objects.get(kind="ages.keep", state=Job.State.QUEUED)
        run_job(str(made.pk))
        made.refresh_from_db()
        assert (made.state, made.message) in {(Job.State.DONE, ""), (Job.State.DONE, "Clearing away")}

    return go


def test_every_table_has_its_line_and_every_line_its_tables():
    told = {table for age in AGES for table in age.tables}
    there = {model._meta.label_lower for model in apps.get_models()}
    assert there - told == set(), "say in teams/retention.py how long these are kept"
    assert told - there == set()


def test_what_goes_by_age_says_since_when_and_what_stays_says_why():
    for age in AGES:
        assert age.why.endswith(".")
        assert bool(age.kept) != bool(age.since)
        assert age.old or age.kept
        assert age.words[0].isupper() or age.words[0].isdigit()


def test_what_is_old_enough_goes_and_the_rest_stays(night, hr, version):
    now_open = make_invitation(make_person("Ada"), version, hr)
    kept = [
        mail(89, Mail.State.SENT),
        mail(400, Mail.State.QUEUED),
        link(360),
        link(400, purpose=Link.Purpose.ASSESSMENT, target=str(now_open.pk)),
        link(370, lasts=380),
        job(29),
        job(89, Job.State.FAILED),
        job(400, Job.State.QUEUED),
        job(400, Job.State.RUNNING),
        batch(89, ImportBatch.State.DONE),
        batch(6, ImportBatch.State.PREVIEW),
        batch(400, ImportBatch.State.WRITING, job_id=job(400, Job.State.RUNNING).pk),
        aged(OccupationFile.objects.create(name="x", data=b""), created_at=ago(6)),
        Session.objects.create(session_key="open", session_data="", expire_date=NOW + timedelta(hours=1)),
        AwaitedManager.objects.create(person=make_person(), wanted="boss@x.example", since=ago(364)),
    ]
    shown = mail(400, Mail.State.SENT)
    type(now_open).objects.filter(pk=now_open.pk).update(mail=shown)
    parts = job(400)
    job(400, Job.State.QUEUED, parent=parts, part=1)
    kept += [shown, parts]
    gone = [
        mail(91, Mail.State.SENT),
        mail(91, Mail.State.FAILED),
        mail(91, Mail.State.WITHDRAWN),
        link(400),
        link(400, purpose=Link.Purpose.ASSESSMENT, target="7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        job(31),
        job(91, Job.State.FAILED),
        batch(91, ImportBatch.State.DONE),
        batch(8, ImportBatch.State.PREVIEW),
        batch(8, ImportBatch.State.READING, job_id=job(8, Job.State.FAILED).pk),
        aged(OccupationFile.objects.create(name="x", data=b""), created_at=ago(8)),
        Session.objects.create(session_key="over", session_data="", expire_date=ago(1)),
        aged(Change.objects.create(), made_at=ago(3)),
        AwaitedManager.objects.create(person=make_person(), wanted="boss@x.example", since=ago(366)),
    ]
    Change.objects.create()
    night()
    assert [str(row) for row in kept if not type(row).objects.filter(pk=row.pk).exists()] == []
    assert [str(row) for row in gone if type(row).objects.filter(pk=row.pk).exists()] == []
    assert ImportRow.objects.count() == 3


def test_whoever_is_named_again_is_waited_for_anew(night):
    person = make_person()
    AwaitedManager.objects.create(person=person, wanted="old@x.example", since=ago(400))
    wait({person.pk: "boss@x.example"}, "")
    night()
    assert AwaitedManager.objects.get().wanted == "boss@x.example"


def test_the_audit_tells_how_many_of_what_went_once(night):
    for _ in range(3):
        mail(91, Mail.State.SENT)
    night()
    entry = AuditEntry.objects.get(action="ages.kept")
    assert entry.detail["counts"]["Mails: to whom, about what, and whether they arrived"] == 3
    assert entry.by is None
    night()
    assert AuditEntry.objects.filter(action="ages.kept").count() == 1


def test_entries_of_the_audit_log_go_through_the_door_after_ten_years(night, hr, monkeypatch):
    old = [record("x.y", hr, f"Old {n}", by=hr).pk for n in range(3)]
    young = [record("x.y", hr, f"Young {n}", by=hr).pk for n in range(2)]
    with opened("A test makes entries older", "a test"):
        AuditEntry.objects.filter(pk__in=old).update(at=ago(3651))
        AuditEntry.objects.filter(pk__in=young).update(at=ago(3649))
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    night()
    assert not AuditEntry.objects.filter(pk__in=old).exists()
    assert AuditEntry.objects.filter(pk__in=young).count() == 2
    erasures = Erasure.objects.order_by("pk")
    assert [one.counts for one in erasures] == [{"accounts.auditentry": 2}, {"accounts.auditentry": 1}]
    assert erasures[0].reason == "The audit log: 10 years after the entry"
    # What the erasing itself has written is of today.
    assert AuditEntry.objects.filter(action="erased.ages").count() == 2


def test_evidence_and_people_stay_however_old(night):
    person = make_person()
    give_evidence(person, "analytics", 3, observed_on=ago(9000).date())
    Person.objects.update(created_at=ago(9000), archived_at=ago(9000))
    night()
    assert Evidence.objects.count() == Person.objects.count() == 1


def test_a_night_that_was_cut_off_goes_on_where_it_was_and_counts_all(monkeypatch):
    for _ in range(5):
        mail(91, Mail.State.SENT)
    made = Job.objects.create(kind="ages.keep", heartbeat_at=NOW)
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    told = []

    def killed(done):
        told.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        housekeeping.clear_away(made, NOW, killed)
    assert Mail.objects.count() == 1
    counts = housekeeping.clear_away(made, NOW)
    assert list(counts.values()) == [5]
    assert not Mail.objects.exists()
    assert AuditEntry.objects.get(action="ages.kept").detail["counts"] == counts
    # A second worker that does the same once more tells nothing twice.
    housekeeping.clear_away(made, NOW)
    assert AuditEntry.objects.filter(action="ages.kept").count() == 1


def test_the_page_says_what_the_list_says(client, as_hr):
    for browser in (client, as_hr):
        page = browser.get("/kept/").content.decode()
        assert "90 days after they were uploaded" in page
        for age in AGES:
            assert age.words.split(",")[0] in page
    assert '<a href="/kept/">See what stays' in as_hr.get("/settings/").content.decode()
    as_hr.logout()
    client.force_login(make_user("employee"))
    assert client.get("/kept/").status_code == 200
