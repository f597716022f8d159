"""Figures as executives have been told them, and whether the next may be told without telling of somebody.

A figure moves only where at least five people behind it have changed since each time that it was told. Who is behind a
figure is kept as *marks*: people fall into numbered boxes by their key, and a box holds one number made of everybody in
it and of the evidence there was on them. Boxes that differ between two times are people who have changed, at least as
many. Marks stay when somebody is erased, so that what was told of them is not told apart later: without their key
they are numbers without a meaning, and nothing in them leads to a name or a level.
"""

import hashlib
import secrets
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from django.db import models

from teams.privacy import MINIMUM

BOXES = 4096
MOST_ABLE = 40
TINY = 1e-9
Marks = np.ndarray


class TellingQuerySet(models.QuerySet):
    def current(self):
        return self.filter(is_current=True)


class Telling(models.Model):
    """One figure as it was told on a day, with the marks of the people behind it. Kept for good, to compare with."""

    class Kind(models.TextChoices):
        UNIT = "unit", "What teams cover in a skill set"
        UNKNOWN = "unknown", "Members who are not assessed"
        SIZE = "size", "People in a team"
        STALE = "stale", "People with old evidence"

    kind = models.CharField(max_length=8, choices=Kind)
    family = models.CharField(max_length=60, blank=True, help_text="The skill set, of figures that belong to one.")
    teams = models.JSONField(default=list)
    told_on = models.DateField()
    is_current = models.BooleanField(default=True)
    marks = models.BinaryField()
    body = models.JSONField()

    objects = TellingQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["kind", "family"])]

    def __str__(self):
        return f"{self.get_kind_display()}, {self.told_on}"

    @cached_property
    def people_marks(self) -> "Marks":
        return np.frombuffer(zlib.decompress(self.marks), dtype=np.uint32)


class Publication(models.Model):
    """What executives read for a week: put together on its first day, then never changed."""

    week_on = models.DateField(unique=True, help_text="The Monday of the week.")
    told_on = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    engine = models.CharField(max_length=12)
    parameters = models.CharField(max_length=24)
    figures = models.JSONField()

    class Meta:
        ordering = ["week_on"]

    def __str__(self):
        return f"Figures of {self.told_on}"


class PublishedPart(models.Model):
    """What one field of the heatmap or one initiative says in a publication."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="parts")
    key = models.CharField(max_length=130)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "key"], name="published_part_once")]

    def __str__(self):
        return self.key


def new_secret() -> bytes:
    return secrets.token_bytes(32)


class MarkKey(models.Model):
    """What marks are keyed with. Kept beside them and never changed: under another key everybody would seem changed,
    and the next figure would tell the one person who is. So not SECRET_KEY, which is replaced when it has leaked."""

    secret = models.BinaryField(default=new_secret)

    def __str__(self):
        return "The key of the marks"

    @classmethod
    def in_force(cls) -> bytes:
        return bytes(cls.objects.get_or_create(pk=1)[0].secret)


def marks_of(people: Mapping[int, object]) -> Marks:
    """Marks of people, each as they stand (anything that prints the same as long as they have not changed)."""
    found = np.zeros(BOXES, dtype=np.uint32)
    secret = MarkKey.in_force()
    for pk, state in people.items():
        mark = hashlib.blake2b(f"{pk} {state}".encode(), digest_size=4, key=secret).digest()
        found[pk % BOXES] ^= np.frombuffer(mark, dtype=np.uint32)[0]
    return found


def apart(one: Marks, other: Marks) -> int:
    """How many people two groups surely differ by, at most as many as they do."""
    return int(np.count_nonzero(one ^ other))


def may_be_told(now: Marks, earlier: Sequence[Marks]) -> bool:
    """Whether no combination of a figure with what was told earlier speaks of one to four people alone.

    Figures are rows of zeros and ones over people as they stood. With the rows made orthonormal, a combination lies
    within some people's columns alone exactly where these have a singular value of 1, which is at most the sum of
    their squares: only people who weigh so much together are looked at. Where too many do, nothing is told.
    """
    rows, box = _over_people(np.stack([*earlier, now]))
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    basis = basis[sizes > TINY]
    weight = np.bincount(box, np.square(basis).sum(axis=0))
    heaviest = np.argsort(-weight)
    for size in range(1, MINIMUM):
        top = weight[heaviest[: size - 1]].sum()
        able = [int(n) for n in heaviest if weight[n] + top > 1 - TINY]
        if len(able) > MOST_ABLE:
            return False
        for few in combinations(able, size):
            is_enough = weight[list(few)].sum() > 1 - TINY
            if is_enough and np.linalg.norm(basis[:, np.isin(box, few)], 2) > 1 - TINY:
                return False
    return True


def _over_people(marks: Marks) -> tuple[np.ndarray, np.ndarray]:
    """Marks (n, boxes) as zeros and ones, a column for everything that a box has held; and whose box each is."""
    row, at = np.nonzero(marks)
    held, column = np.unique((at.astype(np.uint64) << np.uint64(32)) | marks[row, at], return_inverse=True)
    found = np.zeros((len(marks), len(held)))
    found[row, column] = 1.0
    _, box = np.unique(held >> np.uint64(32), return_inverse=True)
    return found, box


def is_too_small(body: dict) -> bool:
    """Whether a figure says no more than that fewer than five people are behind it."""
    return bool(body.get("hidden")) or body.get("people") == 0


class Ledger:
    """Everything that was told of one kind and family, and what is told of it today."""

    def __init__(self, kind: str, family: str, day):
        self.kind, self.family, self.day = kind, family, day
        self.rows = list(Telling.objects.filter(kind=kind, family=family))

    @property
    def current(self) -> list[Telling]:
        return [row for row in self.rows if row.is_current]

    def overlapping(self, teams: set[int]) -> list[Telling]:
        return [row for row in self.rows if teams.intersection(row.teams) or not (teams or row.teams)]

    def _may(self, marks: Marks, earlier: list[Telling], holds: list[Telling], *, is_small: bool) -> bool:
        """Of what is or was too small to be told no sum is known, but that it is: five must change that.

        Numbers of people come in fives, and are compared with earlier ones of the same teams alone.
        """
        small = holds if is_small else [row for row in holds if is_too_small(row.body)]
        if any(0 < apart(row.people_marks, marks) < MINIMUM for row in small):
            return False
        told = self.rows if self.kind == Telling.Kind.UNIT else earlier
        return is_small or may_be_told(marks, [row.people_marks for row in told if not is_too_small(row.body)])

    def tell(self, teams: tuple[int, ...], marks: Marks, body: dict, *, lineage=frozenset()) -> None:
        """Tell a figure of these teams, or leave what was told.

        ``lineage``: teams that have become part of these. Where nobody has changed, it is told anew only if something
        else is asked of the people: else one could tell nobody from somebody.
        """
        earlier = self.overlapping({*teams, *lineage})
        holds = [row for row in earlier if row.is_current]
        if not self._may(marks, earlier, holds, is_small=is_too_small(body)):
            return
        if [tuple(row.teams) for row in holds] == [teams] and not apart(holds[0].people_marks, marks):
            if holds[0].body.get("demands") != body.get("demands"):
                holds[0].body, holds[0].told_on = body, self.day
                holds[0].save(update_fields=["body", "told_on"])
            return
        for row in holds:
            row.is_current = False
            row.save(update_fields=["is_current"])
        packed = zlib.compress(marks.tobytes(), 1)
        self.rows.append(
            Telling.objects.create(
                kind=self.kind,
                family=self.family,
                teams=list(teams),
                told_on=self.day,
                marks=packed,
                body=body,
            )
        )
