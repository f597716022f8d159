"""The catalogue: functions, skill sets, skills, anchors and role templates."""

from django.db import models
from django.db.models import F, Max, Prefetch, Q

from socialstrategy.lib.levels import LEVELS

LEVEL_RANGE = {"level__gte": 0, "level__lte": 5}


class EnterpriseFunction(models.Model):
    """One of the parts of a company that put social to use, and how they typically do."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60, unique=True)
    uses = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self):
        return self.name


class SkillSet(models.Model):
    """One of the six kinds of skill that make social work."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60, unique=True)
    purpose = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self):
        return self.name


class SkillQuerySet(models.QuerySet):
    def current(self):
        """Skills that have not been retired."""
        return self.filter(retired_at=None)

    def with_anchors(self):
        return self.select_related("skill_set").prefetch_related("anchors")


class Skill(models.Model):
    """One skill, with one behavioural anchor for each level."""

    class Kind(models.TextChoices):
        KNOWLEDGE = "knowledge", "Mostly knowing"
        PERFORMANCE = "performance", "Mostly doing"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60, unique=True)
    skill_set = models.ForeignKey(SkillSet, on_delete=models.PROTECT, related_name="skills")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PERFORMANCE)
    question = models.CharField(max_length=160, help_text="What the self-assessment asks, in one sentence.")
    column = models.PositiveSmallIntegerField(
        unique=True, editable=False, help_text="Place in the profile matrix, for life."
    )
    references = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SkillQuerySet.as_manager()

    class Meta:
        ordering = ["skill_set__position", "position", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["knowledge", "performance"]), name="skill_kind_known")
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        if self.column is None:
            last = Skill.objects.aggregate(last=Max("column"))["last"]
            self.column = 0 if last is None else last + 1
        super().save(*args, **kwargs)

    @property
    def is_knowledge(self) -> bool:
        return self.kind == self.Kind.KNOWLEDGE

    def anchor(self, level: int) -> str:
        """The text of one level; reads the prefetched anchors."""
        return next((anchor.text for anchor in self.anchors.all() if anchor.level == level), "")


class Anchor(models.Model):
    """What a level of a skill looks like when one watches it. Starts with a verb; the page adds who does it."""

    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="anchors")
    level = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["skill", "level"]
        constraints = [
            models.UniqueConstraint(fields=["skill", "level"], name="anchor_one_per_level"),
            models.UniqueConstraint(fields=["text"], name="anchor_text_unique"),
            models.CheckConstraint(condition=Q(**LEVEL_RANGE), name="anchor_level_0_to_5"),
        ]

    def __str__(self):
        return f"{self.level} {self.text}"

    @property
    def word(self) -> str:
        return LEVELS[self.level]


class Phase(models.TextChoices):
    """What a role does for an initiative."""

    DEVELOP = "develop", "Develop"
    IMPLEMENT = "implement", "Implement"
    MANAGE = "manage", "Manage"


LINE_CONSTRAINTS: list[models.BaseConstraint] = [
    models.CheckConstraint(condition=Q(**LEVEL_RANGE), name="%(class)s_level_0_to_5"),
    models.CheckConstraint(condition=Q(target__gte=F("level"), target__lte=5), name="%(class)s_target_from_level"),
    models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=3), name="%(class)s_weight_1_to_3"),
]


class RequirementFields(models.Model):
    """What a role, or a template of one, asks of a skill."""

    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField("minimum level")
    target = models.PositiveSmallIntegerField("target level")
    weight = models.PositiveSmallIntegerField(default=2)
    is_essential = models.BooleanField("essential", default=False)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True
        ordering = ["skill__skill_set__position", "skill__position", "pk"]
        constraints = LINE_CONSTRAINTS


class TemplateQuerySet(models.QuerySet):
    def current(self):
        return self.filter(retired_at=None)

    def with_requirements(self):
        lines = TemplateRequirement.objects.select_related("skill", "skill__skill_set")
        return self.select_related("function").prefetch_related(Prefetch("requirements", lines))


class RoleTemplate(models.Model):
    """A role profile to start from."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    function = models.ForeignKey(EnterpriseFunction, on_delete=models.PROTECT, related_name="templates")
    phase = models.CharField(max_length=10, choices=Phase)
    purpose = models.CharField(max_length=300, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["function__position", "title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=["develop", "implement", "manage"]), name="template_phase_known"
            )
        ]

    def __str__(self):
        return self.title


class TemplateRequirement(RequirementFields):
    """One line of a template."""

    template = models.ForeignKey(RoleTemplate, on_delete=models.CASCADE, related_name="requirements")

    class Meta(RequirementFields.Meta):
        constraints = [
            *LINE_CONSTRAINTS,
            models.UniqueConstraint(fields=["template", "skill"], name="template_skill_once"),
        ]

    def __str__(self):
        return f"{self.template}: {self.skill} {self.level}"


class OccupationQuerySet(models.QuerySet):
    def listed(self):
        """Occupations of which something is known to draft from, without what is known."""
        return self.filter(rating_count__gt=0).defer("ratings")


class Occupation(models.Model):
    """A real occupation with what O*NET or ESCO says of it, to draft a role from."""

    class Scheme(models.TextChoices):
        ONET = "onet", "O*NET"
        ESCO = "esco", "ESCO"

    scheme = models.CharField(max_length=4, choices=Scheme, default=Scheme.ONET)
    identifier = models.CharField(max_length=200, help_text="O*NET's code, or ESCO's address of the occupation.")
    code = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=200, blank=True, help_text="Empty until a file has said it.")
    source = models.CharField(max_length=120)
    ratings = models.JSONField(
        default=dict,
        help_text="O*NET: element → importance, level, standard errors; ESCO: skill's address → relation; with source",
    )
    rating_count = models.PositiveIntegerField(default=0, db_index=True)
    imported_at = models.DateTimeField(auto_now=True)

    objects = OccupationQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["scheme", "identifier"], name="occupation_once")]

    def __str__(self):
        return self.title or f"Occupation {self.code or self.identifier.rpartition('/')[2][:8]}"

    @property
    def long_title(self) -> str:
        """With the code in front, where both are known."""
        return f"{self.code} {self.title}" if self.code and self.title else str(self)


class OccupationElementQuerySet(models.QuerySet):
    def names(self, keys) -> dict[str, str]:
        return dict(self.filter(key__in=keys).values_list("key", "name"))


class OccupationElement(models.Model):
    """What O*NET calls an element, or ESCO a skill."""

    key = models.CharField(max_length=200, unique=True, help_text="O*NET's element ID, or ESCO's address of the skill.")
    name = models.CharField(max_length=200)

    objects = OccupationElementQuerySet.as_manager()

    def __str__(self):
        return self.name


class OccupationFile(models.Model):
    """A large file on its way to the worker that reads it; gone afterwards."""

    name = models.CharField(max_length=120)
    source = models.CharField(max_length=120, blank=True)
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name


from roles.profiles import Requirement, Role, RoleVersion  # noqa: E402 (the models of a second file)

__all__ = [
    "Anchor",
    "EnterpriseFunction",
    "Occupation",
    "OccupationElement",
    "OccupationFile",
    "Phase",
    "Requirement",
    "RequirementFields",
    "Role",
    "RoleTemplate",
    "RoleVersion",
    "Skill",
    "SkillSet",
    "TemplateRequirement",
]
