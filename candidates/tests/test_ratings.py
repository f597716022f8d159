"""Managers and peers rate from a queue; others' ratings stay hidden until one's own is in."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.factories import make_user
from accounts.models import AuditEntry
from assessments.models import Rating, RatingRequest
from candidates import actions
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Evidence
from roles.factories import make_version

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


def sign_on(page) -> str:
    """What a page says it showed, as its form sends it back."""
    return re.search(r'name="seen" value="(\w+)"', page.content.decode()).group(1)


@pytest.mark.parametrize("earlier", [{}, {"level": "1"}, {"level": "3", "note": "Old"}])
def test_the_later_of_two_tabs_is_told_what_was_given_meanwhile_and_keeps_what_was_typed(as_boss, asked, earlier):
    path = rating_of(asked, 1)
    if earlier:
        as_boss.post(path, earlier)
    first = second = sign_on(as_boss.get(path))
    assert as_boss.post(path, {"level": "4", "note": "Saw it on Monday", "seen": first}).status_code == 302
    told = as_boss.post(path, {"level": "none", "note": "Saw too little", "seen": second})
    page = told.content.decode()
    assert told.status_code == 409
    assert "level 4 with the note “Saw it on Monday”" in page
    assert "Saw too little</textarea>" in page
    assert re.search(r'value="none"[^>]* checked', page)
    assert Rating.objects.values_list("level", "note").get() == (4, "Saw it on Monday")
    again = as_boss.post(path, {"level": "none", "note": "Saw too little", "seen": sign_on(told)})
    assert again.status_code == 302
    assert Rating.objects.values_list("level", "note").get() == (None, "Saw too little")


def test_the_same_rating_from_two_tabs_is_one_and_a_rating_is_changed_by_coming_back(as_boss, asked):
    path = rating_of(asked, 1)
    seen = sign_on(as_boss.get(path))
    for _ in range(2):
        assert as_boss.post(path, {"level": "4", "note": "Two\r\nlines", "seen": seen}).status_code == 302
    assert as_boss.post(path, {"level": "2", "seen": sign_on(as_boss.get(path))}).status_code == 302
    assert Rating.objects.values_list("level", "note").get() == (2, "")


@pytest.mark.parametrize("other", ["kind", "role"])
def test_a_second_request_to_the_same_rater_says_what_is_open_and_offers_to_withdraw_it(
    as_hr, as_boss, hr, asked, ines, boss, version, other
):
    as_boss.post(rating_of(asked, 1), {"level": "4"})
    wanted = make_version(hr, title="Night editor") if other == "role" else version
    kind = "peer" if other == "kind" else "manager"
    refused = ask(as_hr, ines, wanted, boss.email, kind)
    page = " ".join(refused.content.decode().split())
    assert refused.status_code == 409
    assert "Tom Boss has been asked already" in page
    assert f"rate Ines Okafor as their manager for {version.role.title}, version 1" in page
    assert "The 1 skill that they have rated so far would not count." in page
    assert RatingRequest.objects.get() == asked
    form = dict(re.findall(r'name="(role_version|rater|kind|instead)" value="([^"]*)"', page))
    assert as_hr.post(f"/people/{ines.pk}/rating/", form).status_code == 302
    new = RatingRequest.objects.open().get()
    assert (new.kind, new.role_version, new.rater) == (kind, wanted, boss)
    asked.refresh_from_db()
    assert asked.withdrawn_at
    assert AuditEntry.objects.get(action="rating.withdrawn").by == hr
    assert as_boss.post(rating_of(asked, 2), {"level": "4"}).status_code == 410


@pytest.mark.parametrize("whose", ["another rater's", "another person's", "handed in"])
def test_only_the_rater_s_own_open_request_is_withdrawn(as_hr, ines, boss, version, whose):
    other = {
        "another rater's": {"subject": ines.subject, "rater": make_user("assessor")},
        "another person's": {"subject": make_person("Else").subject, "rater": boss},
        "handed in": {"subject": ines.subject, "rater": boss, "submitted_at": timezone.now()},
    }[whose]
    kept = RatingRequest.objects.create(kind="peer", role_version=version, **other)
    data = {"role_version": version.pk, "rater": boss.email, "kind": "manager", "instead": kept.pk}
    assert as_hr.post(f"/people/{ines.pk}/rating/", data).status_code == 302
    kept.refresh_from_db()
    assert kept.withdrawn_at is None
    assert RatingRequest.objects.open().filter(kind="manager", rater=boss).count() == 1


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
