"""Every text area of the house counts a line break once."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django import forms
from django.apps import apps
from django.conf import settings

from assessments.forms import AnswerForm
from candidates.forms import RatingForm
from socialstrategy.lib.fields import LinesField

HOUSE = ("accounts", "roles", "assessments", "candidates", "teams", "socialstrategy")


def all_forms() -> set[type]:
    """Every form class of the project."""
    for app in apps.get_app_configs():
        for path in Path(app.path).rglob("*forms*.py") if app.name.startswith(HOUSE) else ():
            import_module(f"{app.name}.{path.stem}")
    found, left = set(), [forms.BaseForm]
    while left:
        more = left.pop().__subclasses__()
        left += more
        found |= {one for one in more if one.__module__.startswith(HOUSE)}
    return found


def text_areas() -> list[tuple[type, str]]:
    found = []
    for form in all_forms():
        for name, field in form.base_fields.items():
            if isinstance(field.widget, forms.Textarea) or isinstance(field, LinesField):
                found.append((form, name))
        made = re.findall(r"self\.fields\[\"(\w+)\"\] = forms\.CharField\([^)]*Textarea", source(form), re.DOTALL)
        assert not made, (form, made)
    return sorted(found, key=lambda pair: (pair[0].__name__, pair[1]))


def source(form) -> str:
    return Path(import_module(form.__module__).__file__).read_text()


def test_every_text_area_is_a_field_of_lines():
    found = text_areas()
    names = {f"{form.__name__}.{name}" for form, name in found}
    assert {"AnswerForm.note", "ConsentForm.accommodation", "RatingForm.note", "EvidenceForm.note"} <= names
    for form, name in found:
        assert isinstance(form.base_fields[name], LinesField), (form, name)


def test_text_areas_that_a_template_draws_belong_to_such_fields():
    drawn = set()
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        for tag in re.findall(r"<textarea[^>]*>", path.read_text(), re.DOTALL):
            drawn.add((path.name, re.search(r'name="(\w+)"', tag)[1], re.search(r'maxlength="(\d+)"', tag)[1]))
    assert drawn == {("wizard_skill.html", "note", "1000"), ("rate.html", "note", "1000")}
    for form in (AnswerForm, RatingForm):
        assert isinstance(form.base_fields["note"], LinesField)
        assert form.base_fields["note"].max_length == 1000


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\n"])
def test_a_line_break_counts_once_in_every_one_of_them(line_break):
    counted = 0
    for form, name in text_areas():
        field = form.base_fields[name]
        if field.max_length is None:
            continue
        counted += 1
        signs = field.max_length - 2
        assert field.clean("x" * signs + line_break + "y") == "x" * signs + "\ny"
        with pytest.raises(forms.ValidationError):
            field.clean("x" * (signs + 1) + line_break + "y")
    assert counted >= 5


def test_a_thousand_signs_with_a_break_are_a_good_answer():
    form = AnswerForm({"level": "3", "note": "x" * 998 + "\r\n" + "y"})
    assert form.is_valid()
    assert form.cleaned_data["note"] == "x" * 998 + "\ny"
