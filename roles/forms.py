"""Forms about roles and the catalogue."""

import json

from django import forms
from django.conf import settings

from roles.models import (
    Anchor,
    EnterpriseFunction,
    Occupation,
    Role,
    RoleTemplate,
    Skill,
    SkillSet,
    TemplateRequirement,
)
from socialstrategy.lib.fields import LinesField
from socialstrategy.lib.levels import LEVEL_CHOICES, LEVELS
from socialstrategy.lib.meanwhile import ToldMeanwhile
from socialstrategy.lib.text import clean

MOST_FILES = 8
REFERENCE = ("scheme", "label", "id")


class CleanText:
    """Every text field without control characters and doubled blanks."""

    def clean(self):
        data = super().clean()
        for name, field in self.fields.items():
            if isinstance(field, forms.CharField) and isinstance(data.get(name), str):
                data[name] = clean(data[name], lines=isinstance(field.widget, forms.Textarea))
                if field.required and not data[name] and name not in self.errors:
                    self.add_error(name, "Write something here.")
        return data


class DescribeForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """What a role is for."""

    class Meta:
        model = Role
        fields = ["title", "function", "phase", "purpose"]


class NewRoleForm(CleanText, forms.ModelForm):
    """A new role, and what to start from."""

    start = forms.ChoiceField(required=False, label="Start from")

    class Meta:
        model = Role
        fields = ["title", "function", "phase", "purpose"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        roles = Role.objects.current().filter(versions__requirements__isnull=False).distinct()
        start = str(self.data.get("start") or self.initial.get("start") or "")
        # There may be thousands of them: one is chosen on their own page.
        key = start.removeprefix("occupation-")
        occupations = Occupation.objects.listed().filter(pk=int(key) if key.isdecimal() and len(key) < 12 else None)
        self.fields["start"].choices = [
            ("", "A blank page"),
            ("Templates", [(f"template-{t.pk}", t.title) for t in RoleTemplate.objects.current()]),
            ("Your roles", [(f"role-{r.pk}", r.title) for r in roles]),
        ]
        if occupations:
            chosen = [(f"occupation-{one.pk}", str(one)) for one in occupations]
            self.fields["start"].choices += [("Real occupations", chosen)]


SHOWN = ("level", "target", "weight", "is_essential", "reason")


class LineForm(forms.Form):
    """The fields of one requirement, named after it, any of which may be absent."""

    level = forms.IntegerField(min_value=0, max_value=5, required=False)
    target = forms.IntegerField(min_value=0, max_value=5, required=False)
    weight = forms.IntegerField(min_value=1, max_value=3, required=False)
    essential = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=300, required=False)

    def __init__(self, line, data):
        self.line = line
        self.shown_then = data.get(f"was-{line.pk}", "")
        own = {name: data.get(f"{name}-{line.pk}") for name in self.base_fields if f"{name}-{line.pk}" in data}
        super().__init__(own)

    @staticmethod
    def shown(line) -> str:
        """What a page shows of a line, to be sent back with it."""
        return json.dumps({name: getattr(line, name) for name in SHOWN})

    def was(self) -> dict:
        """What the page showed of the line when it was opened, or last saved."""
        try:
            sent = json.loads(self.shown_then)
            return {name: sent[name] for name in SHOWN}
        except (ValueError, KeyError, TypeError):
            return {name: getattr(self.line, name) for name in SHOWN}

    def sent(self) -> dict:
        """What the page says now; call after ``is_valid``. An unticked box is sent by nobody: see ``row``."""
        found = {}
        for name in ("level", "target", "weight"):
            if name in self.data and self.cleaned_data[name] is not None:
                found[name] = self.cleaned_data[name]
        if "reason" in self.data:
            found["reason"] = clean(self.cleaned_data["reason"])
        found["is_essential"] = self.cleaned_data["essential"]
        return found

    def changes(self) -> dict:
        """What was changed on the page."""
        was = self.was()
        return {name: value for name, value in self.sent().items() if was[name] != value}

    def shows(self, line) -> str:
        """What the page shows after saving: what it sent, and the line's target, which is drawn anew."""
        return json.dumps(self.was() | self.sent() | {"target": line.target})

    def problem(self) -> str:
        name, errors = next(iter(self.errors.items()))
        words = {
            "level": "A level goes from 0 to 5.",
            "target": "A target goes from 0 to 5.",
            "weight": "A weight is 1, 2 or 3.",
        }
        return f"{self.line.skill.name}: {words.get(name, errors[0])}"


class SkillForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """A skill and its six anchors."""

    class Meta:
        model = Skill
        fields = ["name", "skill_set", "kind", "question"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        existing = {a.level: a.text for a in self.instance.anchors.all()} if self.instance.pk else {}
        for level, word in enumerate(LEVELS):
            self.fields[f"anchor_{level}"] = forms.CharField(
                label=f"{level} {word}",
                max_length=200,
                initial=existing.get(level, ""),
                help_text="What one sees somebody do. Start with a verb." if level == 0 else "",
            )
        self.fields["references_text"] = LinesField(
            label="What it is called elsewhere",
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            initial="\n".join(" | ".join(one[name] for name in REFERENCE) for one in self.instance.references),
            help_text="One a line: scheme | name | identifier, as in ESCO 1.1.1 | write captions | http://…",
        )

    def clean_references_text(self):
        rows = [
            [part.strip() for part in line.split("|")] for line in self.cleaned_data["references_text"].splitlines()
        ]
        rows = [row for row in rows if any(row)]
        if any(len(row) != 3 or not all(row) for row in rows):
            raise forms.ValidationError("Each line needs three parts: scheme | name | identifier.")
        self.instance.references = [dict(zip(REFERENCE, (clean(part) for part in row), strict=True)) for row in rows]
        return self.cleaned_data["references_text"]

    def clean(self):
        data = super().clean()
        texts = [data.get(f"anchor_{level}", "") for level in range(6)]
        for level, text in enumerate(texts):
            if text and texts.index(text) < level:
                self.add_error(f"anchor_{level}", "Another level says the same.")
            elif text and Anchor.objects.filter(text=text).exclude(skill=self.instance.pk).exists():
                self.add_error(f"anchor_{level}", "Another skill uses this text already.")
        return data

    @property
    def anchors(self) -> list[str]:
        return [self.cleaned_data[f"anchor_{level}"] for level in range(6)]


class SkillSetForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """The name and purpose of a skill set."""

    class Meta:
        model = SkillSet
        fields = ["name", "purpose"]


class FunctionForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """An enterprise function and its typical uses, one a line."""

    uses_text = LinesField(label="Typical uses, one a line", widget=forms.Textarea(attrs={"rows": 6}), required=False)

    class Meta:
        model = EnterpriseFunction
        fields = ["name"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["uses_text"].initial = "\n".join(self.instance.uses)

    def save(self, commit=True):
        self.instance.uses = [line for line in self.cleaned_data["uses_text"].splitlines() if line][:20]
        return super().save(commit)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files; gives a list."""

    widget = FilesInput

    def clean(self, data, initial=None):
        if not data:
            return super().clean(None, initial)
        return [super(FilesField, self).clean(one, initial) for one in data]


class OccupationFileForm(forms.Form):
    """O*NET's or ESCO's files, one or several at once."""

    uploads = FilesField(
        label="Files",
        help_text="O*NET’s Skills.txt, Knowledge.txt, Abilities.txt and Occupation Data.txt, or ESCO’s "
        "occupationSkillRelations, occupations and skills as CSV; together, or one after the other. Up to 64 MB.",
    )
    source = forms.CharField(
        max_length=120,
        required=False,
        label="Source and version",
        help_text="Named beside every figure taken from it, as in O*NET 29.3. Empty: O*NET or ESCO, as the file says.",
    )

    def clean_uploads(self):
        files = self.cleaned_data["uploads"]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(f"Choose at most {MOST_FILES} files at once.")
        if sum(file.size for file in files) > settings.OCCUPATION_MAX_BYTES:
            most = settings.OCCUPATION_MAX_BYTES // 2**20
            raise forms.ValidationError(f"Together the files are larger than {most} MB. Read one after the other.")
        return files


class TemplateDescribeForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """What a template is for."""

    class Meta:
        model = RoleTemplate
        fields = ["title", "function", "phase", "purpose"]


class TemplateLineForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """One line of a template."""

    class Meta:
        model = TemplateRequirement
        fields = ["skill", "level", "target", "weight", "is_essential", "reason"]
        widgets = {
            "level": forms.Select(choices=LEVEL_CHOICES),
            "target": forms.Select(choices=LEVEL_CHOICES),
            "weight": forms.Select(choices=[(n, str(n)) for n in (1, 2, 3)]),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["skill"].queryset = Skill.objects.current()

    def clean(self):
        data = super().clean()
        level, target, weight, skill = (data.get(name) for name in ("level", "target", "weight", "skill"))
        if level is not None and not 0 <= level <= 5:
            self.add_error("level", "A level goes from 0 to 5.")
        elif None not in (level, target) and not level <= target <= 5:
            self.add_error("target", "The target lies between the level and 5.")
        if weight is not None and not 1 <= weight <= 3:
            self.add_error("weight", "A weight is 1, 2 or 3.")
        twice = TemplateRequirement.objects.filter(template=self.instance.template_id, skill=skill)
        if skill and twice.exclude(pk=self.instance.pk).exists():
            self.add_error("skill", "The template asks for this skill already.")
        return data


class TemplateForm(CleanText, forms.Form):
    """The name of a new template."""

    title = forms.CharField(max_length=120)
