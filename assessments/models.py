"""Sittings and ratings. Nothing in here knows a name: a subject is a pseudonymous UUID."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from roles.models import RoleVersion, Skill

LEVEL_OR_NONE = Q(level=None) | Q(level__gte=0, level__lte=5)


class SittingQuerySet(models.QuerySet):
    def open_at(self, now):
        """Sittings that may be worked on at ``now``."""
        return self.filter(submitted_at=None, revoked_at=None).filter(Q(deadline_at=None) | Q(deadline_at__gt=now))


class Sitting(models.Model):
    """One self-assessment against one version of a role, from its first page to its submission."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    role_version = models.ForeignKey(RoleVersion, on_delete=models.PROTECT, related_name="sittings")
    created_at = models.DateTimeField(auto_now_add=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    accommodation = models.CharField(max_length=500, blank=True)
    hands_itself_in = models.BooleanField(
        default=False, help_text="Whether what is complete at the deadline is handed in then, as was agreed to."
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by_itself = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="Browsers that opened it before are let in no more: its address was changed."
    )

    objects = SittingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(consented_at__isnull=False), name="sitting_consent_before_submission"
            )
        ]

    def __str__(self):
        return f"Sitting {self.pk}"

    def is_complete(self) -> bool:
        """Whether every skill has an answer; "I can't judge this yet" is one."""
        asked = set(self.role_version.requirements.values_list("skill", flat=True))
        return bool(asked) and asked <= set(self.responses.values_list("skill", flat=True))

    def is_open(self, now) -> bool:
        in_time = self.deadline_at is None or self.deadline_at > now
        return self.submitted_at is None and self.revoked_at is None and in_time

    def skills(self) -> list[Skill]:
        """The role's skills, in the order they are asked."""
        lines = self.role_version.requirements.select_related("skill__skill_set").prefetch_related("skill__anchors")
        return [line.skill for line in lines.order_by("skill__skill_set__position", "skill__position", "pk")]


class Response(models.Model):
    """The answer to one skill: a level, or "I can't judge this yet"."""

    sitting = models.ForeignKey(Sitting, on_delete=models.CASCADE, related_name="responses")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    statement = models.CharField(max_length=200, blank=True, help_text="The anchor's text when it was chosen.")
    note = models.CharField(max_length=1000, blank=True)
    link = models.URLField(max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1, help_text="Counts the answers, to notice a second tab.")
    page = models.CharField(max_length=36, blank=True, help_text="Which opened page has written it.")
    step = models.PositiveIntegerField(default=0, help_text="Counts what that page has sent, as it was sent.")
    answered_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sitting", "skill"], name="response_once_per_skill"),
            models.CheckConstraint(condition=LEVEL_OR_NONE, name="response_level_0_to_5"),
        ]

    def __str__(self):
        return f"{self.skill}: {'cannot judge' if self.level is None else self.level}"


class RatingRequestQuerySet(models.QuerySet):
    def visible_to(self, user):
        """A request is its rater's own business."""
        return self.filter(rater=user) if user.is_authenticated else self.none()

    def open(self):
        return self.filter(submitted_at=None, withdrawn_at=None)


class RatingRequest(models.Model):
    """Somebody is asked to rate a subject on the skills of a role version."""

    class Kind(models.TextChoices):
        MANAGER = "manager", "As their manager"
        PEER = "peer", "As their colleague"
        SUBORDINATE = "subordinate", "As somebody they lead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rating_requests")
    kind = models.CharField(max_length=12, choices=Kind)
    role_version = models.ForeignKey(RoleVersion, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = RatingRequestQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "rater"],
                condition=Q(submitted_at=None, withdrawn_at=None),
                name="rating_one_open_per_rater",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["manager", "peer", "subordinate"]), name="rating_request_kind_known"
            ),
        ]

    def __str__(self):
        return f"Rating request {self.pk}"


class Rating(models.Model):
    """One rater's word on one skill; no level means "can't judge"."""

    request = models.ForeignKey(RatingRequest, on_delete=models.CASCADE, related_name="ratings")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    rated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "skill"], name="rating_once_per_skill"),
            models.CheckConstraint(condition=LEVEL_OR_NONE, name="rating_level_0_to_5"),
        ]

    def __str__(self):
        return f"{self.skill}: {'cannot judge' if self.level is None else self.level}"
