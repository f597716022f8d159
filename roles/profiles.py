"""Role profiles: a role has versions, a version has requirements. Drafts change, published versions are frozen."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch, Q

from roles.models import LINE_CONSTRAINTS, EnterpriseFunction, Phase, RequirementFields

MAX_ESSENTIALS = 5


class RoleQuerySet(models.QuerySet):
    def visible_to(self, user):
        """HR managers see all roles; assessors and executives those that have been published."""
        if not user.is_authenticated or user.role == user.Role.EMPLOYEE:
            return self.none()
        if user.is_hr:
            return self
        return self.filter(versions__state=RoleVersion.State.PUBLISHED).distinct()

    def current(self):
        return self.filter(retired_at=None)

    def with_versions(self):
        return self.select_related("function").prefetch_related(
            Prefetch("versions", RoleVersion.objects.annotate(requirement_count=models.Count("requirements")))
        )


class Role(models.Model):
    """A role that people are compared with."""

    title = models.CharField(max_length=120)
    function = models.ForeignKey(EnterpriseFunction, on_delete=models.PROTECT, related_name="roles")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.MANAGE)
    purpose = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = RoleQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(phase__in=["develop", "implement", "manage"]), name="role_phase_known")
        ]

    def __str__(self):
        return self.title

    @property
    def draft(self):
        """The version being worked on, or None; reads prefetched versions."""
        return next((v for v in self.versions.all() if v.state == RoleVersion.State.DRAFT), None)

    @property
    def published(self):
        """The version that people are compared with now, or None."""
        return next((v for v in self.versions.all() if v.state == RoleVersion.State.PUBLISHED), None)


COMPARED = ("level", "target", "weight", "is_essential", "reason")


class RoleVersionQuerySet(models.QuerySet):
    def visible_to(self, user):
        if user.is_authenticated and user.is_hr:
            return self
        return self.filter(role__in=Role.objects.visible_to(user)).exclude(state=RoleVersion.State.DRAFT)

    def drafts(self):
        return self.filter(state=RoleVersion.State.DRAFT)

    def published(self):
        return self.filter(state=RoleVersion.State.PUBLISHED)

    def ever_published(self):
        return self.exclude(state=RoleVersion.State.DRAFT)

    def with_lines(self):
        """With the requirements and their skills, as rankings read them."""
        lines = Requirement.objects.select_related("skill")
        return self.select_related("role").prefetch_related(Prefetch("requirements", lines))

    def with_requirements(self):
        """With functions, skill sets and anchors as well, as whoever builds, asks or answers reads them."""
        lines = Requirement.objects.select_related("skill__skill_set").prefetch_related("skill__anchors")
        return self.select_related("role__function").prefetch_related(Prefetch("requirements", lines))


class RoleVersion(models.Model):
    """One version of a role's requirements: draft → published → superseded by the next one."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        SUPERSEDED = "superseded", "Superseded"

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField(auto_now=True)
    page = models.CharField(max_length=36, blank=True, editable=False, help_text="Which opened page has saved last.")
    step = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counts what that page has sent, as it was sent."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    undo = models.JSONField(null=True, blank=True, help_text="The lines as they were before the last change.")

    objects = RoleVersionQuerySet.as_manager()

    class Meta:
        ordering = ["role", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["role", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["role"], condition=Q(state="draft"), name="version_one_draft"),
            models.UniqueConstraint(fields=["role"], condition=Q(state="published"), name="version_one_published"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "published", "superseded"]), name="version_state_known"
            ),
        ]

    def __str__(self):
        return f"{self.role}, version {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def essentials(self) -> list:
        return [line for line in self.requirements.all() if line.is_essential]

    def changes_to(self, other: "RoleVersion") -> list[dict]:
        """Line by line what differs in another version: [{skill, before, after, changed: names of fields}, …]."""
        before = {line.skill_id: line for line in self.requirements.all()}
        after = {line.skill_id: line for line in other.requirements.all()}
        rows = []
        for key, line in (before | after).items():
            old, new = before.get(key), after.get(key)
            changed = {name for name in COMPARED if old and new and getattr(old, name) != getattr(new, name)}
            fate = "added" if old is None else "removed" if new is None else "changed" if changed else "same"
            rows.append({"skill": line.skill, "before": old, "after": new, "changed": changed, "fate": fate})
        return rows

    def problems(self) -> list[str]:
        """What stands in the way of publishing, in words for HR; empty when nothing does."""
        lines = list(self.requirements.all())
        found = []
        if not lines:
            found.append("Add at least one requirement.")
        elif not any(line.is_essential for line in lines):
            found.append(
                "Mark at least one requirement as essential, so that the ranking knows what cannot be missing."
            )
        retired = [line.skill.name for line in lines if line.skill.retired_at]
        if retired:
            found.append(f"Remove what uses a retired skill: {', '.join(retired)}.")
        return found

    def warnings(self) -> list[str]:
        """What HR should think about, though it may be published."""
        many = len(self.essentials)
        if many > MAX_ESSENTIALS:
            return [
                f"{many} essentials are many: with each one more a suitable person is more easily missed. "
                "Five or fewer work best."
            ]
        return []


class Requirement(RequirementFields):
    """One line of a role version: a skill, the level it needs, and why."""

    version = models.ForeignKey(RoleVersion, on_delete=models.CASCADE, related_name="requirements")
    standard_error = models.FloatField(default=0.0, help_text="Uncertainty of the level, in levels.")
    provenance = models.JSONField(default=dict, blank=True, help_text="Where the figures came from.")

    class Meta(RequirementFields.Meta):
        constraints = [
            *LINE_CONSTRAINTS,
            models.UniqueConstraint(fields=["version", "skill"], name="requirement_skill_once"),
            models.CheckConstraint(
                condition=Q(standard_error__gte=0, standard_error__lte=5), name="requirement_error_0_to_5"
            ),
        ]

    def __str__(self):
        return f"{self.skill} {self.level}"

    def save(self, *args, **kwargs):
        self._refuse_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        self._refuse_frozen()
        return super().delete(*args, **kwargs)

    @property
    def anchor(self) -> str:
        """What the minimum level looks like."""
        return self.skill.anchor(self.level)

    def _refuse_frozen(self):
        if not self.version.is_draft:
            raise ValidationError("A published version is frozen; edit the next one.")

    def snapshot(self) -> dict:
        """The line as data, to undo to."""
        names = ("skill_id", "level", "target", "weight", "is_essential", "reason", "standard_error", "provenance")
        return {name: getattr(self, name) for name in names}
