"""Evidence, append-only, and what is derived from it: estimates and stored fits."""

import uuid
from collections import defaultdict
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q

import scoring
from accounts.append_only import append_only
from candidates.models import Person
from candidates.parameters import SHIPPED, InForce
from roles.models import RoleVersion, Skill
from scoring import evidence as engine

SOURCE_WORDS = {
    "self": "Self-assessment",
    "manager": "Manager rating",
    "peer": "Peer rating",
    "subordinate": "Rating by somebody they lead",
    "knowledge_test": "Knowledge test",
    "performance_test": "Skill test",
    "situational": "Situational test",
    "work_sample": "Work sample",
    "interview_panel": "Panel interview",
    "interview_single": "Structured interview",
    "interview_unstructured": "Free interview",
    "certificate": "Certificate",
    "experience": "Experience",
}
# #icon:user-circle #icon:user-star #icon:users #icon:adjustments #icon:file-text #icon:messages #icon:certificate
# #icon:history
SOURCE_ICONS = {
    "self": "user-circle",
    "manager": "user-star",
    "peer": "users",
    "subordinate": "users",
    "knowledge_test": "adjustments",
    "performance_test": "adjustments",
    "situational": "adjustments",
    "work_sample": "file-text",
    "interview_panel": "messages",
    "interview_single": "messages",
    "interview_unstructured": "messages",
    "certificate": "certificate",
    "experience": "history",
}


@append_only("Pieces of evidence")
class Evidence(models.Model):
    """One source's word on one skill of one person. Only ever added; erasing the person takes it along."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="evidence")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=24, choices=list(SOURCE_WORDS.items()))
    value = models.FloatField()
    standard_error = models.FloatField(null=True, blank=True)
    observed_on = models.DateField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rater = models.CharField(
        max_length=40, blank=True, help_text="Who or what gave it: only the latest of each counts."
    )
    note = models.CharField(max_length=1000, blank=True)
    link = models.URLField(max_length=500, blank=True)
    parameters = models.CharField(max_length=24, default=SHIPPED.name, help_text="In force when it was recorded.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["observed_on", "pk"]
        verbose_name_plural = "evidence"
        indexes = [models.Index(fields=["person", "skill", "source"])]
        constraints = [
            models.CheckConstraint(condition=Q(value__gte=-2.5, value__lte=7.5), name="evidence_value_on_scale"),
            models.CheckConstraint(
                condition=Q(standard_error=None) | Q(standard_error__gt=0), name="evidence_error_above_0"
            ),
        ]

    def __str__(self):
        return f"{self.get_source_display()}: {self.value:g}"

    @property
    def icon(self) -> str:
        return SOURCE_ICONS[self.source]


class Piece:
    """All evidence of one source on one skill, merged as the engine wants it: latest per rater, their mean."""

    def __init__(self, rows: list[Evidence], as_of: date):
        latest = {row.rater or f"#{row.pk}": row for row in sorted(rows, key=lambda r: (r.observed_on, r.pk or 0))}
        self.rows = list(latest.values())
        self.count = len(rows)
        self.source = rows[0].source
        is_test = engine.DEFAULT_SOURCES[self.source].reliability is None
        # Tests carry their own error and are not averaged: the latest one stands.
        used = self.rows[-1:] if is_test else self.rows
        self.used = used
        self.value = sum(row.value for row in used) / len(used)
        self.standard_error = used[-1].standard_error if is_test else None
        self.observed_on = max(row.observed_on for row in used)
        self.months = months_between(self.observed_on, as_of)

    @property
    def label(self) -> str:
        return SOURCE_WORDS[self.source]

    def observation(self) -> engine.Observation:
        return engine.Observation(
            self.source, self.value, self.standard_error, months_ago=self.months, raters=len(self.used)
        )


def months_between(earlier: date, later: date) -> int:
    """Whole months from ``earlier`` to ``later``, never negative."""
    months = (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
    return max(0, months)


def month_start(day: date) -> date:
    """The day that estimates refer to: the first of the month."""
    return day.replace(day=1)


def pieces(rows, as_of: date) -> list[Piece]:
    """Merge one person's evidence on one skill by source, in the order of SOURCE_WORDS."""
    by_source = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    return [Piece(by_source[source], as_of) for source in SOURCE_WORDS if source in by_source]


def estimate(rows, as_of: date, parameters: InForce) -> tuple[engine.Estimate, list[Piece]]:
    """The engine's estimate from evidence rows of one person and skill, and the merged pieces behind it."""
    merged = pieces(rows, as_of)
    return engine.estimate([piece.observation() for piece in merged], sources=parameters.sources), merged


class EstimateQuerySet(models.QuerySet):
    def of_current_people(self):
        return self.filter(person__archived_at=None)

    def outdated(self, parameters: str, as_of: date):
        """Made for an earlier month, or with other parameters."""
        return self.filter(~Q(as_of=as_of) | ~Q(parameters=parameters))


class Estimate(models.Model):
    """The level of one person in one skill, derived from the evidence; can be rebuilt at any time."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="estimates")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    mean = models.FloatField()
    sd = models.FloatField()
    evidence_count = models.PositiveIntegerField()
    newest_on = models.DateField()
    as_of = models.DateField()
    engine = models.CharField(max_length=12, default=scoring.ENGINE_VERSION)
    parameters = models.CharField(max_length=24, default=SHIPPED.name)

    objects = EstimateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "skill"], name="estimate_once"),
            models.CheckConstraint(condition=Q(sd__gt=0), name="estimate_sd_above_0"),
        ]
        indexes = [models.Index(fields=["as_of"])]

    def __str__(self):
        return f"{self.mean:.2f} ± {self.sd:.2f}"

    @property
    def low(self) -> float:
        return self.mean - scoring.INTERVAL_Z * self.sd

    @property
    def high(self) -> float:
        return self.mean + scoring.INTERVAL_Z * self.sd


class StoredFit(models.Model):
    """A fit as somebody saw it: what was known then, and by which engine; never recomputed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="stored_fits")
    role_version = models.ForeignKey(RoleVersion, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateField()
    engine = models.CharField(max_length=12)
    parameters = models.CharField(max_length=24)
    inputs = models.JSONField()
    result = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return f"{self.person} for {self.role_version}"
