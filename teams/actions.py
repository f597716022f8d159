"""Changes to teams and initiatives; each is atomic, leaves an audit entry, and moves the board."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import record
from candidates.models import Change, Person
from roles.models import RoleTemplate
from teams.models import FULL_TIME, MOST_PEOPLE, Demand, Initiative, Membership, Team


def _changed(action: str, row, summary: str, by) -> None:
    Change.note()
    record(action, row, summary, by=by)


@transaction.atomic
def save_team(team: Team, *, by) -> Team:
    is_new = team.pk is None
    team.save()
    _changed("team.created" if is_new else "team.changed", team, team.name, by)
    return team


@transaction.atomic
def put_in_team(team: Team, person: Person, *, share: int, day: date, by) -> Membership:
    """Add somebody, or change their share of time; all their teams together take at most 100 %.

    Both rows are locked, the team first, so that two teams that ask at the same moment don't both get the last half,
    and nobody joins a team that is being closed.
    """
    (locked,) = _locked(team)
    Person.objects.select_for_update().get(pk=person.pk)
    if locked.closed_on:
        raise ValidationError(f"{team.name} is closed and takes nobody in.")
    others = Membership.objects.current().filter(person=person).exclude(team=team).select_related("team")
    total = share + sum(one.share for one in others)
    if total > FULL_TIME:
        taken = ", ".join(f"{one.share}% in {one.team}" for one in others)
        raise ValidationError(f"{person} would work {total}%: {taken} and {share}% here.")
    membership, is_new = Membership.objects.update_or_create(
        team=team,
        person=person,
        left_on=None,
        defaults={"share": share},
        create_defaults={"share": share, "joined_on": day},
    )
    _changed("team.joined" if is_new else "team.share_changed", team, f"{person.code}, {share}%", by)
    return membership


def _locked(*teams: Team) -> list[Team]:
    """The rows as they are now, locked in one order, so that nobody waits in a circle."""
    return list(Team.objects.select_for_update().filter(pk__in=[team.pk for team in teams]).order_by("pk"))


@transaction.atomic
def leave_team(membership: Membership, *, day: date, by) -> None:
    """Somebody leaves; what was stays for the history. Who leaves on the day they came was never there."""
    if membership.joined_on >= day:
        membership.delete()
    else:
        membership.left_on = day
        membership.save(update_fields=["left_on"])
    _changed("team.left", membership.team, membership.person.code, by)


@transaction.atomic
def close_team(team: Team, *, into: Team | None, day: date, by) -> None:
    """Dissolve a team, or merge it: people and demands then move along, each once."""
    if any(one.closed_on for one in _locked(team, *([into] if into else []))):
        raise ValidationError("One of the teams has been closed already.")
    members = list(team.memberships.current().select_related("person"))
    for one in members:
        leave_team(one, day=day, by=by)
        if into and not into.memberships.current().filter(person=one.person).exists():
            put_in_team(into, one.person, share=one.share, day=day, by=by)
    if into:
        for demand in team.demands.all():
            _move_demand(demand, into)
    team.closed_on, team.merged_into = day, into
    team.save(update_fields=["closed_on", "merged_into"])
    _changed("team.merged" if into else "team.dissolved", team, f"{team.name} into {into}" if into else team.name, by)


def _move_demand(demand: Demand, team: Team) -> None:
    """To another team; where that is asked for the same already, both become one for as many people together."""
    twin = Demand.objects.filter(
        initiative=demand.initiative_id,
        phase=demand.phase,
        team=team,
        skill=demand.skill_id,
        level=demand.level,
    ).first()
    if twin is None:
        Demand.objects.filter(pk=demand.pk).update(team=team)
        return
    twin.people = min(twin.people + demand.people, MOST_PEOPLE)
    twin.due_on = min(twin.due_on, demand.due_on)
    twin.save()
    demand.delete()


@transaction.atomic
def save_initiative(initiative: Initiative, *, by, demands=()) -> Initiative:
    """Create or change one; ``demands`` are unsaved demands it begins with."""
    is_new = initiative.pk is None
    initiative.save()
    for demand in demands:
        demand.initiative = initiative
    Demand.objects.bulk_create(demands, ignore_conflicts=True)
    _changed("initiative.created" if is_new else "initiative.changed", initiative, initiative.title, by)
    return initiative


@transaction.atomic
def activate(initiative: Initiative, *, day: date, by) -> None:
    """From now on its demands count. One that had ended takes up again."""
    initiative.activated_on = initiative.activated_on or day
    initiative.ended_on = None
    initiative.save(update_fields=["activated_on", "ended_on"])
    _changed("initiative.activated", initiative, initiative.title, by)


@transaction.atomic
def end(initiative: Initiative, *, day: date, by) -> None:
    """Its demands count no longer; it stays to be read and copied."""
    if initiative.state != "active":
        raise ValidationError("Only an active initiative can end.")
    initiative.ended_on = day
    initiative.save(update_fields=["ended_on"])
    _changed("initiative.ended", initiative, initiative.title, by)


@transaction.atomic
def save_demand(demand: Demand, *, by) -> Demand:
    is_new = demand.pk is None
    demand.save()
    _changed("demand.added" if is_new else "demand.changed", demand.initiative, demand.sentence, by)
    return demand


@transaction.atomic
def remove_demand(demand: Demand, *, by) -> None:
    sentence, initiative = demand.sentence, demand.initiative
    demand.delete()
    _changed("demand.removed", initiative, sentence, by)


def demands_from_template(template: RoleTemplate, team: Team, *, people: int, due_on: date) -> list[Demand]:
    """Unsaved demands: every requirement of a role template, for so many people in one team."""
    return [
        Demand(
            phase=template.phase,
            team=team,
            skill=line.skill,
            level=max(1, line.level),
            people=people,
            due_on=due_on,
            reason=line.reason,
        )
        for line in template.requirements.filter(skill__retired_at=None).select_related("skill")
        if line.is_essential or line.weight > 1
    ]


def demands_from_initiative(earlier: Initiative, *, due_on: date) -> list[Demand]:
    """Unsaved copies of an earlier initiative's demands, those on teams that still exist, all due by ``due_on``."""
    return [
        Demand(
            phase=one.phase,
            team=one.team,
            skill=one.skill,
            level=one.level,
            people=one.people,
            due_on=due_on,
            reason=one.reason,
        )
        for one in earlier.demands.told()
        if one.team.closed_on is None and one.skill.retired_at is None
    ]
