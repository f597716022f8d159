"""Teams: who may see what, joining, leaving, shares of time, merging and dissolving."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.factories import make_user
from candidates.factories import make_person
from roles.models import EnterpriseFunction
from teams import actions
from teams.factories import join, make_demand, make_initiative, make_team
from teams.models import Membership, Team

pytestmark = pytest.mark.django_db


def function_pk():
    return EnterpriseFunction.objects.get(slug="service-support").pk


def url(name, *args):
    return reverse(f"teams:{name}", args=args)


def test_hr_makes_a_team_and_adds_people(as_hr):
    response = as_hr.post(
        url("team_new"), {"name": "  Night   desk ", "function": function_pk(), "purpose": "Stays awake"}
    )
    team = Team.objects.get()
    assert response.url == url("team_detail", team.pk)
    assert team.name == "Night desk"
    person = make_person("Ada Night", kind="employee")
    as_hr.post(url("member_add", team.pk), {"email": person.email.upper(), "share": "60"})
    page = as_hr.get(url("team_detail", team.pk)).content.decode()
    assert "Ada Night" in page
    assert 'value="60"' in page


def test_executives_see_teams_without_a_single_name(client):
    team = make_team()
    join(team, make_person("Ada Hidden", kind="employee"))
    client.force_login(make_user("executive"))
    page = client.get(url("team_detail", team.pk)).content.decode()
    assert "Fewer than five people" in page
    assert "Ada Hidden" not in page
    assert team.name in client.get(url("team_list")).content.decode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"email": "nobody@example.org", "share": "100"}, "No person has this address"),
        ({"email": "CANDIDATE", "share": "100"}, "is a candidate"),
        ({"email": "BUSY", "share": "50"}, "would work 150%: 60% in First, 40% in Second and 50% here"),
        ({"email": "BUSY", "share": "0"}, "greater than or equal to 5"),
        ({"email": "BUSY", "share": "nan"}, "whole number"),
        ({"email": "", "share": ""}, "required"),
    ],
)
def test_who_cannot_join_is_told_why_and_nothing_is_written(as_hr, data, sentence):
    busy = make_person("Busy Bee", kind="employee")
    candidate = make_person("Candid Ate")
    join(make_team("First"), busy, share=60)
    join(make_team("Second"), busy, share=40)
    team = make_team("Third")
    data = data | {"email": {"BUSY": busy.email, "CANDIDATE": candidate.email}.get(data["email"], data["email"])}
    response = as_hr.post(url("member_add", team.pk), data)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not team.memberships.exists()


def test_a_share_of_time_changes_within_what_is_left(as_hr):
    person = make_person(kind="employee")
    join(make_team("Other"), person, share=50)
    membership = join(make_team("Own"), person, share=30)
    address = url("member_change", membership.team_id, membership.pk)
    assert as_hr.post(address, {"share": "50"}).status_code == 302
    response = as_hr.post(address, {"share": "55"})
    assert response.status_code == 400
    assert "would work 105%" in response.content.decode()
    membership.refresh_from_db()
    assert membership.share == 50


def test_leaving_keeps_the_history_and_coming_back_begins_anew(as_hr):
    team = make_team()
    membership = join(team, make_person(kind="employee"))
    as_hr.post(url("member_change", team.pk, membership.pk), {"leave": "1"})
    membership.refresh_from_db()
    assert membership.left_on == timezone.localdate()
    join(team, membership.person)
    assert Membership.objects.count() == 2
    assert Membership.objects.on_day(timezone.localdate() - timedelta(days=30)).count() == 2


def test_merging_takes_people_and_demands_along_and_adds_up_what_is_asked_twice(as_hr):
    old, new = make_team("Old"), make_team("New")
    person = make_person(kind="employee")
    join(old, person, share=40)
    initiative = make_initiative()
    make_demand(initiative, old, people=2)
    make_demand(initiative, new, people=3)
    make_demand(initiative, old, "video", people=1)
    response = as_hr.post(url("team_close", old.pk), {"into": new.pk})
    assert response.url == url("team_detail", new.pk)
    assert new.memberships.get().share == 40
    assert sorted(new.demands.values_list("skill__slug", "people")) == [("tone-empathy", 5), ("video", 1)]
    assert "Part of" in as_hr.get(url("team_detail", old.pk)).content.decode()
    assert as_hr.get(url("team_edit", old.pk)).status_code == 404
    with pytest.raises(ValidationError, match="closed"):
        actions.put_in_team(old, person, share=10, day=timezone.localdate(), by=None)


def test_dissolving_leaves_the_demands_open_and_says_so(as_hr):
    team = make_team(people=1)
    demand = make_demand(make_initiative(), team)
    as_hr.post(url("team_close", team.pk), {"into": ""})
    assert not team.memberships.current().exists()
    page = as_hr.get(url("initiative_detail", demand.initiative_id)).content.decode()
    assert "this team was dissolved; choose another" in page
    assert "0 of 1 covered" in page


def test_a_team_cannot_be_merged_into_itself(as_hr):
    team = make_team()
    assert as_hr.post(url("team_close", team.pk), {"into": team.pk}).status_code == 400
    team.refresh_from_db()
    assert team.closed_on is None


def test_a_name_is_used_once_among_teams_at_work(as_hr):
    make_team("Desk")
    response = as_hr.post(url("team_new"), {"name": "dESK", "function": function_pk()})
    assert "A team has this name already" in response.content.decode()
    actions.close_team(Team.objects.get(), into=None, day=timezone.localdate(), by=None)
    assert as_hr.post(url("team_new"), {"name": "Desk", "function": function_pk()}).status_code == 302


@pytest.mark.parametrize("name", ["équipe sociale", "Équipe  Sociale", "E\u0301QUIPE SOCIALE"])
def test_a_name_is_the_same_in_any_case_and_form_of_its_letters(as_hr, name):
    make_team("Équipe sociale")
    response = as_hr.post(url("team_new"), {"name": name, "function": function_pk()})
    assert "A team has this name already" in response.content.decode()
    team = Team.objects.get()
    renamed = as_hr.post(url("team_edit", team.pk), {"name": name, "function": team.function_id})
    assert renamed.status_code == 302


@pytest.mark.parametrize("values", [{"share": 101}, {"share": 4}, {"left_on": "2020-01-01"}])
def test_the_database_refuses_impossible_memberships(values):
    membership = join(make_team(), make_person(kind="employee"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=membership.pk).update(**values)


def test_lists_take_the_same_queries_however_long(as_hr, django_assert_num_queries):
    for _ in range(3):
        make_team(people=1)
    with django_assert_num_queries(5):
        as_hr.get(url("team_list"))
    for _ in range(20):
        make_team(people=1)
    with django_assert_num_queries(5):
        as_hr.get(url("team_list"))


def test_filters_and_the_empty_list(as_hr):
    assert "No teams yet" in as_hr.get(url("team_list")).content.decode()
    make_team("Desk", "it")
    assert "Desk" in as_hr.get(url("team_list") + "?function=it&q=des").content.decode()
    assert "No team matches" in as_hr.get(url("team_list") + "?function=marketing").content.decode()
