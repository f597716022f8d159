"""Skills and anchors: read by everybody, edited by HR, never lost."""

import pytest

from accounts.factories import make_user
from accounts.models import AuditEntry
from roles.models import EnterpriseFunction, Skill, SkillSet

pytestmark = pytest.mark.django_db


def form(**changes) -> dict:
    data = {"name": "Live streaming", "skill_set": SkillSet.objects.get(slug="content").pk, "kind": "performance"}
    data |= {"question": "How do you stream?"} | {f"anchor_{n}": f"Streams at step {n}." for n in range(6)}
    return data | changes


def test_everybody_reads_skills(client):
    client.force_login(make_user("employee"))
    page = client.get("/roles/skills/analytics/").content.decode()
    assert "Builds the report alone" in page
    assert "ESCO" in page
    assert "Edit" not in page


def test_hr_adds_a_skill_with_its_anchors(as_hr):
    assert as_hr.post("/roles/skills/new/", form()).status_code == 302
    skill = Skill.objects.get(name="Live streaming")
    assert [anchor.text for anchor in skill.anchors.all()][5] == "Streams at step 5."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "Analytics"}, "already exists"),
        ({"anchor_3": ""}, "required"),
        ({"anchor_3": "Streams at step 2."}, "Another level says the same"),
        ({"anchor_3": "Reads a report and asks what a figure means."}, "Another skill uses this text"),
        ({"anchor_3": "x" * 201}, "at most 200"),
        ({"kind": "magic"}, "valid choice"),
    ],
)
def test_a_bad_skill_is_refused_where_it_happened_and_nothing_typed_is_lost(as_hr, changes, said):
    response = as_hr.post("/roles/skills/new/", form(**changes))
    assert response.status_code == 400
    page = response.content.decode()
    assert said in page
    assert "Streams at step 5." in page
    assert not Skill.objects.filter(name="Live streaming").exists()


def test_what_an_anchor_said_before_is_kept(as_hr):
    skill = Skill.objects.get(slug="analytics")
    before = skill.anchor(3)
    data = form(name="Figures", skill_set=skill.skill_set_id)
    as_hr.post("/roles/skills/analytics/edit/", data)
    skill = Skill.objects.get(slug="analytics")
    assert (skill.name, skill.anchor(3)) == ("Figures", "Streams at step 3.")
    entry = AuditEntry.objects.get(action="skill.changed")
    assert entry.detail["anchors_before"]["3"] == before


def test_a_retired_skill_leaves_the_list_and_comes_back(as_hr):
    as_hr.post("/roles/skills/analytics/retire/")
    assert "/roles/skills/analytics/" not in as_hr.get("/roles/skills/").content.decode()
    assert "/roles/skills/analytics/" in as_hr.get("/roles/skills/?retired=1").content.decode()
    as_hr.post("/roles/skills/analytics/retire/")
    assert Skill.objects.get(slug="analytics").retired_at is None


def test_functions_and_skill_sets_are_edited(as_hr):
    as_hr.post("/roles/functions/it/", {"name": "Technology", "uses_text": "Tools\n\n Data  lakes "})
    function = EnterpriseFunction.objects.get(slug="it")
    assert (function.name, function.uses) == ("Technology", ["Tools", "Data lakes"])
    assert as_hr.post("/roles/functions/it/", {"name": ""}).status_code == 400
    as_hr.post("/roles/skill-sets/content/", {"name": "Making", "purpose": ""})
    assert SkillSet.objects.get(slug="content").name == "Making"


def test_references_are_edited_line_by_line(as_hr):
    data = form(references_text="ESCO 1.1.1 | present live | http://data.europa.eu/esco/skill/x\n\n")
    assert as_hr.post("/roles/skills/new/", data).status_code == 302
    skill = Skill.objects.get(name="Live streaming")
    assert skill.references == [
        {"scheme": "ESCO 1.1.1", "label": "present live", "id": "http://data.europa.eu/esco/skill/x"}
    ]
    bad = as_hr.post("/roles/skills/live-streaming/edit/", form(references_text="ESCO only"))
    assert bad.status_code == 400
    assert "three parts" in bad.content.decode()
