"""Managers and peers rate from a queue; others' ratings stay hidden until one's own is in."""

import pytest
from django.test import Client

from accounts.factories import make_user
from assessments.models import Rating, RatingRequest
from candidates import actions
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Evidence

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return make_user("assessor", name="Tom Boss")


@pytest.fixture
def ines(boss):
    manager = make_person("Tom Boss", kind="employee", user=boss)
    return make_person("Ines Okafor", kind="employee", manager=manager)


def ask(client, person, version, rater, kind="manager"):
    data = {"role_version": version.pk, "rater": rater, "kind": kind}
    return client.post(f"/people/{person.pk}/rating/", data)


@pytest.fixture
def asked(as_hr, ines, boss, version):
    ask(as_hr, ines, version, boss.email)
    return RatingRequest.objects.get()


def rating_of(request, place: int) -> str:
    """The address of the first, second, third skill of a rating."""
    lines = request.role_version.requirements.order_by("skill__skill_set__position", "skill__position")
    return f"/ratings/{request.pk}/skills/{lines[place - 1].skill.slug}/"


@pytest.fixture
def as_boss(boss):
    client = Client()
    client.force_login(boss)
    return client


def test_hr_asks_the_manager_once_and_finds_the_address_filled_in(as_hr, asked, ines, boss, version):
    assert boss.email in as_hr.get(f"/people/{ines.pk}/").content.decode()
    ask(as_hr, ines, version, boss.email.upper())
    assert RatingRequest.objects.count() == 1


def test_a_colleague_rates_as_a_colleague(as_hr, ines, version):
    peer = make_user("employee")
    assert ask(as_hr, ines, version, peer.email, "peer").status_code == 302
    request = RatingRequest.objects.get()
    client = Client()
    client.force_login(peer)
    client.post(rating_of(request, 1), {"level": "4"})
    client.post(f"/ratings/{request.pk}/hand-in/")
    assert Evidence.objects.get().source == "peer"
    assert client.get(f"/people/{ines.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("rater", "kind", "said"),
    [
        ("nobody@example.org", "peer", "no account with the address"),
        ("nonsense", "peer", "valid email"),
        ("self@example.org", "peer", "Nobody rates themselves"),
        ("hr", "friend", "valid choice"),
    ],
)
def test_whoever_cannot_rate_is_not_asked(as_hr, hr, ines, version, rater, kind, said):
    ines.user = make_user("employee", email="self@example.org")
    ines.save()
    response = ask(as_hr, ines, version, hr.email if rater == "hr" else rater, kind)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not RatingRequest.objects.exists()


def test_the_queue_leads_through_the_skills_to_evidence(as_boss, asked, ines, boss):
    assert "Ines Okafor" in as_boss.get("/ratings/").content.decode()
    for place, level in enumerate(("4", "none", "2"), start=1):
        page = as_boss.get(rating_of(asked, place)).content.decode()
        assert "I can’t judge this" in page
        assert as_boss.post(rating_of(asked, place), {"level": level, "note": "Saw it"}).status_code == 302
    assert not Evidence.objects.exists()
    as_boss.post(f"/ratings/{asked.pk}/hand-in/")
    rows = Evidence.objects.filter(person=ines, source="manager", made_by=boss)
    assert sorted(rows.values_list("value", flat=True)) == [2.0, 4.0]
    assert Estimate.objects.count() == 2
    assert as_boss.post(f"/ratings/{asked.pk}/hand-in/").status_code == 410
    assert as_boss.post(rating_of(asked, 1), {"level": "0"}).status_code == 410
    assert Evidence.objects.count() == 2


def test_others_ratings_stay_hidden_until_one_s_own_is_in(as_boss, asked, ines):
    give_evidence(ines, "tone-empathy", 5, "work_sample")
    page = as_boss.get(f"/people/{ines.pk}/").content.decode()
    assert "Work sample" not in page
    assert "appear here once yours is in" in page
    as_boss.post(rating_of(asked, 1), {"level": "3"})
    as_boss.post(f"/ratings/{asked.pk}/hand-in/")
    assert "Work sample" in as_boss.get(f"/people/{ines.pk}/").content.decode()


@pytest.mark.parametrize("data", [{}, {"level": "6"}, {"level": "nan"}, {"level": "3", "note": "x" * 1001}])
def test_bad_ratings_are_refused_and_keep_what_was_typed(as_boss, asked, data):
    response = as_boss.post(rating_of(asked, 1), data)
    assert response.status_code == 400
    assert not Rating.objects.exists()


def test_an_empty_rating_is_not_handed_in(as_boss, asked):
    assert as_boss.post(f"/ratings/{asked.pk}/hand-in/").status_code == 400
    assert RatingRequest.objects.get().submitted_at is None


def test_a_request_is_its_rater_s_own(asked, client):
    client.force_login(make_user("assessor"))
    assert client.get(rating_of(asked, 1)).status_code == 404
    assert client.post(rating_of(asked, 1), {"level": "3"}).status_code == 404
    assert client.get(f"/ratings/{asked.pk}/").status_code == 404
    assert client.post(f"/ratings/{asked.pk}/hand-in/").status_code == 404


def test_a_newer_rating_by_the_same_rater_replaces_the_older_one(ines, boss, version):
    for level in (1, 4):
        request = RatingRequest.objects.create(subject=ines.subject, rater=boss, kind="manager", role_version=version)
        skill = version.requirements.all()[0].skill
        Rating.objects.create(request=request, skill=skill, level=level)
        from django.utils import timezone

        actions.take_rating(request, timezone.now())
    estimate = Estimate.objects.get()
    alone = make_person()
    give_evidence(alone, skill.slug, 4, "manager", rater="x")
    assert estimate.mean == Estimate.objects.get(person=alone).mean
    assert Evidence.objects.filter(person=ines).count() == 2
