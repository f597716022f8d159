"""Roles for tests, on the shipped catalogue."""

from roles import actions
from roles.models import EnterpriseFunction, RoleVersion, Skill

LINES = (("tone-empathy", 3, 3, True), ("micro-copy", 3, 2, True), ("analytics", 2, 1, False))


def make_version(by, *, lines=LINES, title="Community host", published=True) -> RoleVersion:
    """A role with (skill slug, level, weight, essential) lines."""
    skills = {skill.slug: skill for skill in Skill.objects.all()}
    version = actions.create_role(
        by=by,
        title=title,
        function=EnterpriseFunction.objects.get(slug="service-support"),
        phase="manage",
        lines=[
            {
                "skill_id": skills[slug].pk,
                "level": level,
                "target": min(5, level + 1),
                "weight": weight,
                "is_essential": essential,
                "reason": f"Needed for {slug}.",
            }
            for slug, level, weight, essential in lines
        ],
    )
    if published:
        actions.publish(version, by=by)
    return RoleVersion.objects.with_requirements().get(pk=version.pk)
