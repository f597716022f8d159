"""Two versions of a role side by side, and copies."""

import pytest

from accounts.factories import make_user
from roles import actions
from roles.models import Role, Skill

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(version, hr):
    """The next version: one line changed, one removed, one added."""
    draft = actions.next_version(version.role, by=hr)
    lines = {line.skill.slug: line for line in draft.requirements.select_related("skill")}
    actions.change_requirement(lines["tone-empathy"], by=hr, level=4)
    actions.remove_requirement(lines["analytics"], by=hr)
    actions.add_requirement(draft, Skill.objects.get(slug="video"), by=hr)
    return draft


def test_every_line_says_what_happened_to_it(version, draft):
    fates = {row["skill"].slug: row["fate"] for row in version.changes_to(draft)}
    assert fates == {"tone-empathy": "changed", "micro-copy": "same", "analytics": "removed", "video": "added"}


def test_the_page_shows_the_last_two_and_any_two(as_hr, version, draft):
    url = f"/roles/{version.role_id}/compare/"
    page = as_hr.get(url).content.decode()
    assert "Version 1 against version 2, a draft" in page
    assert '<del class="ink3">3</del> <ins>4</ins>' in page
    assert as_hr.get(url + "?from=2&to=2").status_code == 400
    assert as_hr.get(url + "?from=x&to=99").status_code == 200
    assert "What changed" in as_hr.get(f"/roles/{version.role_id}/").content.decode()


def test_drafts_stay_with_hr(client, version, draft):
    client.force_login(make_user("executive"))
    response = client.get(f"/roles/{version.role_id}/compare/")
    assert response.status_code == 400
    assert "no second version" in response.content.decode()


def test_a_role_is_copied_with_changes(as_hr, version):
    page = as_hr.get(f"/roles/{version.role_id}/").content.decode()
    assert f"?start=role-{version.role_id}#describe" in page
    page = as_hr.get(f"/roles/new/?start=role-{version.role_id}").content.decode()
    assert 'value="Community host, copy"' in page
    data = {"title": "Night host", "function": version.role.function_id, "phase": "manage"}
    as_hr.post("/roles/new/", data | {"start": f"role-{version.role_id}"})
    copy = Role.objects.get(title="Night host")
    assert copy.pk != version.role_id
    lines = {line.skill_id: line.level for line in copy.draft.requirements.all()}
    assert lines == {line.skill_id: line.level for line in version.requirements.all()}
    assert as_hr.get("/roles/new/?start=role-999999").status_code == 200
