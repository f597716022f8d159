"""Two people with the same page open: whoever saves last is told what the other has written, and loses nothing."""

import pytest

from accounts.factories import make_user
from candidates.factories import make_person
from candidates.models import Background, OwnField, OwnText
from roles.factories import make_version
from roles.models import EnterpriseFunction, RoleTemplate, Skill, SkillSet
from teams.factories import make_demand, make_initiative, make_team

pytestmark = pytest.mark.django_db


def background():
    entry = Background.objects.create(person=make_person("Ada"), kind="training", title="A course", frequency="daily")
    return entry, f"/people/{entry.person_id}/background/{entry.pk}/", "title"


def person():
    row = make_person("Ada")
    return row, f"/people/{row.pk}/edit/", "job_title"


def account():
    row = make_user("employee", name="Ada")
    return row, f"/accounts/{row.pk}/", "name"


def team():
    row = make_team("Care")
    return row, f"/teams/{row.pk}/edit/", "name"


def initiative():
    row = make_initiative()
    return row, f"/initiatives/{row.pk}/edit/", "title"


def demand():
    row = make_demand(make_initiative(), make_team("Care"))
    return row, f"/initiatives/{row.initiative_id}/demands/{row.pk}/", "people"


def role():
    row = make_version(make_user("hr")).role
    return row, f"/roles/{row.pk}/describe/", "title"


def skill():
    row = Skill.objects.get(slug="video")
    return row, "/roles/skills/video/edit/", "name"


def skill_set():
    row = SkillSet.objects.first()
    return row, f"/roles/skill-sets/{row.slug}/", "name"


def function():
    row = EnterpriseFunction.objects.first()
    return row, f"/roles/functions/{row.slug}/", "name"


def template():
    row = RoleTemplate.objects.first()
    return row, f"/roles/templates/{row.pk}/edit/", "title"


def template_line():
    row = RoleTemplate.objects.first().requirements.first()
    return row, f"/roles/templates/{row.template_id}/lines/{row.pk}/", "reason"


def posted(form) -> dict:
    """What a browser sends of a form as the page shows it; what is empty or not ticked is not sent."""
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, [], False)}


KINDS = [
    account,
    background,
    demand,
    function,
    initiative,
    person,
    role,
    skill,
    skill_set,
    team,
    template,
    template_line,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_page_that_stood_open_does_not_take_back_what_somebody_else_has_saved(as_hr, kind):
    row, path, name = kind()
    page = as_hr.get(path)
    assert 'name="as_shown"' in page.content.decode()
    mine = posted(page.context["form"])
    others = 7 if isinstance(getattr(row, name), int) else "Theirs"
    type(row).objects.filter(pk=row.pk).update(**{name: others})
    answer = as_hr.post(path, mine)
    assert answer.status_code == 400
    assert "changed this since you opened it" in answer.content.decode()
    row.refresh_from_db()
    assert getattr(row, name) == others
    again = as_hr.post(path, posted(answer.context["form"]))
    assert again.status_code == 302
    row.refresh_from_db()
    assert str(getattr(row, name)) == str(mine[name])


def test_a_page_with_what_is_there_already_is_saved_as_ever(as_hr):
    row, path, _ = person()
    mine = posted(as_hr.get(path).context["form"]) | {"job_title": "Editor"}
    type(row).objects.filter(pk=row.pk).update(job_title="Editor")
    assert as_hr.post(path, mine).status_code == 302


def test_own_fields_and_choices_are_told_in_words(as_hr):
    row, path, _ = person()
    number = OwnField.objects.create(name="Staff number")
    mine = posted(as_hr.get(path).context["form"])
    OwnText.objects.create(person=row, field=number, text="0042")
    type(row).objects.filter(pk=row.pk).update(kind="employee")
    page = " ".join(as_hr.post(path, mine | {"kind": "candidate"}).content.decode().split())
    assert "Kind: Employee" in page
    assert "Staff number: 0042" in page
    assert OwnText.objects.get().text == "0042"


def test_hr_s_old_page_does_not_take_back_the_address_that_its_holder_has_asked_for(as_hr):
    row, path, _ = account()
    mine = posted(as_hr.get(path).context["form"]) | {"name": "Ada Lovelace"}
    type(row).objects.filter(pk=row.pk).update(new_email="fresh@example.org")
    page = as_hr.post(path, mine)
    assert page.status_code == 400
    assert "fresh@example.org" in page.content.decode()
    row.refresh_from_db()
    assert row.new_email == "fresh@example.org"


def test_what_is_wrong_with_a_whole_form_is_told_in_the_house_s_own_note(as_hr):
    row, path, _ = team()
    mine = posted(as_hr.get(path).context["form"])
    type(row).objects.update(name="Theirs")
    page = as_hr.post(path, mine).content.decode()
    assert '<div class="note bad" role="alert">Somebody has changed this' in page
    assert "alert-danger" not in page
