"""Teams and initiatives for tests."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from candidates.factories import make_person
from roles.models import EnterpriseFunction, Skill
from teams import actions
from teams.models import Demand, Initiative, Team

_numbers = count(1)


def make_team(name="", function="service-support", *, people=0, by=None) -> Team:
    """A team, with ``people`` new employees in it."""
    team = Team(name=name or f"Team {next(_numbers)}", function=EnterpriseFunction.objects.get(slug=function))
    actions.save_team(team, by=by)
    for _ in range(people):
        join(team, make_person(kind="employee"))
    return team


def join(team, person, share=100):
    day = timezone.localdate() - timedelta(days=400)
    return actions.put_in_team(team, person, share=share, day=day, by=None)


def make_initiative(title="Answer within the hour", function="service-support", *, active=True, **fields) -> Initiative:
    today = timezone.localdate()
    values = {"goal": "Nobody waits.", "deadline_on": today + timedelta(days=120), **fields}
    initiative = Initiative(title=title, function=EnterpriseFunction.objects.get(slug=function), **values)
    actions.save_initiative(initiative, by=None)
    if active:
        actions.activate(initiative, day=today - timedelta(days=400), by=None)
    return initiative


def make_demand(initiative, team, slug="tone-empathy", level=3, people=1, **fields) -> Demand:
    values = {"phase": "manage", "due_on": timezone.localdate() + timedelta(days=90), **fields}
    demand = Demand(
        initiative=initiative, team=team, skill=Skill.objects.get(slug=slug), level=level, people=people, **values
    )
    return actions.save_demand(demand, by=None)
