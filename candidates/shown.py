"""Ratings by colleagues and by people somebody leads, as everybody but HR is shown them: together, from three on.

What is shown stays as it is until three more raters have been heard, so that no change of it tells what a single one
said. What waits is counted nowhere; a level that is shown rests on what is shown.
"""

from collections import defaultdict
from datetime import date
from itertools import groupby

from django.db import models
from django.db.models import Q

from accounts.append_only import append_only
from candidates.evidence import Evidence, months_between
from candidates.models import Person
from roles.models import Skill
from scoring.evidence import Observation

POOLED = ("peer", "subordinate")
TOGETHER = 3
"""Raters that it takes, and that it takes again before anything moves."""


@append_only("Shown ratings")
class ShownRatings(models.Model):
    """What is shown, from a day on, of all ratings of one person in one skill. Never changed: a later row replaces it.

    The mean is kept and not worked out anew, so that it stands even when a rating behind it is erased.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="shown_ratings")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    shown_on = models.DateField()
    peers = models.PositiveSmallIntegerField()
    subordinates = models.PositiveSmallIntegerField()
    value = models.FloatField(help_text="Mean of the newest rating of each rater.")

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "shown ratings"
        indexes = [models.Index(fields=["person", "skill"])]

    def __str__(self):
        return self.label

    @property
    def raters(self) -> int:
        return self.peers + self.subordinates

    @property
    def label(self) -> str:
        return f"{self.raters} colleagues and people they lead"

    def observations(self, as_of: date) -> list[Observation]:
        """As the engine reads them: the mean of all for each kind of rater, since two means would tell two groups."""
        months = months_between(self.shown_on, as_of)
        kinds = zip(POOLED, (self.peers, self.subordinates), strict=True)
        return [Observation(kind, self.value, months_ago=months, raters=n) for kind, n in kinds if n]


@append_only("Shown ratings")
class ShownRating(models.Model):
    """A rating that has been shown with others."""

    group = models.ForeignKey(ShownRatings, on_delete=models.CASCADE, related_name="ratings")
    evidence = models.OneToOneField(Evidence, on_delete=models.CASCADE, related_name="shown")

    def __str__(self):
        return f"{self.evidence_id} in {self.group_id}"


def sees_everything(reader, person: Person) -> bool:
    """Whether somebody reads every rating as it comes in: HR, but for their own.

    Their own are those of whoever has their account, had it before they were parted, or has their address.
    """
    if reader is None or not reader.is_authenticated or not reader.is_hr:
        return False
    if person.user_id == reader.pk or person.email == reader.email:
        return False
    return not person.parted_from.filter(pk=reader.pk).exists()


def readable(person: Person, reader) -> models.QuerySet:
    """The evidence about a person that ``reader`` may read piece by piece; None stands for the person."""
    rows = Evidence.objects.filter(person=person)
    return rows if sees_everything(reader, person) else rows.exclude(source__in=POOLED)


def shown_to(person: Person, reader) -> dict[int, list[ShownRatings]]:
    """For each skill what has been shown of pooled ratings, the earliest first; for HR none, who reads the pieces."""
    found: dict[int, list[ShownRatings]] = defaultdict(list)
    if not sees_everything(reader, person):
        for group in ShownRatings.objects.filter(person=person):
            found[group.skill_id].append(group)
    return found


def release(person: Person, skills, day: date) -> None:
    """Show what waits where three raters more have been heard. The caller holds the person's row."""
    rows = Evidence.objects.filter(person=person, skill__in=skills, source__in=POOLED).order_by("pk")
    by_skill = defaultdict(list)
    for row in rows.select_related("shown"):
        by_skill[row.skill_id].append(row)
    insiders = insiders_of(Person.objects.filter(pk=person.pk)).get(person.pk, set())
    for skill, found in by_skill.items():
        waiting = [row for row in found if not hasattr(row, "shown")]
        if is_enough(waiting, insiders):
            peers, subordinates, value = summed(found)
            group = ShownRatings.objects.create(
                person=person, skill_id=skill, shown_on=day, peers=peers, subordinates=subordinates, value=value
            )
            ShownRating.objects.bulk_create(ShownRating(group=group, evidence=row) for row in waiting)


def rater_of(row) -> str:
    return row.rater or f"#{row.pk}"


def is_enough(waiting, insiders) -> bool:
    """Whether three different raters wait. The person's manager, who also reads the page, is not one of them."""
    return len({rater_of(row) for row in waiting} - insiders) >= TOGETHER


def summed(rows) -> tuple[int, int, float]:
    """(peers, subordinates, mean) of the newest rating of each rater; ``rows`` in the order in which they came."""
    newest = {rater_of(row): row for row in rows}.values()
    peers = sum(row.source == "peer" for row in newest)
    return peers, len(newest) - peers, sum(row.value for row in newest) / len(newest)


def release_earlier(evidence, groups, ratings, insiders) -> None:
    """Show what was rated before there were such groups, as it would have been shown then.

    ``evidence``, ``groups`` and ``ratings`` are managers (a migration has its own); ``insiders`` gives of a person's
    key the raters who count for nothing.
    """
    rows = evidence.filter(source__in=POOLED).order_by("person", "skill", "pk")
    for (person, skill), run in groupby(rows.iterator(2000), key=lambda row: (row.person_id, row.skill_id)):
        found: list = []
        waiting: list = []
        for row in run:
            found.append(row)
            waiting.append(row)
            if is_enough(waiting, insiders.get(person, set())):
                peers, subordinates, value = summed(found)
                group = groups.create(
                    person_id=person,
                    skill_id=skill,
                    shown_on=max(one.observed_on for one in found),
                    peers=peers,
                    subordinates=subordinates,
                    value=value,
                )
                ratings.bulk_create(ratings.model(group=group, evidence_id=one.pk) for one in waiting)
                waiting = []


def insiders_of(people) -> dict[int, set[str]]:
    """Of each person the raters who are the person or their manager; ``people`` queries the model of people."""
    rows = people.filter(Q(user__isnull=False) | Q(manager__user__isnull=False))
    found = rows.order_by().values_list("pk", "user", "manager__user")
    return {pk: {f"user {one}" for one in users if one} for pk, *users in found}
