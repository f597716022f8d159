"""Clearing the demo: all of it goes and is told once, and what somebody has added stays."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.append_only import opened
from accounts.erasure import Erasure
from accounts.factories import make_user
from accounts.models import AuditEntry, Link, User, record
from candidates import actions as people_actions
from candidates import importing, matrix
from candidates.factories import make_invitation, make_person
from candidates.models import Change, Evidence, Invitation, Person
from roles.factories import make_version
from roles.models import Role, RoleVersion, Skill
from socialstrategy.mail.models import Mail
from teams import coverage, demo, demo_clearing
from teams.factories import join, make_initiative, make_team
from teams.models import Initiative, Snapshot, Team
from teams.publication import newest
from teams.told import Telling

pytestmark = pytest.mark.django_db
KEPT = {"accounts_auditentry", "accounts_erasure", "candidates_change", "sqlite_sequence"}


def sizes() -> dict[str, int]:
    """How many rows each table has, but for those in which a clearing leaves its trace."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - KEPT:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


def run(*options) -> str:
    out = StringIO()
    call_command("clear_demo", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def seeded(settings):
    settings.DEMO = True
    before = sizes()
    demo.seed()
    return before


def test_nothing_of_the_demo_is_left_and_it_can_be_seeded_again(seeded, client):
    for role in ("hr", "employee"):
        assert client.post("/demo/", {"role": role}).status_code == 302
    client.post("/demo/", {"role": "hr"})
    hr = User.objects.get(email__startswith="hr@")
    ines = Person.objects.get(user__email__startswith="employee@")
    batch = importing.create_batch("people.csv", b"Name,E-mail\nA,a@x.example\n", by=hr)
    importing.judge(batch)
    Link.objects.issue(Link.Purpose.ADDRESS, hr.pk, timezone.now())
    assert newest()
    assert Mail.objects.exists()
    assert Telling.objects.exists()
    version = RoleVersion.objects.published().first()
    people_actions.store_fit(ines, version, by=hr)
    assert len(matrix.current().everybody)
    said = run()
    assert "180 candidates.person" in said
    assert "stays: the catalogue, the parameters\n" in said
    assert sizes() == seeded
    entry, listed = AuditEntry.objects.get(), Erasure.objects.get()
    assert (entry.action, entry.by, listed.kind, listed.by) == ("erased.demo", None, "demo", None)
    assert entry.detail["counts"] == listed.counts
    assert (listed.counts["candidates.person"], listed.counts["accounts.user"]) == (180, 4)
    assert listed.counts["sessions.session"] == 1
    assert len(matrix.current().everybody) == 0
    assert not coverage.current().initiatives
    assert client.get("/").status_code == 302
    client.raise_request_exception = False
    for role in ("hr", "assessor", "executive", "employee"):
        assert client.post("/demo/", {"role": role}).status_code == 404
    assert "nothing of the demo" in run()
    assert AuditEntry.objects.count() == 1
    call_command("seed_demo", stdout=StringIO())
    assert Person.objects.count() == 180
    assert client.post("/demo/", {"role": "hr"}).status_code == 302


def everything() -> dict[str, int]:
    return sizes() | {"audit": AuditEntry.objects.count(), "evidence": Evidence.objects.count()}


@pytest.fixture
def added(seeded):
    """What somebody has added by hand, partly signed in as the demo's HR manager."""
    demo_hr, own_hr = User.objects.get(email__startswith="hr@"), make_user("hr", email="real@firm.example")
    zoe = make_person("Zoë Real", kind="employee", email="zoe@firm.example")
    record("person.created", zoe, zoe.code, by=demo_hr)
    zoe.manager = Person.objects.filter(email__startswith="person001@").get()
    zoe.save()
    row = {
        "skill": Skill.objects.get(slug="video"),
        "source": "manager",
        "value": 4,
        "observed_on": timezone.localdate(),
    }
    people_actions.add_evidence(zoe, [row], by=demo_hr)
    care = Team.objects.get(name="Care by day")
    join(care, zoe, share=50)
    asked = Invitation.objects.filter(person__user__email__startswith="employee@").first()
    make_invitation(zoe, asked.role_version, demo_hr)
    make_version(own_hr, title="Of our own")
    make_team("Team of our own", people=0)
    make_initiative("Of our own", owner=Person.objects.filter(email__startswith="person002@").get())
    return zoe


def test_with_more_than_the_demo_here_nothing_goes_until_somebody_says_so(added):
    before = everything()
    with pytest.raises(CommandError, match=r"1 account, 1 person, 1 role, 1 team, 1 initiative\. "):
        run()
    assert everything() == before


def test_what_was_added_stays_with_what_it_needs_and_who_did_it_is_a_closed_account(added):
    said = run("--yes")
    assert "1 account, 1 person, 2 roles, 2 teams, 1 initiative\n" in said
    added.refresh_from_db()
    assert added.manager is None
    assert added.memberships.get().team.name == "Care by day"
    assert added.invitations.get().sitting
    assert Role.objects.filter(title="Of our own").exists()
    assert Initiative.objects.get().owner is None
    assert list(Person.objects.all()) == [added]
    (evidence,) = Evidence.objects.all()
    assert evidence.made_by.name == f"Erased account {evidence.made_by_id}"
    assert not evidence.made_by.is_active
    assert not demo_clearing.accounts().exists()
    assert list(matrix.current().people[matrix.current().everybody]) == [added.pk]
    assert not AuditEntry.objects.filter(action="team.created", summary="Brand").exists()
    assert AuditEntry.objects.get(action="person.created", by=evidence.made_by)
    assert not Snapshot.objects.exists()
    assert "nothing of the demo" in run("--yes")
    assert Person.objects.exists()


def test_whoever_keeps_something_in_memory_learns_of_a_clearing_though_nobody_of_the_demo_was_left(seeded):
    # People note their own changes; roles, teams and the catalogue do not.
    with opened("A test has everybody leave", "a test"):
        Initiative.objects.all().delete()
        Person.objects.all().delete()
    Change.objects.all().delete()
    run()
    assert Change.objects.filter(person=None).exists()


def test_a_clearing_that_fails_has_taken_nothing(seeded, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    before = everything()
    monkeypatch.setattr("accounts.erasure.record", fail)
    with pytest.raises(ZeroDivisionError):
        run()
    assert everything() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_after_closed_accounts_alone_the_demo_is_seeded_again(seeded):
    hr = User.objects.get(email__startswith="hr@")
    record("skill.changed", Skill.objects.first(), "A skill", by=hr)
    run()
    assert User.objects.get().email.endswith("@erased.invalid")
    assert AuditEntry.objects.filter(action="skill.changed", by=User.objects.get()).count() == 1
    call_command("seed_demo", stdout=StringIO())
    assert User.objects.count() == 5


def test_without_a_demo_nothing_is_touched(hr):
    make_team("Brand", "marketing", by=hr)
    before = everything()
    assert "nothing of the demo" in run()
    assert everything() == before
