"""Personal development: goals, next steps, colleagues who offer help, and who may see it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.html import escape

from accounts.factories import make_user
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.models import Person
from roles.models import Skill

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(client):
    """Somebody signed in, with some evidence."""
    user = make_user("employee", name="Ines")
    person = make_person("Ines Own", kind="employee", user=user)
    for source in ("work_sample", "manager", "peer"):
        give_evidence(person, "tone-empathy", 2, source)
    client.force_login(user)
    return person


def page(client, person) -> str:
    return client.get(f"/people/{person.pk}/development/").content.decode()


def goal(**changes) -> dict:
    skill = Skill.objects.get(slug="tone-empathy").pk
    day = (timezone.localdate() + timedelta(days=90)).isoformat()
    return {"skill": skill, "level": "4", "due_on": day} | changes


def add(client, person, **changes):
    return client.post(f"/people/{person.pk}/development/goals/", goal(**changes))


def test_a_goal_shows_the_next_anchor_and_can_be_closed(client, own):
    assert add(client, own).status_code == 302
    anchor = Skill.objects.get(slug="tone-empathy").anchor(3)
    text = page(client, own)
    assert "goal: level 4" in text
    assert escape(anchor) in text
    assert "Goal: Tone &amp; empathy, level 4" in client.get("/").content.decode()
    client.post(f"/people/{own.pk}/development/goals/{own.goals.get().pk}/close/")
    assert "Closed goals" in page(client, own)
    assert not own.goals.open().exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"level": "0"}, "valid choice"),
        ({"level": "7"}, "valid choice"),
        ({"due_on": "2020-01-01"}, "within the next five years"),
        ({"due_on": "2090-01-01"}, "within the next five years"),
        ({"skill": "0"}, "valid choice"),
        ({"due_on": ""}, "required"),
    ],
)
def test_nonsense_in_a_goal_is_refused_where_it_stands(client, own, changes, sentence):
    response = add(client, own, **changes)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not own.goals.exists()


def test_one_open_goal_per_skill(client, own):
    add(client, own)
    response = add(client, own)
    assert response.status_code == 400
    assert "There is an open goal" in response.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        own.goals.create(skill_id=own.goals.get().skill_id, level=2, due_on=timezone.localdate())


def test_gaps_to_the_role_become_steps_essentials_first(client, own, version, hr):
    make_invitation(own, version, hr)
    text = page(client, own)
    assert "Measured against Community host" in text
    assert "the role aims at level 4" in text


def test_only_who_offers_help_and_surely_meets_the_level_is_named(client, own):
    add(client, own)
    names = {"Offers And Can": (5, True), "Can But Silent": (5, False), "Offers But Unsure": (2, True)}
    for name, (value, offers) in names.items():
        other = make_person(name, kind="employee", offers_help=offers)
        for source in ("work_sample", "manager", "peer", "interview_panel"):
            give_evidence(other, "tone-empathy", value, source)
    text = page(client, own)
    assert "Offers And Can" in text
    assert "Can But Silent" not in text
    assert "Offers But Unsure" not in text


def test_offering_help_is_one_s_own_decision(client, own, hr):
    client.post(f"/people/{own.pk}/development/help/", {"offers": "on"})
    own.refresh_from_db()
    assert own.offers_help
    client.force_login(hr)
    assert client.post(f"/people/{own.pk}/development/help/", {"offers": "off"}).status_code == 404
    assert Person.objects.get(pk=own.pk).offers_help


def test_the_way_so_far_compares_then_and_now(client, own):
    day = timezone.localdate() - timedelta(days=300)
    give_evidence(own, "video", 1, "work_sample", observed_on=day, rater="a")
    give_evidence(own, "video", 4, "manager")
    text = page(client, own)
    assert "The way so far" in text
    assert " then, " in text


def test_managers_help_others_stay_out(client, own):
    manager = make_user("assessor")
    boss = make_person("Boss", kind="employee", user=manager)
    Person.objects.filter(pk=own.pk).update(manager=boss)
    client.force_login(manager)
    assert add(client, own).status_code == 302
    client.force_login(make_user("assessor"))
    assert client.get(f"/people/{own.pk}/development/").status_code == 404
    assert add(client, own).status_code == 404
    client.force_login(make_user("executive"))
    assert client.get(f"/people/{own.pk}/development/").status_code == 404


def test_a_goal_of_somebody_else_is_not_found(client, own):
    other = make_person("Other", kind="employee")
    theirs = other.goals.create(skill=Skill.objects.first(), level=3, due_on=timezone.localdate())
    assert client.post(f"/people/{own.pk}/development/goals/{theirs.pk}/close/").status_code == 404


def test_without_evidence_the_page_says_what_comes_first(client):
    user = make_user("employee")
    person = make_person("New", kind="employee", user=user)
    client.force_login(user)
    assert "No goal is set" in page(client, person)
    add(client, person)
    text = page(client, person)
    assert "Not assessed yet" in text
    # Unknown is not low: what is shown is the goal, not level 1.
    anchors = Skill.objects.get(slug="tone-empathy")
    assert escape(anchors.anchor(4)) in text
    assert escape(anchors.anchor(1)) not in text
