"""The role builder: what HR does to a draft, and what nobody can do to a published version."""

import re
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.html import escape

from accounts.factories import make_user
from accounts.models import AuditEntry
from roles import actions
from roles.factories import make_version
from roles.forms import LineForm
from roles.models import Requirement, Role, RoleTemplate, RoleVersion, Skill

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def draft(hr):
    return make_version(hr, published=False)


def row(line, **changes) -> dict:
    """What the grid sends about one line."""
    values = {"level": line.level, "target": line.target, "weight": line.weight, "reason": line.reason, **changes}
    data = {f"{name}-{line.pk}": value for name, value in values.items() if name != "essential"}
    data[f"row-{line.pk}"] = "1"
    if changes.get("essential", line.is_essential):
        data[f"essential-{line.pk}"] = "on"
    return data


def url(version, what="draft"):
    return f"/roles/{version.role_id}/{what}/"


def test_the_grid_shows_each_level_s_anchor(as_hr, draft):
    page = as_hr.get(url(draft)).content.decode()
    for line in draft.requirements.all():
        assert escape(line.anchor) in page
    assert "Publish version 1" in page


def test_a_change_is_saved_as_it_is_made(as_hr, draft):
    line = draft.requirements.get(skill__slug="analytics")
    response = as_hr.post(url(draft), row(line, level=4), headers=HTMX)
    assert response.status_code == 200
    assert response["HX-Trigger"] == "requirements-changed"
    line = Requirement.objects.get(pk=line.pk)
    assert (line.level, line.target) == (4, 4)
    assert escape(line.anchor) in response.content.decode()


def test_one_row_leaves_the_others_alone(as_hr, draft):
    lines = list(draft.requirements.all())
    as_hr.post(url(draft), row(lines[0], weight=1, essential=False), headers=HTMX)
    changed = {line.pk: line for line in Requirement.objects.filter(version=draft)}
    assert (changed[lines[0].pk].weight, changed[lines[0].pk].is_essential) == (1, False)
    for line in lines[1:]:
        assert changed[line.pk].snapshot() == line.snapshot()


def test_without_javascript_the_whole_grid_is_saved(as_hr, draft):
    data = {}
    for line in draft.requirements.all():
        data |= row(line, level=1)
    assert as_hr.post(url(draft), data).status_code == 302
    assert set(Requirement.objects.filter(version=draft).values_list("level", flat=True)) == {1}


def test_a_stale_grid_overwrites_nothing(as_hr, draft, hr):
    line = draft.requirements.first()
    data = row(line, level=1) | {f"was-{line.pk}": LineForm.shown(line)}
    actions.change_requirement(line, by=hr, level=5)
    response = as_hr.post(url(draft), data)
    assert response.status_code == 409
    assert "another tab" in response.content.decode()
    assert Requirement.objects.get(pk=line.pk).level == 5


def opened(version) -> dict:
    """What the page of the grid holds when it is opened."""
    data = {"page": f"page {RoleVersion.objects.count()} {version.saved_at}"[:36]}
    for line in version.requirements.all():
        data |= row(line) | {f"was-{line.pk}": LineForm.shown(line)}
    return data


def test_two_pages_change_different_things_of_one_draft_and_both_are_kept(as_hr, draft):
    one, other = draft.requirements.all()[:2]
    first, second = opened(draft) | {"page": "a"}, opened(draft) | {"page": "b"}
    as_hr.post(url(draft), first | {f"level-{one.pk}": 5, "step": 1}, headers=HTMX)
    as_hr.post(url(draft), second | {f"weight-{one.pk}": 1, f"level-{other.pk}": 2, "step": 1}, headers=HTMX)
    one, other = Requirement.objects.get(pk=one.pk), Requirement.objects.get(pk=other.pk)
    assert (one.level, one.weight, other.level) == (5, 1, 2)


def test_two_pages_that_change_the_same_are_told(as_hr, draft):
    line = draft.requirements.first()
    first, second = opened(draft) | {"page": "a"}, opened(draft) | {"page": "b"}
    as_hr.post(url(draft), first | {f"level-{line.pk}": 5, "step": 1}, headers=HTMX)
    response = as_hr.post(url(draft), second | {f"level-{line.pk}": 1, "step": 1}, headers=HTMX)
    assert response.status_code == 409
    assert "another tab" in response.content.decode()
    assert Requirement.objects.get(pk=line.pk).level == 5


def test_a_page_s_own_earlier_change_is_no_conflict_and_never_replaces_a_later_one(as_hr, draft):
    """On a slow line: nothing has come back yet when the next choice is made, and the first may arrive last."""
    line = draft.requirements.first()
    page = opened(draft) | {"page": "a"}
    for step, level in ((1, 4), (3, 2), (2, 5)):
        sent = page | {f"level-{line.pk}": level, "step": step}
        assert as_hr.post(url(draft), sent, headers=HTMX).status_code == 200
    assert Requirement.objects.get(pk=line.pk).level == 2


def test_what_the_page_shows_after_saving_is_what_it_is_asked_about_next(as_hr, draft):
    """Another page's change to a line that this page sends along is not taken back by this page's next change."""
    one, other = draft.requirements.all()[:2]
    page = opened(draft) | {"page": "a"}
    as_hr.post(url(draft), opened(draft) | {"page": "b", f"level-{other.pk}": 5, "step": 1}, headers=HTMX)
    page[f"weight-{one.pk}"] = 1
    saved = as_hr.post(url(draft), page | {"step": 1}, headers=HTMX).content.decode()
    page |= {name: unescape(value) for name, value in re.findall(r'name="(was-\d+)"[^>]* value="([^"]*)"', saved)}
    page[f"weight-{one.pk}"] = 2
    assert as_hr.post(url(draft), page | {"step": 2}, headers=HTMX).status_code == 200
    assert Requirement.objects.get(pk=other.pk).level == 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("level", text) for text in ("7", "-1", "nan", "inf")],
        *[("weight", text) for text in ("-2", "4", "1.5")],
        ("target", "9"),
        ("reason", "x" * 301),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(as_hr, draft, field, value):
    line = draft.requirements.first()
    response = as_hr.post(url(draft), row(line, **{field: value}), headers=HTMX)
    assert response.status_code == 400
    assert line.skill.name.replace("&", "&amp;") in response.content.decode()
    assert Requirement.objects.get(pk=line.pk).snapshot() == line.snapshot()


def test_undo_takes_back_the_last_change_and_once_more_brings_it_again(as_hr, draft):
    line = draft.requirements.get(skill__slug="analytics")
    as_hr.post(url(draft), row(line, level=5), headers=HTMX)
    as_hr.post(url(draft, "undo"))
    assert draft.requirements.get(skill__slug="analytics").level == 2
    as_hr.post(url(draft, "undo"))
    assert draft.requirements.get(skill__slug="analytics").level == 5


def test_undo_brings_a_removed_requirement_back(as_hr, draft):
    line = draft.requirements.get(skill__slug="analytics")
    as_hr.post(f"/roles/{draft.role_id}/lines/{line.pk}/remove/")
    assert Requirement.objects.filter(version=draft).count() == 2
    as_hr.post(url(draft, "undo"))
    assert draft.requirements.get(skill__slug="analytics").reason == line.reason


def test_a_skill_is_added_once(as_hr, draft):
    skill = Skill.objects.get(slug="video")
    for _ in range(2):
        as_hr.post(url(draft, "add"), {"skill": skill.pk})
    assert draft.requirements.filter(skill=skill).count() == 1
    assert as_hr.post(url(draft, "add"), {"skill": "none"}).status_code == 404


def test_try_sets_a_level(as_hr, draft):
    line = draft.requirements.first()
    address = f"/roles/{draft.role_id}/lines/{line.pk}/level/"
    as_hr.post(address, {"level": "1"})
    assert Requirement.objects.get(pk=line.pk).level == 1
    assert as_hr.post(address, {"level": "9"}).status_code == 400


def test_publishing_freezes(as_hr, draft, hr):
    assert as_hr.post(url(draft, "publish")).status_code == 302
    version = RoleVersion.objects.get(pk=draft.pk)
    assert version.state == "published"
    line = version.requirements.first()
    with pytest.raises(ValidationError, match="frozen"):
        line.save()
    with pytest.raises(ValidationError, match="frozen"):
        line.delete()
    with pytest.raises(actions.Frozen):
        actions.change_requirement(line, by=hr, level=1)
    response = as_hr.post(url(draft), row(line, level=1), headers=HTMX)
    assert response.status_code == 409
    assert "frozen" in response.content.decode()
    assert AuditEntry.objects.filter(action="role.published").exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [((), "at least one requirement"), ((("analytics", 3, 2, False),), "essential")],
)
def test_an_unfinished_role_is_not_published(as_hr, hr, lines, said):
    draft = make_version(hr, lines=lines, published=False)
    response = as_hr.post(url(draft, "publish"))
    assert response.status_code == 400
    assert said in response.content.decode()
    assert RoleVersion.objects.get(pk=draft.pk).is_draft


def test_a_retired_skill_stands_in_the_way(as_hr, hr, draft):
    actions.set_retired(Skill.objects.get(slug="analytics"), by=hr, retired=True)
    response = as_hr.post(url(draft, "publish"))
    assert response.status_code == 400
    assert "retired skill: Analytics" in response.content.decode()


def test_six_essentials_bring_a_warning(as_hr, hr):
    slugs = ("video", "audio", "imagery", "coaching", "culture", "adoption")
    draft = make_version(hr, lines=[(slug, 3, 1, True) for slug in slugs], published=False)
    assert "6 essentials are many" in as_hr.get(url(draft)).content.decode()


def test_the_next_version_starts_from_the_last_and_supersedes_it(as_hr, draft, hr):
    actions.publish(draft, by=hr)
    as_hr.post(url(draft, "next"))
    as_hr.post(url(draft, "next"))  # twice gives the same draft
    second = RoleVersion.objects.get(role=draft.role, number=2)
    first_lines = [line.snapshot() for line in draft.requirements.all()]
    assert [line.snapshot() for line in second.requirements.all()] == first_lines
    actions.publish(second, by=hr)
    assert list(draft.role.versions.values_list("number", "state")) == [(2, "published"), (1, "superseded")]
    page = as_hr.get(f"/roles/{draft.role_id}/?version=1")
    assert "Superseded version 1" in page.content.decode()


def test_the_database_keeps_one_draft_and_one_published_version(draft):
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleVersion.objects.create(role=draft.role, number=9)


@pytest.mark.parametrize("values", [{"level": 6}, {"level": 3, "target": 2}, {"weight": 0}, {"weight": 4}])
def test_the_database_refuses_lines_off_the_scale(draft, values):
    line = {"level": 3, "target": 4, "weight": 2, **values}
    with pytest.raises(IntegrityError), transaction.atomic():
        Requirement.objects.create(version=draft, skill=Skill.objects.get(slug="video"), **line)


def test_a_role_starts_from_a_template_or_another_role(as_hr, draft):
    template = RoleTemplate.objects.get(slug="community-manager")
    data = {"title": "Ours", "function": template.function_id, "phase": "manage", "start": f"template-{template.pk}"}
    as_hr.post("/roles/new/", data)
    ours = Role.objects.get(title="Ours").versions.get()
    wanted = list(template.requirements.values_list("skill", "level", "target", "weight", "is_essential", "reason"))
    assert list(ours.requirements.values_list("skill", "level", "target", "weight", "is_essential", "reason")) == wanted
    as_hr.post("/roles/new/", data | {"title": "Copy", "start": f"role-{draft.role_id}"})
    assert Role.objects.get(title="Copy").versions.get().requirements.count() == draft.requirements.count()


@pytest.mark.parametrize("data", [{}, {"title": " ", "function": "1"}, {"title": "x" * 121, "function": "1"}])
def test_a_role_without_a_proper_title_is_not_made(as_hr, data):
    before = Role.objects.count()
    assert as_hr.post("/roles/new/", {"phase": "manage", **data}).status_code == 400
    assert Role.objects.count() == before


def test_html_in_a_title_stays_text(as_hr, hr):
    draft = make_version(hr, title="<script>alert(1)</script>", published=False)
    assert "<script>alert" not in as_hr.get(url(draft)).content.decode()


def test_a_role_becomes_a_template_and_retires_without_losing_anything(as_hr, version):
    as_hr.post(f"/roles/{version.role_id}/template/", {"title": "Our host"})
    assert RoleTemplate.objects.get(title="Our host").requirements.count() == 3
    as_hr.post(f"/roles/{version.role_id}/retire/")
    assert Role.objects.get(pk=version.role_id).retired_at
    assert version.role.title in as_hr.get("/roles/?state=retired").content.decode()
    assert version.role.title not in as_hr.get("/roles/").content.decode()


def test_discarding_a_draft(as_hr, draft, version):
    assert as_hr.post(url(draft, "discard"))["Location"] == "/roles/"
    as_hr.post(url(version, "next"))
    as_hr.post(url(version, "discard"))
    assert version.role.versions.count() == 1


@pytest.mark.parametrize(("role", "status"), [("assessor", 200), ("executive", 200), ("employee", 404)])
def test_others_read_published_roles_and_never_drafts(client, version, draft, role, status):
    client.force_login(make_user(role))
    assert client.get(f"/roles/{version.role_id}/").status_code == status
    assert client.get(f"/roles/{draft.role_id}/").status_code == 404
    assert client.get(url(draft)).status_code == 404


def test_lists_take_the_same_few_queries_however_long(as_hr, hr, django_assert_max_num_queries):
    for n in range(12):
        make_version(hr, title=f"Role {n}")
    with django_assert_max_num_queries(9):
        as_hr.get("/roles/")
