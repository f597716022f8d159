"""Forms about people, invitations and evidence."""

from datetime import timedelta
from typing import cast

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from assessments.models import RatingRequest
from candidates import reporting_lines
from candidates.evidence import SOURCE_WORDS
from candidates.models import Background, OwnField, OwnText, Person
from candidates.parameters import STUDIES, InForce, Parameters
from roles.forms import CleanText
from roles.models import RoleVersion, Skill
from scoring.evidence import DEFAULT_SOURCES
from socialstrategy.lib.addresses import AddressInput, shown
from socialstrategy.lib.fields import LinesField
from socialstrategy.lib.levels import LEVEL_CHOICES
from socialstrategy.lib.meanwhile import ToldMeanwhile
from socialstrategy.lib.text import clean

DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
LONGEST_DEADLINE = timedelta(days=180)


class PersonForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """Somebody's own particulars; ``archived`` is who has the address and can be brought back instead."""

    archived: Person | None = None
    manager_email = forms.CharField(label="Manager's e-mail or name", required=False, max_length=254)

    class Meta:
        model = Person
        fields = ["name", "email", "kind", "job_title", "function", "location"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        manager = self.instance.manager
        self.fields["manager_email"].initial = shown(manager.email) or manager.name if manager else ""
        known = self.instance.own_texts.values_list("field", "text") if self.instance.pk else []
        texts = dict(known)
        self.own = {f"own-{one.pk}": one for one in OwnField.objects.all()}
        for name, one in self.own.items():
            self.fields[name] = forms.CharField(
                label=one.name, required=False, max_length=OwnText.LONGEST, initial=texts.get(one.pk, "")
            )

    def clean_email(self):
        email = self.cleaned_data["email"]
        taken = Person.objects.at(email).exclude(pk=self.instance.pk).first() if email else None
        if taken and taken.archived_at:
            self.archived = taken
            raise forms.ValidationError(f"{taken.name} has this address and is archived.")
        if taken:
            raise forms.ValidationError("Somebody has this address already.")
        return email

    def clean_manager_email(self):
        text = clean(self.cleaned_data["manager_email"])
        self.found_manager = self.instance.manager
        # Unchanged, it stays who it was, also where two have that name.
        if text == (self.fields["manager_email"].initial or ""):
            return text
        found = reporting_lines.find(text) if text else [None]
        if not found:
            raise forms.ValidationError(f"No person has this {'address' if '@' in text else 'name'}.")
        if len(found) > 1:
            raise forms.ValidationError(f"Two or more people are called {text}. Write the manager's e-mail.")
        self.found_manager = found[0]
        if self.found_manager and self.found_manager.archived_at:
            raise forms.ValidationError(f"{self.found_manager.name} is archived. Bring them back first.")
        try:
            reporting_lines.check(self.instance, self.found_manager)
        except reporting_lines.CircleError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def save(self, commit=True):
        self.instance.manager = self.found_manager
        return super().save(commit)

    @property
    def own_texts(self) -> dict[OwnField, str]:
        """What the organisation's own fields say of the person; an empty text: nothing."""
        return {one: self.cleaned_data[name] for name, one in self.own.items()}


class BackgroundForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """One entry of somebody's background."""

    from_year = forms.IntegerField(min_value=1940, max_value=2100, required=False)
    to_year = forms.IntegerField(min_value=1940, max_value=2100, required=False, help_text="Leave empty if it goes on.")

    class Meta:
        model = Background
        fields = ["kind", "title", "place", "from_year", "to_year", "frequency", "wish", "skills"]
        widgets = {"skills": forms.CheckboxSelectMultiple}

    def __init__(self, *args, skills=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["skills"].queryset = Skill.objects.current() if skills is None else skills
        self.fields["frequency"].label = "How often does it come into play?"
        self.fields["wish"].label = "What do you wish you had more of?"
        self.fields["skills"].label = "Which skills does it feed?"

    def clean(self):
        data = super().clean()
        start, end = data.get("from_year"), data.get("to_year")
        if start and end and end < start:
            self.add_error("to_year", "This lies before the first year.")
        return data


class InviteForm(forms.Form):
    """Whom to invite to which role, and until when; ``by_code`` where a page must not hold people's keys."""

    role_version = forms.ModelChoiceField(RoleVersion.objects.none(), label="Role")
    deadline_on = forms.DateField(label="Deadline", widget=DAY)
    people = forms.ModelMultipleChoiceField(
        Person.objects.none(), error_messages={"required": "Choose at least one person."}
    )

    def __init__(self, *args, user, by_code=False, **kwargs):
        super().__init__(*args, **kwargs)
        published = RoleVersion.objects.visible_to(user).published().filter(role__retired_at=None)
        if by_code:
            self.fields["people"].to_field_name = "code"
        self.fields["role_version"].queryset = published.select_related("role")
        self.fields["role_version"].label_from_instance = lambda version: str(version)
        self.fields["people"].queryset = Person.objects.visible_to(user).current()
        self.fields["deadline_on"].initial = timezone.localdate() + timedelta(days=14)

    def clean_deadline_on(self):
        return check_deadline(self.cleaned_data["deadline_on"])


def check_deadline(day):
    """A deadline of tomorrow at the earliest and half a year at the latest."""
    today = timezone.localdate()
    if day <= today:
        raise forms.ValidationError("Choose a day after today.")
    if day > today + LONGEST_DEADLINE:
        raise forms.ValidationError("Choose a day within the next six months.")
    return day


class ExtendForm(forms.Form):
    """Extra time for an invitation."""

    days = forms.IntegerField(min_value=1, max_value=60)


class EvidenceForm(CleanText, forms.Form):
    """Evidence that HR enters: a test, a work sample, an interview, a certificate."""

    ENTERED = [
        (name, word) for name, word in SOURCE_WORDS.items() if name not in {"self", "manager", "peer", "subordinate"}
    ]
    skill = forms.ModelChoiceField(Skill.objects.none())
    source = forms.ChoiceField(choices=ENTERED)
    value = forms.FloatField(label="Level", min_value=0, max_value=5, help_text="0 to 5; a test may give decimals.")
    standard_error = forms.FloatField(
        label="Standard error in levels", required=False, max_value=2.5, help_text="Tests only; their report names it."
    )
    observed_on = forms.DateField(label="Date", widget=DAY)
    note = LinesField(max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["skill"].queryset = Skill.objects.current()
        self.fields["observed_on"].initial = timezone.localdate()

    def clean_observed_on(self):
        day = self.cleaned_data["observed_on"]
        if day > timezone.localdate() or day.year < 2000:
            raise forms.ValidationError("Choose a day that has passed.")
        return day

    def clean(self):
        data = super().clean()
        source, error = data.get("source"), data.get("standard_error")
        if source and DEFAULT_SOURCES[source].reliability is None and not (error and error > 0):
            self.add_error("standard_error", "A test needs its standard error, above 0.")
        elif source and DEFAULT_SOURCES[source].reliability is not None:
            data["standard_error"] = None
        return data


class RatingForm(forms.Form):
    """One rating: a level or "can't judge", with an optional note."""

    level = forms.ChoiceField(
        choices=[*[(str(n), word) for n, word in LEVEL_CHOICES], ("none", "I can't judge this")],
        error_messages={
            "required": "Choose the line that fits best, or “I can’t judge this”.",
            "invalid_choice": "Choose one of the lines shown.",
        },
    )
    note = LinesField(max_length=1000, required=False)
    read = forms.CharField(max_length=16, required=False)
    seen = forms.CharField(max_length=16, required=False)

    def clean_level(self):
        value = self.cleaned_data["level"]
        return None if value == "none" else int(value)


class AskForm(forms.Form):
    """Who is asked to rate a person, as what, and on which role."""

    role_version = forms.ModelChoiceField(RoleVersion.objects.none(), label="Role", empty_label=None)
    rater = AddressInput(label="Whose rating? Their e-mail")
    kind = forms.ChoiceField(label="They rate", choices=RatingRequest.Kind.choices)
    instead = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, user, person, **kwargs):
        super().__init__(*args, **kwargs)
        self.person = person
        published = RoleVersion.objects.visible_to(user).published().filter(role__retired_at=None)
        self.fields["role_version"].queryset = published.select_related("role")
        manager = person.manager
        self.fields["rater"].initial = shown(manager.user.email) if manager and _may_rate(manager.user) else ""

    def clean_rater(self):
        email = self.cleaned_data["rater"]
        rater = User.objects.filter(email=email, is_active=True).first()
        if rater is None:
            raise forms.ValidationError(f"There is no account with the address {shown(email)}. Raters need one.")
        if rater.pk == self.person.user_id:
            raise forms.ValidationError("Nobody rates themselves here; invite them to a self-assessment.")
        if not _may_rate(rater):
            raise forms.ValidationError(f"{rater.name} is archived. Bring them back first.")
        return rater

    def clean(self):
        if self.person.archived_at:
            raise forms.ValidationError(f"{self.person.name} is archived. Bring them back first.")
        return super().clean()


def _may_rate(user: User | None) -> bool:
    """Accounts of people who are archived are asked nothing."""
    return user is not None and user.is_active and not Person.objects.archived().filter(user=user).exists()


class ParametersForm(CleanText, forms.Form):
    """What each source is worth, where the bands lie, and why it changes."""

    likely = forms.FloatField(
        min_value=0.01, max_value=1, label="Likely from", help_text="Chance of meeting every essential, 0 to 1."
    )
    unlikely = forms.FloatField(min_value=0, max_value=0.99, label="Unlikely up to")
    reason = LinesField(
        max_length=500,
        label="Why",
        help_text="What you base the change on. It stays beside the version.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    since = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, in_force: InForce, newest: Parameters | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.in_force, self.newest = in_force, newest
        self.fields["since"].initial = str(newest or "")
        self.fields["likely"].initial = in_force.thresholds.likely
        self.fields["unlikely"].initial = in_force.thresholds.unlikely
        for name, source in in_force.sources.items():
            word = SOURCE_WORDS[name]
            self._number(f"{name}-validity", f"{word}: validity", source.validity, 0.01, 0.99)
            if source.reliability is not None:
                self._number(f"{name}-reliability", f"{word}: reliability of one", source.reliability, 0.01, 1)
            self._number(f"{name}-bias", f"{word}: correction", source.bias, -2, 2)

    def _number(self, name, label, value, low, high):
        widget = forms.NumberInput(attrs={"step": "0.01", "aria-label": label, "class": "form-control form-control-sm"})
        self.fields[name] = forms.FloatField(label=label, initial=value, min_value=low, max_value=high, widget=widget)

    def rows(self) -> list[dict]:
        """The fields of each source, as the table shows them."""
        return [
            {
                "label": SOURCE_WORDS[name],
                "studies": STUDIES[name],
                "validity": self[f"{name}-validity"],
                "reliability": self[f"{name}-reliability"] if source.reliability is not None else None,
                "bias": self[f"{name}-bias"],
            }
            for name, source in self.in_force.sources.items()
        ]

    def clean(self):
        data = super().clean()
        likely, unlikely = data.get("likely"), data.get("unlikely")
        if None not in (likely, unlikely) and unlikely >= likely:
            self.add_error("unlikely", "This must lie below the threshold for likely.")
        self._tell_of_another(data.get("since"))
        return data

    def _tell_of_another(self, since: str | None) -> None:
        """Two who have the page open: whoever accepts last is told what the other has accepted, and decides."""
        if "since" not in self.data or self.newest is None or since == str(self.newest):
            return
        sent = cast(QueryDict, self.data).copy()
        sent["since"] = str(self.newest)
        self.data = sent
        who = self.newest.by or "Somebody"
        self.add_error(
            None,
            f"{who} has accepted another version since you opened this page: “{self.newest.reason}” Compare it with "
            "what stands here, which would take its place. Accept again if it shall.",
        )

    def version(self) -> Parameters:
        """The version that these figures make, not saved yet."""
        data = self.cleaned_data
        sources = {
            name: {
                "validity": data[f"{name}-validity"],
                "reliability": data.get(f"{name}-reliability"),
                "bias": data[f"{name}-bias"],
            }
            for name in self.in_force.sources
        }
        return Parameters(sources=sources, likely=data["likely"], unlikely=data["unlikely"], reason=data["reason"])


class GoalForm(forms.Form):
    """A level to reach in a skill, by a day."""

    skill = forms.ModelChoiceField(Skill.objects.none())
    level = forms.TypedChoiceField(choices=LEVEL_CHOICES[1:], coerce=int, initial=3)
    due_on = forms.DateField(label="By", widget=DAY)

    def __init__(self, *args, person, **kwargs):
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["skill"].queryset = Skill.objects.current().select_related("skill_set")
        self.fields["due_on"].initial = timezone.localdate() + timedelta(days=180)

    def clean_due_on(self):
        day = self.cleaned_data["due_on"]
        if not timezone.localdate() < day <= timezone.localdate() + timedelta(days=5 * 366):
            raise forms.ValidationError("Choose a day within the next five years.")
        return day

    def clean_skill(self):
        skill = self.cleaned_data["skill"]
        if self.person.goals.open().filter(skill=skill).exists():
            raise forms.ValidationError("There is an open goal for this skill. Close it first.")
        return skill
