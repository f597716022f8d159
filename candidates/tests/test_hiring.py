"""How many are likely for each role: counted in parts, shown with the time; and the roles that suit one person."""

import pytest
from django.urls import reverse

from accounts.append_only import opened
from accounts.factories import make_user
from candidates import matrix, standings
from candidates.factories import give_evidence, make_person
from candidates.models import Person
from candidates.ranking import RoleRanking
from candidates.standings import RoleStanding, suiting
from candidates.tasks import count_roles
from roles import actions as role_actions
from roles.factories import make_version
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.django_db
URL = "/hiring/"


@pytest.fixture
def people(version):
    people = [make_person(f"P {n}", kind="employee" if n % 2 else "candidate") for n in range(9)]
    for n, person in enumerate(people[:7]):
        for skill in ("tone-empathy", "micro-copy", "analytics"):
            give_evidence(person, skill, n % 6, source="work_sample")
            give_evidence(person, skill, n % 6, source="manager")
    return people


def counted(version) -> RoleStanding:
    return RoleStanding.objects.get(version=version)


def test_the_count_is_that_of_the_ranking_however_it_is_cut(version, people, run_jobs, monkeypatch):
    wanted = RoleRanking(version)
    for size in (50_000, 4, 1):
        monkeypatch.setattr(standings, "PART", size)
        standings.count()
        run_jobs()
        found = counted(version)
        assert {"inside": found.employees, "candidates": found.candidates} == wanted.band_counts()
        assert found.expected == pytest.approx(wanted.expected_qualified(), abs=1e-6)
    assert Job.objects.filter(kind="roles.count.part", state="done").count() == 1 + 3 + 9


def test_all_parts_count_what_was_known_when_counting_began(version, people, run_jobs, monkeypatch):
    """A change between two parts is for the next count: the snapshot is what they share."""
    monkeypatch.setattr(standings, "PART", 4)
    wanted = RoleRanking(version).band_counts()
    real = standings.count_part

    def part(**arguments):
        found = real(**arguments)
        with opened("A test erases people", "a test"):
            Person.objects.filter(pk__in=[person.pk for person in people[4:]]).delete()
        make_person("Later")
        matrix.renew_snapshot()
        return found

    monkeypatch.setattr(standings, "count_part", part)
    standings.count()
    run_jobs()
    assert {"inside": counted(version).employees, "candidates": counted(version).candidates} == wanted


def test_a_machine_without_the_snapshot_counts_what_is_known_now(version, people):
    first, last = people[0].pk, people[-1].pk
    found = standings.count_part("0000000042.levels", [version.pk], first, last)
    assert sum(found[str(version.pk)][0].values()) == 4


def test_counting_is_due_after_every_change_and_not_before(version, people, run_jobs):
    assert standings.is_due()
    count_roles()
    count_roles()
    assert Job.objects.filter(kind="roles.count").count() == 1
    run_jobs()
    assert not standings.is_due()
    count_roles()
    assert Job.objects.filter(kind="roles.count").count() == 1
    give_evidence(people[8], "analytics", 3)
    assert standings.is_due()


def test_with_nobody_there_everybody_is_counted_at_once(version, run_jobs):
    standings.count()
    run_jobs()
    assert Job.objects.get(kind="roles.count").state == "done"
    assert counted(version).employees == {"likely": 0, "open": 0, "unlikely": 0, "not_assessed": 0}
    assert not standings.is_due()


def test_a_role_that_has_gone_meanwhile_is_left_out(version):
    parts = [{str(version.pk): [{"likely": 2}, {}, 1.5], "999": [{}, {}, 0.0]}]
    standings.store(parts, {"versions": [version.pk, 999], "change": 1})
    assert [one.version for one in RoleStanding.objects.all()] == [version]
    assert counted(version).employees["likely"] == 2


def test_hr_sees_the_counts_and_counts_again(as_hr, version, people, run_jobs):
    page = as_hr.get(URL).content.decode()
    assert "Nobody has been counted yet" in page
    assert "Not counted" in page
    response = as_hr.post("/hiring/count/")
    job = Job.objects.get(kind="roles.count")
    assert response.url == reverse("jobs:job_progress", args=[job.pk])
    run_jobs()
    assert f'href="{URL}"' in as_hr.get(response.url).content.decode()
    page = as_hr.get(URL).content.decode()
    assert "Count again" in page
    assert f"{counted(version).employees['likely']}</td>" in page


def test_the_number_of_queries_does_not_grow_with_roles(as_hr, hr, version, run_jobs, django_assert_max_num_queries):
    for _ in range(4):
        make_version(hr)
    standings.count()
    run_jobs()
    with django_assert_max_num_queries(9):
        assert as_hr.get(URL).content.decode().count("expected") == 5


@pytest.mark.parametrize("role", ["assessor", "executive", "employee"])
def test_others_count_nothing(client, role):
    client.force_login(make_user(role))
    assert client.post("/hiring/count/").status_code in {403, 404}
    assert not Job.objects.exists()


def test_counting_needs_a_post(as_hr):
    assert as_hr.get("/hiring/count/")["Location"] == "/hiring/"


def test_the_roles_that_suit_somebody_come_best_first(as_hr, hr, version, people):
    easy = make_version(hr)
    found = suiting(people[5])
    assert [one["version"] for one in found] in ([version, easy], [easy, version])
    assert [one["chance"] for one in found] == sorted((one["chance"] for one in found), reverse=True)
    line = next(line for line in RoleRanking(version)[:20] if line.person == people[5])
    mine = next(one for one in found if one["version"] == version)
    assert mine["band"] == line.band
    assert mine["chance"] == pytest.approx(line.all_essentials, abs=1e-4)
    assert "Roles that suit best" in as_hr.get(f"/people/{people[5].pk}/").content.decode()


def test_nobody_suits_a_role_of_which_nothing_is_known(as_hr, version, people):
    assert suiting(people[8]) == []
    assert "Roles that suit best" not in as_hr.get(f"/people/{people[8].pk}/").content.decode()
    Person.objects.filter(pk=people[5].pk).update(archived_at="2026-01-01T00:00Z")
    assert suiting(people[5]) == []


def test_a_retired_role_suits_nobody(hr, version, people):
    role_actions.set_retired(version.role, by=hr, retired=True)
    assert suiting(people[5]) == []
