"""Changes to roles and to the catalogue; each is atomic and leaves an audit entry."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import record
from roles.models import Anchor, Requirement, Role, RoleTemplate, RoleVersion, Skill, TemplateRequirement

LINE = ("skill_id", "level", "target", "weight", "is_essential", "reason")


class ChangedElsewhere(ValidationError):
    """What a page wants to change has been changed by another page since it was opened."""

    def __init__(self, skill):
        super().__init__(
            f"{skill} has been changed meanwhile, in another tab or by somebody else. Nothing was saved; "
            "open the draft again to see it."
        )


class Frozen(ValidationError):
    """Somebody tried to change a version that is not a draft any more."""

    def __init__(self):
        super().__init__("This version has been published and is frozen. Start the next version to change it.")


@transaction.atomic
def create_role(*, by, title, function, phase, purpose="", lines=()) -> RoleVersion:
    """A new role with its first draft; ``lines`` are snapshots of requirements."""
    role = Role.objects.create(title=title, function=function, phase=phase, purpose=purpose)
    version = RoleVersion.objects.create(role=role, number=1, by=by)
    _write_lines(version, lines)
    record("role.created", role, f"{role.title}, {len(lines)} requirements", by=by)
    return version


def lines_of(requirements) -> list[dict]:
    """Snapshots of the lines of a template or of a role version."""
    return [
        line.snapshot() if isinstance(line, Requirement) else {name: getattr(line, name) for name in LINE}
        for line in requirements.all()
        if not line.skill.retired_at
    ]


def _write_lines(version, lines) -> None:
    for line in lines:
        Requirement(version=version, **line).save()


def _draft(version_id) -> RoleVersion:
    """The draft, locked until the transaction ends, so that two tabs write one after the other."""
    version = RoleVersion.objects.select_for_update().get(pk=version_id)
    if not version.is_draft:
        raise Frozen
    return version


def _remember(version, by, *, page: str = "", step: int = 0) -> None:
    version.undo = [line.snapshot() for line in version.requirements.all()]
    version.by, version.page, version.step = by, page, step
    version.save()


@transaction.atomic
def change_lines(version, wanted, *, by, page: str = "", step: int = 0) -> None:
    """Change several lines, each from what the page showed of it: all of them or none.

    ``wanted`` holds (line, what the page showed, changes). What others have changed meanwhile stays, and where both
    have changed the same, ChangedElsewhere is raised. A page's own earlier change is no conflict: ``page`` tells pages
    apart, ``step`` counts what one has sent, so that an earlier choice that arrives late never replaces a later one.
    """
    draft = _draft(version.pk)
    is_own = bool(page) and draft.page == page
    if is_own and 0 < step <= draft.step:
        return
    for line, shown, changes in wanted:
        now = draft.requirements.filter(pk=line.pk).first()
        if now is None:
            raise ChangedElsewhere(line.skill)
        if not is_own and any(getattr(now, name) not in (shown[name], value) for name, value in changes.items()):
            raise ChangedElsewhere(line.skill)
        changes = {name: value for name, value in changes.items() if getattr(now, name) != value}
        if changes:
            change_requirement(now, by=by, page=page, step=step, **changes)


@transaction.atomic
def change_requirement(requirement, *, by, page: str = "", step: int = 0, **changes) -> Requirement:
    """Change one line of a draft; raising the level takes the target along."""
    version = _draft(requirement.version_id)
    _remember(version, by, page=page, step=step)
    requirement.version = version
    for name, value in changes.items():
        setattr(requirement, name, value)
    requirement.target = max(requirement.target, requirement.level)
    if {"level"} & changes.keys():
        requirement.standard_error, requirement.provenance = 0.0, {}
    requirement.save()
    return requirement


@transaction.atomic
def add_requirement(version, skill, *, by, level=3, weight=2) -> Requirement:
    """Add a skill to a draft; once."""
    version = _draft(version.pk)
    existing = version.requirements.filter(skill=skill).first()
    if existing:
        return existing
    _remember(version, by)
    return Requirement.objects.create(version=version, skill=skill, level=level, target=level, weight=weight)


@transaction.atomic
def remove_requirement(requirement, *, by) -> None:
    """Take a skill out of a draft."""
    version = _draft(requirement.version_id)
    _remember(version, by)
    requirement.version = version
    requirement.delete()


@transaction.atomic
def undo(version, *, by) -> bool:
    """Bring back the lines before the last change; doing it twice brings the change back. False when there is none."""
    version = _draft(version.pk)
    if version.undo is None:
        return False
    lines = version.undo
    _remember(version, by)
    for line in version.requirements.all():
        line.version = version
        line.delete()
    _write_lines(version, lines)
    return True


@transaction.atomic
def publish(version, *, by) -> RoleVersion:
    """Freeze a draft and make it the version that people are compared with."""
    version = _draft(version.pk)
    problems = version.problems()
    if problems:
        raise ValidationError(problems)
    version.role.versions.published().update(state=RoleVersion.State.SUPERSEDED)
    version.state, version.published_at, version.undo, version.by = (
        RoleVersion.State.PUBLISHED,
        timezone.now(),
        None,
        by,
    )
    version.save()
    record("role.published", version.role, f"{version.role.title}, version {version.number}", by=by)
    return version


@transaction.atomic
def next_version(role, *, by) -> RoleVersion:
    """A draft after the newest version, with its lines; the draft that is there already otherwise."""
    role = Role.objects.select_for_update().get(pk=role.pk)
    newest = role.versions.with_requirements().order_by("-number").first()
    if newest.is_draft:
        return newest
    version = RoleVersion.objects.create(role=role, number=newest.number + 1, by=by)
    _write_lines(version, [line.snapshot() for line in newest.requirements.all()])
    record("role.version started", role, f"{role.title}, version {version.number}", by=by)
    return version


@transaction.atomic
def discard_draft(version, *, by) -> bool:
    """Throw a draft away; with it the role, where it was the only version. True when the role is gone."""
    version = _draft(version.pk)
    role = version.role
    record("role.draft discarded", role, f"{role.title}, version {version.number}", by=by)
    if role.versions.count() == 1:
        role.delete()
        return True
    version.delete()
    return False


@transaction.atomic
def set_retired(row, *, by, retired: bool):
    """Retire a role, skill or template, or bring it back; nothing that used it is lost."""
    row.retired_at = timezone.now() if retired else None
    row.save(update_fields=["retired_at"])
    record(f"{row._meta.model_name}.{'retired' if retired else 'restored'}", row, str(row), by=by)
    return row


@transaction.atomic
def save_as_template(version, *, by, title) -> RoleTemplate:
    """Keep a role version as a template to start others from."""
    role = version.role
    template = RoleTemplate.objects.create(
        slug=free_slug(RoleTemplate, title), title=title, function=role.function, phase=role.phase, purpose=role.purpose
    )
    TemplateRequirement.objects.bulk_create(
        TemplateRequirement(template=template, **{name: line[name] for name in LINE})
        for line in lines_of(version.requirements)
    )
    record("template.created", template, template.title, by=by)
    return template


@transaction.atomic
def save_template(template: RoleTemplate, *, by) -> RoleTemplate:
    """Rename or describe a template."""
    template.save()
    record("template.changed", template, template.title, by=by)
    return template


def free_slug(model, name: str) -> str:
    """A slug for ``name`` that no row has yet."""
    stem = slugify(name)[:40] or "unnamed"
    slug, number = stem, 2
    while model.objects.filter(slug=slug).exists():
        slug, number = f"{stem}-{number}", number + 1
    return slug


@transaction.atomic
def save_skill(skill, anchors: list[str], *, by) -> Skill:
    """Create or change a skill with its six anchors; what the anchors said before stays in the audit trail."""
    is_new = skill.pk is None
    before = {} if is_new else {str(anchor.level): anchor.text for anchor in skill.anchors.all()}
    if is_new:
        skill.slug = free_slug(Skill, skill.name)
        last = Skill.objects.filter(skill_set=skill.skill_set).aggregate(last=Max("position"))["last"]
        skill.position = 0 if last is None else last + 1
    skill.save()
    Anchor.objects.filter(skill=skill).delete()
    Anchor.objects.bulk_create(Anchor(skill=skill, level=level, text=text) for level, text in enumerate(anchors))
    record("skill.created" if is_new else "skill.changed", skill, skill.name, by=by, anchors_before=before)
    return skill
