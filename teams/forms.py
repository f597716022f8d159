"""Forms about teams, initiatives and demands."""

from django import forms
from django.utils import timezone

from candidates.forms import DAY
from candidates.models import Person
from roles.forms import CleanText
from roles.models import RoleTemplate, Skill
from socialstrategy.lib.addresses import AddressInput
from socialstrategy.lib.fields import LinesField
from socialstrategy.lib.levels import LEVEL_CHOICES
from socialstrategy.lib.meanwhile import ToldMeanwhile
from socialstrategy.lib.searching import Folded, folded
from teams.models import FULL_TIME, MOST_PEOPLE, Demand, Initiative, Team

LAST_YEAR = 2100


def clean_day(form, name: str, *, was=None):
    """A day that is still to come, unless it stays as it was."""
    day = form.cleaned_data[name]
    if day != was and (day < timezone.localdate() or day.year > LAST_YEAR):
        raise forms.ValidationError("Choose a day that is still to come.")
    return day


def employee(email: str) -> Person:
    """The employee with an address, or a sentence that says why not."""
    found = Person.objects.current().filter(email=email).first()
    if found is None:
        raise forms.ValidationError("No person has this address.")
    if found.kind != Person.Kind.EMPLOYEE:
        raise forms.ValidationError(f"{found.name} is a candidate. Only employees can be in a team.")
    return found


class TeamForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """What a team is called and for."""

    class Meta:
        model = Team
        fields = ["name", "function", "purpose"]

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        alike = Team.objects.current().alias(folded_name=Folded("name")).filter(folded_name=folded(name))
        if alike.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("A team has this name already.")
        return name


class MemberForm(forms.Form):
    """Who joins a team, with how much of their time."""

    email = AddressInput(label="Their e-mail")
    share = forms.IntegerField(label="Share of time, percent", min_value=5, max_value=FULL_TIME, initial=FULL_TIME)

    def clean_email(self):
        self.person = employee(self.cleaned_data["email"])
        return self.cleaned_data["email"]


class ShareForm(forms.Form):
    """How much of their time a member gives."""

    share = forms.IntegerField(min_value=5, max_value=FULL_TIME)


class CloseForm(forms.Form):
    """What becomes of a team's people and demands."""

    into = forms.ModelChoiceField(
        Team.objects.none(),
        required=False,
        label="Merge into",
        empty_label="Nobody: dissolve it",
        help_text="People and demands move along. Without a team to merge into, people leave and demands stay open.",
    )

    def __init__(self, *args, team, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["into"].queryset = Team.objects.current().exclude(pk=team.pk)


class InitiativeForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """What an initiative is for, and by when."""

    owner_email = AddressInput(label="Owner's e-mail", required=False)

    class Meta:
        model = Initiative
        fields = ["title", "function", "goal", "phase", "deadline_on", "budget"]
        widgets = {"goal": forms.Textarea(attrs={"rows": 2}), "deadline_on": DAY}
        field_classes = {"goal": LinesField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.was = self.instance.deadline_on
        if self.instance.owner:
            self.fields["owner_email"].initial = self.instance.owner.email

    def clean_deadline_on(self):
        return clean_day(self, "deadline_on", was=self.was)

    def clean_owner_email(self):
        email = self.cleaned_data["owner_email"]
        self.owner = employee(email) if email else None
        return email

    def save(self, commit=True):
        self.instance.owner = self.owner
        return super().save(commit)


class NewInitiativeForm(InitiativeForm):
    """A new initiative, and what its demands are drafted from."""

    start = forms.ChoiceField(required=False, label="Draft demands from")
    team = forms.ModelChoiceField(
        Team.objects.none(), required=False, label="In team", help_text="Whose people a role template is asked of."
    )
    people = forms.IntegerField(required=False, min_value=1, max_value=MOST_PEOPLE, initial=1, label="People per skill")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.current()
        self.fields["start"].choices = [
            ("", "Nothing: add them by hand"),
            ("Role templates", [(f"template-{t.pk}", t.title) for t in RoleTemplate.objects.current()]),
            ("Earlier initiatives", [(f"initiative-{i.pk}", i.title) for i in Initiative.objects.order_by("title")]),
        ]

    def clean(self):
        data = super().clean()
        if (data.get("start") or "").startswith("template-") and not data.get("team"):
            self.add_error("team", "Choose the team whose people the template is asked of.")
        return data


class DemandForm(ToldMeanwhile, CleanText, forms.ModelForm):
    """One demand, in the order in which it is read."""

    class Meta:
        model = Demand
        fields = ["people", "team", "level", "skill", "due_on", "phase", "reason"]
        widgets = {"level": forms.Select(choices=LEVEL_CHOICES[1:]), "due_on": DAY}
        labels = {"people": "At least so many people", "team": "in team", "level": "at level", "skill": "or above in"}

    def __init__(self, *args, initiative, **kwargs):
        super().__init__(*args, **kwargs)
        self.initiative = initiative
        self.was = self.instance.due_on
        self.fields["team"].queryset = Team.objects.current()
        self.fields["skill"].queryset = Skill.objects.current().select_related("skill_set")
        self.fields["people"].widget.attrs |= {"min": 1, "max": MOST_PEOPLE}

    def clean_due_on(self):
        return clean_day(self, "due_on", was=self.was)

    def clean(self):
        data = super().clean()
        same = {name: data.get(name) for name in ("phase", "team", "skill", "level")}
        if None not in same.values():
            twin = Demand.objects.filter(initiative=self.initiative, **same).exclude(pk=self.instance.pk).first()
            if twin:
                self.add_error("skill", f"This is asked for already, for {twin.people}. Change that line instead.")
        return data

    def save(self, commit=True):
        self.instance.initiative = self.initiative
        return super().save(commit)
