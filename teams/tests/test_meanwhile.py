"""Two people with the same page open: whoever saves last is told what the other has written, and loses nothing."""

import pytest

from accounts.factories import make_user
from accounts.models import User
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


def own_name():
    return User.objects.get(role="hr"), "/settings/", "name"


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
    own_name,
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
    """Neither at once nor when it is saved again: what was not touched stands in the form as it is now."""
    row, path, name = kind()
    page = as_hr.get(path)
    assert 'name="as_shown"' in page.content.decode()
    mine = posted(page.context["form"])
    others = 7 if isinstance(getattr(row, name), int) else "Theirs"
    type(row).objects.filter(pk=row.pk).update(**{name: others})
    answer = as_hr.post(path, mine)
    assert answer.status_code == 400
    assert "Somebody has changed this since you opened it. In the form now" in answer.content.decode()
    assert as_hr.post(path, posted(answer.context["form"])).status_code == 302
    row.refresh_from_db()
    assert getattr(row, name) == others


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_both_have_changed_is_told_and_what_was_typed_holds_once_it_is_saved_again(as_hr, kind):
    row, path, name = kind()
    is_number = isinstance(getattr(row, name), int)
    mine = posted(as_hr.get(path).context["form"]) | {name: 9 if is_number else "Mine"}
    others = 7 if is_number else "Theirs"
    type(row).objects.filter(pk=row.pk).update(**{name: others})
    answer = as_hr.post(path, mine)
    assert answer.status_code == 400
    assert f"where it now says – {answer.context['form'][name].label}: {others}." in answer.content.decode()
    row.refresh_from_db()
    assert getattr(row, name) == others
    assert as_hr.post(path, posted(answer.context["form"])).status_code == 302
    row.refresh_from_db()
    assert getattr(row, name) == mine[name]


def test_a_page_with_what_is_there_already_is_saved_as_ever(as_hr):
    row, path, _ = person()
    mine = posted(as_hr.get(path).context["form"]) | {"job_title": "Editor"}
    type(row).objects.filter(pk=row.pk).update(job_title="Editor")
    assert as_hr.post(path, mine).status_code == 302


def test_own_fields_choices_and_empty_values_are_told_in_words(as_hr):
    row, path, _ = person()
    number = OwnField.objects.create(name="Staff number")
    type(row).objects.filter(pk=row.pk).update(location="Leeds")
    page = as_hr.get(path)
    mine = posted(page.context["form"]) | {f"own-{number.pk}": "17", "location": "York", "kind": "employee"}
    OwnText.objects.create(person=row, field=number, text="0042")
    type(row).objects.filter(pk=row.pk).update(location="", job_title="Editor")
    answer = as_hr.post(path, mine)
    words = " ".join(answer.content.decode().split())
    assert "as they have left it: Job title." in words
    assert "where it now says – Location: nothing; Staff number: 0042." in words
    assert OwnText.objects.get().text == "0042"
    as_hr.post(path, posted(answer.context["form"]))
    row.refresh_from_db()
    assert (row.location, row.job_title, row.kind) == ("York", "Editor", "employee")
    assert OwnText.objects.get().text == "17"


def test_ticks_and_several_choices_come_back_as_they_are_now(as_hr):
    entry, path, _ = background()
    page = as_hr.get(path)
    mine = posted(page.context["form"]) | {"place": "Leeds"}
    entry.skills.set(Skill.objects.filter(slug__in=["video", "analytics"]))
    answer = as_hr.post(path, mine)
    assert answer.status_code == 400
    assert as_hr.post(path, posted(answer.context["form"])).status_code == 302
    entry.refresh_from_db()
    assert (entry.place, entry.skills.count()) == ("Leeds", 2)
    user, path, _ = account()
    mine = posted(as_hr.get(path).context["form"]) | {"name": "Ada Lovelace"}
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    again = posted(as_hr.post(path, mine).context["form"])
    assert as_hr.post(path, again).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_active) == ("Ada Lovelace", False)


@pytest.mark.parametrize("sign", ["", "nonsense", "name:", ":", "name:a:b name", "x" * 9000])
def test_a_sign_that_nobody_gave_does_no_harm(as_hr, sign):
    _, path, _ = person()
    mine = posted(as_hr.get(path).context["form"]) | {"as_shown": sign, "location": "Leeds"}
    assert as_hr.post(path, mine).status_code in (302, 400)


def test_hr_s_old_page_does_not_take_back_the_address_that_its_holder_has_asked_for(as_hr):
    row, path, _ = account()
    mine = posted(as_hr.get(path).context["form"]) | {"name": "Ada Lovelace"}
    type(row).objects.filter(pk=row.pk).update(new_email="fresh@example.org")
    answer = as_hr.post(path, mine)
    assert answer.status_code == 400
    assert as_hr.post(path, posted(answer.context["form"])).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.new_email) == ("Ada Lovelace", "fresh@example.org")


def test_what_is_wrong_with_a_whole_form_is_told_in_the_house_s_own_note(as_hr):
    row, path, _ = team()
    mine = posted(as_hr.get(path).context["form"])
    type(row).objects.update(name="Theirs")
    page = as_hr.post(path, mine).content.decode()
    assert '<div class="note bad" role="alert">Somebody has changed this' in page
    assert "alert-danger" not in page
