"""Initiatives and demands: drafting, reading as sentences, activating, and input that makes no sense."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.factories import make_user
from candidates.factories import give_evidence, make_person
from roles.models import EnterpriseFunction, RoleTemplate, Skill
from teams.factories import join, make_demand, make_initiative, make_team
from teams.models import Demand, Initiative

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"teams:{name}", args=args)


def described(**changes) -> dict:
    return {
        "title": "Answer at night",
        "function": EnterpriseFunction.objects.get(slug="service-support").pk,
        "goal": "Nobody waits until morning.",
        "phase": "implement",
        "deadline_on": (timezone.localdate() + timedelta(days=60)).isoformat(),
        "budget": "",
        "owner_email": "",
        "start": "",
        "people": "1",
        "team": "",
    } | changes


def asked(at, **changes) -> dict:
    return {
        "people": "2",
        "team": at.pk,
        "level": "3",
        "skill": Skill.objects.get(slug="tone-empathy").pk,
        "due_on": (timezone.localdate() + timedelta(days=30)).isoformat(),
        "phase": "manage",
        "reason": "Nights are hard.",
    } | changes


def test_a_demand_reads_as_a_sentence():
    team = make_team("Customer care")
    demand = make_demand(make_initiative(), team, people=2, due_on=date(2027, 3, 1))
    assert demand.sentence == "at least 2 people in Customer care at level 3 or above in tone & empathy by 1 March 2027"
    assert make_demand(make_initiative("x"), team).sentence.startswith("at least 1 person in")


def test_from_scratch_to_active(as_hr):
    owner = make_person("Owner One", kind="employee")
    as_hr.post(url("initiative_new"), described(owner_email=owner.email, budget="1200.50"))
    one = Initiative.objects.get()
    assert (one.owner, one.state) == (owner, "planned")
    team = make_team()
    response = as_hr.post(url("demand_add", one.pk), asked(team) | {"again": "1"})
    assert response.url == url("demand_add", one.pk)
    page = as_hr.get(url("initiative_detail", one.pk)).content.decode()
    assert "At least 2 people" in page
    assert "Planned. Its demands count" in page
    as_hr.post(url("initiative_state", one.pk), {"state": "active"})
    page = as_hr.get(url("initiative_detail", one.pk)).content.decode()
    assert "Not ready" in page
    as_hr.post(url("initiative_state", one.pk), {"state": "ended"})
    one.refresh_from_db()
    assert one.state == "ended"
    assert as_hr.post(url("initiative_state", one.pk), {"state": "ended"}).status_code == 409
    assert as_hr.post(url("initiative_state", one.pk), {"state": "sideways"}).status_code == 409


def test_demands_are_drafted_from_a_role_template(as_hr):
    template = RoleTemplate.objects.get(slug="community-manager")
    retired = template.requirements.filter(is_essential=False, weight__gt=1).first().skill
    Skill.objects.filter(pk=retired.pk).update(retired_at=timezone.now())
    team = make_team()
    data = described(start=f"template-{template.pk}", team=team.pk, people="2")
    as_hr.post(url("initiative_new"), data)
    demands = Initiative.objects.get().demands.all()
    assert demands.count() >= 4
    assert {one.people for one in demands} == {2}
    assert retired.pk not in {one.skill_id for one in demands}
    essential = template.requirements.filter(is_essential=True).values_list("skill", flat=True)
    assert set(essential) <= set(demands.values_list("skill", flat=True))


def test_a_template_needs_a_team(as_hr):
    template = RoleTemplate.objects.first()
    response = as_hr.post(url("initiative_new"), described(start=f"template-{template.pk}"))
    assert response.status_code == 400
    assert "Choose the team" in response.content.decode()
    assert not Initiative.objects.exists()


def test_demands_are_copied_from_an_earlier_initiative(as_hr):
    earlier = make_initiative("Earlier")
    for slug in ("video", "analytics"):
        make_demand(earlier, make_team(), slug, people=3)
    as_hr.post(url("initiative_new"), described(start=f"initiative-{earlier.pk}"))
    copy = Initiative.objects.get(title="Answer at night")
    assert set(copy.demands.values_list("skill__slug", "people")) == {("video", 3), ("analytics", 3)}
    assert {one.due_on for one in copy.demands.all()} == {copy.deadline_on}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "required"),
        ({"title": "x" * 121}, "at most 120"),
        ({"deadline_on": "2020-01-01"}, "still to come"),
        ({"deadline_on": "2999-01-01"}, "still to come"),
        ({"deadline_on": "soon"}, "valid date"),
        ({"budget": "-1"}, "not valid|greater|negative|constraint"),
        ({"budget": "NaN"}, "number"),
        ({"owner_email": "nobody@example.org"}, "No person has this address"),
        ({"start": "template-99999"}, "valid choice"),
    ],
)
def test_nonsense_in_an_initiative_is_refused_where_it_stands(as_hr, changes, sentence):
    response = as_hr.post(url("initiative_new"), described(**changes))
    assert response.status_code == 400
    page = response.content.decode()
    assert any(word in page for word in sentence.split("|")), page
    assert not Initiative.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"people": "0"}, "at least one person"),
        ({"people": "10000"}, "at most 500 people"),
        ({"people": "two"}, "whole number"),
        ({"level": "0"}, "greater than or equal to 1"),
        ({"level": "7"}, "less than or equal to 5"),
        ({"due_on": "2020-01-01"}, "still to come"),
        ({"team": "99999"}, "valid choice"),
        ({"skill": ""}, "required"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_nonsense_in_a_demand_is_refused_where_it_stands(as_hr, changes, sentence):
    one = make_initiative()
    response = as_hr.post(url("demand_add", one.pk), asked(make_team(), **changes))
    assert response.status_code == 400
    page = response.content.decode()
    assert sentence in page
    if "reason" not in changes:
        assert "Nights are hard." in page
    assert not one.demands.exists()


def test_the_same_is_asked_for_once(as_hr):
    one, team = make_initiative(), make_team()
    as_hr.post(url("demand_add", one.pk), asked(team))
    response = as_hr.post(url("demand_add", one.pk), asked(team))
    assert response.status_code == 400
    assert "asked for already, for 2" in response.content.decode()
    assert one.demands.count() == 1


def test_a_passed_day_may_stay_when_something_else_changes(as_hr):
    team = make_team()
    demand = make_demand(make_initiative(), team)
    yesterday = timezone.localdate() - timedelta(days=1)
    Demand.objects.filter(pk=demand.pk).update(due_on=yesterday)
    address = url("demand_edit", demand.initiative_id, demand.pk)
    response = as_hr.post(address, asked(team, people="4", due_on=yesterday.isoformat()))
    assert response.status_code == 302
    demand.refresh_from_db()
    assert (demand.people, demand.due_on) == (4, yesterday)
    assert "overdue" in as_hr.get(url("initiative_detail", demand.initiative_id)).content.decode()


def test_a_demand_is_removed_and_one_of_another_initiative_is_not_found(as_hr):
    demand = make_demand(make_initiative(), make_team())
    other = make_initiative("Other")
    assert as_hr.post(url("demand_remove", other.pk, demand.pk)).status_code == 404
    as_hr.post(url("demand_remove", demand.initiative_id, demand.pk))
    assert not Demand.objects.exists()


def test_executives_read_initiatives_by_count_and_change_nothing(client):
    team = make_team()
    for n in range(6):
        person = make_person(f"Hidden Name{n}", kind="employee")
        join(team, person)
        give_evidence(person, "tone-empathy", 4)
    one = make_initiative(owner=person)
    make_demand(one, team, people=3)
    client.force_login(make_user("executive"))
    page = client.get(url("initiative_detail", one.pk)).content.decode()
    assert re.search(r"about \d+% covered", page)
    assert "of 3 covered" not in page
    assert "Hidden" not in page
    assert "Add a demand" not in page
    assert client.post(url("initiative_state", one.pk), {"state": "ended"}).status_code == 404


def test_too_few_people_are_not_counted_for_executives(client):
    team = make_team()
    for n in range(4):
        person = make_person(f"Person {n}", kind="employee")
        join(team, person)
        for source in ("work_sample", "manager", "peer"):
            give_evidence(person, "tone-empathy", 5 if person.name.endswith("1") else 1, source)
    one = make_initiative()
    make_demand(one, team)
    client.force_login(make_user("executive"))
    page = client.get(url("initiative_detail", one.pk)).content.decode()
    assert "Fewer than five people" in page
    home = client.get("/").content.decode()
    assert "Nothing falls short when a single person leaves" in home
    assert "of 1 covered" not in page
    assert "sure to be covered" not in page


def test_the_list_filters_sorts_and_says_when_it_is_empty(as_hr, django_assert_num_queries):
    assert "No initiatives yet" in as_hr.get(url("initiative_list")).content.decode()
    make_initiative("Alpha", active=False)
    make_initiative("Beta", function="it")
    page = as_hr.get(url("initiative_list") + "?state=active&function=it&sort=title").content.decode()
    assert "Beta" in page
    assert "Alpha" not in page
    assert "No initiative matches" in as_hr.get(url("initiative_list") + "?q=zzz").content.decode()
    for n in range(10):
        make_demand(make_initiative(f"Number {n}"), make_team())
    as_hr.get(url("initiative_list"))
    with django_assert_num_queries(7):
        as_hr.get(url("initiative_list"))


def test_the_database_refuses_impossible_demands():
    demand = make_demand(make_initiative(), make_team())
    for values in ({"people": 0}, {"people": 501}, {"level": 0}, {"level": 6}, {"phase": "later"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Demand.objects.filter(pk=demand.pk).update(**values)
