"""The demo organisation, and home for everyone."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.factories import make_user
from accounts.models import User
from assessments.models import RatingRequest
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.models import Evidence, Invitation, Person
from candidates.ranking import RoleRanking
from roles.models import Role, RoleVersion
from teams import coverage
from teams.models import Snapshot

pytestmark = pytest.mark.django_db


def test_the_demo_is_seeded_once_the_same_every_time_and_believable(settings):
    settings.DEMO = True
    call_command("seed_demo", stdout=StringIO())
    kinds = {kind: Person.objects.filter(kind=kind).count() for kind in ("employee", "candidate")}
    assert kinds == {"employee": 120, "candidate": 60}
    assert Person.objects.exclude(function=None).values("function").distinct().count() == 8
    assert Role.objects.count() == 12
    assert Role.objects.exclude(retired_at=None).count() == 1
    assert RoleVersion.objects.drafts().count() == 2
    assert set(User.objects.values_list("role", flat=True)) == {"hr", "assessor", "executive", "employee"}
    assert Person.objects.filter(evidence=None).count() == 1
    assert Evidence.objects.values("source").distinct().count() >= 5
    days = Evidence.objects.dates("observed_on", "month")
    assert (days.reverse()[0] - days[0]).days > 270
    half = [i for i in Invitation.objects.with_progress().filter(submitted_at=None) if 0 < i.answered < i.asked]
    assert len(half) == 1
    assert RatingRequest.objects.open().count() >= 3
    assert User.objects.get(role="employee").person.invitations.exists()
    for version in RoleVersion.objects.published().with_requirements():
        counts = RoleRanking(version).band_counts()["inside"]
        assert counts["open"] > counts["likely"]
    quarters = [snapshot.figures["exact"]["total"] for snapshot in Snapshot.objects.all()]
    assert len(quarters) == 4
    assert quarters[0][0] / quarters[0][1] < quarters[-1][0] / quarters[-1][1]
    board = coverage.current()
    assert {share.state for share in board.exact.initiatives.values()} == {"meets", "uncertain", "gap"}
    assert len(board.initiatives) == 6
    assert board.one_deep
    assert board.stale["old"]
    call_command("seed_demo", "--if-empty", stdout=StringIO())
    assert Person.objects.count() == 180
    with pytest.raises(CommandError, match="people in this installation already"):
        call_command("seed_demo")


def test_the_demo_stays_out_of_a_real_installation(settings):
    settings.DEMO = False
    call_command("seed_demo", "--if-empty")
    assert not Person.objects.exists()
    with pytest.raises(CommandError, match="demo mode only"):
        call_command("seed_demo")


def test_a_newcomer_is_told_what_to_do_first(as_hr):
    assert "Set up in three steps" in as_hr.get("/").content.decode()


def test_everybody_has_a_home(client, version, hr):
    user = make_user("employee", name="Ines")
    make_invitation(make_person("Ines", user=user), version, hr)
    client.force_login(user)
    page = client.get("/").content.decode()
    assert "0 of 3 answered" in page
    assert "People" not in page.split("<main")[1]
    for role, text in (("assessor", "Nothing waits for you"), ("executive", "No initiative is active yet")):
        client.force_login(make_user(role))
        assert text in client.get("/").content.decode()


def test_an_employee_s_home_shows_the_own_profile_and_the_way_so_far(client):
    user = make_user("employee")
    person = make_person("Own", kind="employee", user=user)
    give_evidence(person, "video", 1, observed_on=timezone.localdate() - timedelta(days=200))
    give_evidence(person, "video", 5, "manager")
    client.force_login(user)
    page = client.get("/").content.decode()
    assert "Video: estimate" in page
    assert "The way so far" in page


def test_an_assessor_s_home_names_whom_to_rate(client, version):
    rater = make_user("assessor")
    for n in range(7):
        person = make_person(f"Waiting Number{n}", kind="employee")
        RatingRequest.objects.create(subject=person.subject, rater=rater, kind="manager", role_version=version)
    client.force_login(rater)
    page = client.get("/").content.decode()
    assert page.count("Waiting Number") == 5
    assert "All 7 ratings" in page


def test_home_takes_few_queries(as_hr, version, hr, django_assert_max_num_queries):
    for n in range(10):
        make_invitation(make_person(f"P{n}"), version, hr)
    as_hr.get("/")
    with django_assert_max_num_queries(15):
        as_hr.get("/")
