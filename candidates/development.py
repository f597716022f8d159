"""Growing: goals, the next anchor on the way to each, colleagues who could coach, and the way so far."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

import scoring
from candidates.history import levels_on
from candidates.models import Estimate, Person
from candidates.profile import SkillRow, without_waiting
from roles.models import RoleVersion, Skill
from socialstrategy.lib.levels import word

MOST_STEPS, MOST_COACHES = 3, 3
LOOK_BACK = timedelta(days=365)


class GoalQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)


class Goal(models.Model):
    """A level that somebody wants to reach in a skill, by a day. Never part of any score."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="goals")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = GoalQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "skill"], condition=Q(closed_at=None), name="goal_open_once_per_skill"
            ),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="goal_level_1_to_5"),
        ]

    def __str__(self):
        return f"{self.skill} {self.level}"


@dataclass
class Step:
    """A skill to work on: where one is, what one level more looks like, and who could help."""

    skill: Skill
    row: SkillRow | None
    level: int
    anchor: str
    goal: Goal | None
    needed: int | None
    coaches: list
    state: str

    @property
    def word(self) -> str:
        return word(self.level)


def role_of(person: Person) -> RoleVersion | None:
    """The role that somebody was last asked about: what their gaps are measured against."""
    invitation = person.invitations.order_by("-sent_at").first()
    if invitation is None:
        return None
    return RoleVersion.objects.with_requirements().get(pk=invitation.role_version_id)


def steps(person: Person, rows: list[SkillRow], version: RoleVersion | None) -> list[Step]:
    """Open goals first, then the largest gaps to the targets of the role; three steps of the latter at most."""
    by_skill = {row.skill.pk: row for row in rows}
    goals = list(person.goals.open().select_related("skill__skill_set").prefetch_related("skill__anchors"))
    found = [_step(goal.skill, by_skill.get(goal.skill_id), goal=goal) for goal in goals]
    taken = {goal.skill_id for goal in goals}
    gaps = []
    for line in version.requirements.all() if version else []:
        row = by_skill.get(line.skill_id)
        if row and line.skill_id not in taken and row.estimate.mean < line.target:
            gaps.append((line.target - row.estimate.mean, line, row))
    gaps.sort(key=lambda gap: (not gap[1].is_essential, -gap[0]))
    found += [_step(line.skill, row, needed=line.target) for _, line, row in gaps[:MOST_STEPS]]
    coaches = coaches_for(person, [(step.skill.pk, step.level) for step in found])
    for step in found:
        step.coaches = coaches[step.skill.pk]
    return found


def _step(skill: Skill, row: SkillRow | None, *, goal: Goal | None = None, needed: int | None = None) -> Step:
    aim = goal.level if goal else needed
    # Where nothing is known there is no next level: unknown is not low. The goal's own anchor is shown.
    level = min(aim or 5, 5, max(1, int(row.estimate.mean // 1) + 1)) if row else aim or 1
    state = ""
    if row and aim:
        low, high = row.estimate.low, row.estimate.high
        state = "meets" if low >= aim else "gap" if high < aim else "uncertain"
    return Step(skill, row, level, skill.anchor(level), goal, needed, [], state)


def coaches_for(person: Person, wanted: list[tuple[int, int]]) -> dict[int, list[Person]]:
    """For each (skill, level), employees who offer help and meet the level with P of .90 or more, nearest first.

    Only who has offered it is named, and never with a level: what somebody is good at is theirs to tell. Ratings that
    are not shown yet neither name anybody nor keep anybody from being named.
    """
    levels = dict(wanted)
    offering = Q(person__offers_help=True, person__kind=Person.Kind.EMPLOYEE, person__archived_at=None)
    estimates = Estimate.objects.filter(offering, skill__in=levels).exclude(person=person)
    found: dict[int, list] = {skill: [] for skill in levels}
    told = [(one.person, one.skill_id, one.mean, one.sd) for one in estimates.select_related("person__function")]
    anew = without_waiting([(coach, skill) for coach, skill, _, _ in told])
    for coach, skill, mean, sd in told:
        mean, sd = anew.get((coach.pk, skill), (mean, sd))
        if mean - scoring.INTERVAL_Z * sd >= levels[skill]:
            found[skill].append((coach.function_id != person.function_id, -mean, coach.pk, coach))
    return {skill: [coach for *_, coach in sorted(people)[:MOST_COACHES]] for skill, people in found.items()}


def history(person: Person, rows: list[SkillRow], reader=None) -> list[dict[str, Any]]:
    """Each skill's level a year ago, or at its first evidence since, beside today's; the largest change first.

    As ``reader`` may know it.
    """
    today = timezone.localdate()
    days = [today - LOOK_BACK + n * LOOK_BACK / 4 for n in range(5)]
    levels = levels_on(person, days, reader)
    found = []
    for row in rows:
        known = [one for one in levels.get(row.skill.pk, []) if one]
        if len(known) > 1:
            first, last = known[0], known[-1]
            then, now = first.mean, last.mean
            found.append(
                {
                    "skill": row.skill,
                    "then": then,
                    "now": now,
                    "change": now - then,
                    "then_half": scoring.INTERVAL_Z * first.sd,
                    "now_half": scoring.INTERVAL_Z * last.sd,
                    "then_x": _percent(then),
                    "now_x": _percent(now),
                }
            )
    return sorted(found, key=lambda one: -abs(one["change"]))


def _percent(level: float) -> str:
    return f"{max(0.0, min(1.0, level / 5)) * 100:.1f}%"
