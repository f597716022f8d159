"""Templates: read, renamed, changed line by line, retired."""

import pytest

from accounts.models import AuditEntry
from roles.models import RoleTemplate, Skill

pytestmark = pytest.mark.django_db


@pytest.fixture
def template():
    return RoleTemplate.objects.get(slug="care-agent")


def line(**changes):
    skill = Skill.objects.get(slug="video")
    return {"skill": skill.pk, "level": "2", "target": "3", "weight": "1", "reason": "Seen", **changes}


def test_a_template_is_renamed_and_roles_stay_as_they_are(as_hr, template):
    data = {"title": "Service agent", "function": template.function_id, "phase": "manage", "purpose": "Helps."}
    assert as_hr.post(f"/roles/templates/{template.pk}/edit/", data).status_code == 302
    template.refresh_from_db()
    assert (template.title, template.slug) == ("Service agent", "care-agent")
    assert AuditEntry.objects.filter(action="template.changed").exists()
    assert as_hr.post(f"/roles/templates/{template.pk}/edit/", data | {"title": ""}).status_code == 400


def test_lines_are_added_changed_and_removed(as_hr, template):
    assert as_hr.post(f"/roles/templates/{template.pk}/lines/add/", line()).status_code == 302
    added = template.requirements.get(skill__slug="video")
    address = f"/roles/templates/{template.pk}/lines/{added.pk}/"
    as_hr.post(address, line(level="3", is_essential="on"))
    added.refresh_from_db()
    assert (added.level, added.is_essential) == (3, True)
    as_hr.post(address, {"remove": "1"})
    assert not template.requirements.filter(skill__slug="video").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level": "7"}, "0 to 5"),
        ({"level": "-1"}, "0"),
        ({"level": "nan"}, "whole number"),
        ({"level": "4"}, "between the level and 5"),
        ({"weight": "9"}, "1, 2 or 3"),
        ({"weight": "-2"}, "0"),
        ({"skill": "0"}, "valid choice"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_bad_lines_are_refused(as_hr, template, changes, said):
    before = template.requirements.count()
    response = as_hr.post(f"/roles/templates/{template.pk}/lines/add/", line(**changes))
    assert response.status_code == 400
    assert said in response.content.decode()
    assert template.requirements.count() == before


def test_a_skill_stands_in_a_template_once(as_hr, template):
    taken = template.requirements.first().skill_id
    response = as_hr.post(f"/roles/templates/{template.pk}/lines/add/", line(skill=taken))
    assert response.status_code == 400
    assert "asks for this skill already" in response.content.decode()


def test_a_retired_template_is_not_offered_and_comes_back(as_hr, template):
    as_hr.post(f"/roles/templates/{template.pk}/retire/", follow=True)
    assert template.title not in as_hr.get("/roles/new/").content.decode()
    assert template.title in as_hr.get("/roles/templates/").content.decode()
    as_hr.post(f"/roles/templates/{template.pk}/retire/")
    assert template.title in as_hr.get("/roles/new/").content.decode()
