"""From a person's page: whose account is whose."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import User
from candidates import joining
from candidates.models import Person
from socialstrategy.lib.addresses import AddressInput, shown


class JoinForm(forms.Form):
    """An account, by its address."""

    account = AddressInput(label="The account's e-mail", max_length=254)

    def clean_account(self):
        email = self.cleaned_data["account"]
        found = User.objects.filter(email=email).first()
        if found is None:
            raise forms.ValidationError(f"There is no account with the address {shown(email)}.")
        return found


class InviteToAccountForm(forms.Form):
    """As what somebody will sign in."""

    role = forms.ChoiceField(
        label="As",
        choices=[(role, role.label) for role in (User.Role.EMPLOYEE, User.Role.ASSESSOR, User.Role.EXECUTIVE)],
        help_text="Managers who rate and read their own people need no more than that.",
    )


def _own(request, pk) -> Person:
    return get_object_or_404(Person.objects.visible_to(request.user).select_related("user"), pk=pk)


def _refused(request, person, sentence: str):
    back = reverse("candidates:person_detail", args=[person.pk])
    return render(request, "problem.html", {"title": "Not done", "sentence": sentence, "back": back}, status=409)


@require_POST
def account_join(request, pk):
    """HR says that an account is this person's."""
    person, form = _own(request, pk), JoinForm(request.POST)
    if not form.is_valid():
        return _refused(request, person, " ".join(form.errors.get("account", [])))
    try:
        joining.join_by_hand(person, form.cleaned_data["account"], by=request.user)
    except ValidationError as error:
        return _refused(request, person, error.messages[0])
    messages.success(request, f"{person.name} signs in as {shown(form.cleaned_data['account'].email)}.")
    return redirect("candidates:person_detail", person.pk)


@require_POST
def account_part(request, pk):
    """The account is somebody else's, or nobody's; both stay."""
    person = _own(request, pk)
    try:
        joining.part(person, by=request.user)
    except ValidationError as error:
        return _refused(request, person, error.messages[0])
    messages.success(request, f"{person.name} and the account are parted. Both are still there.")
    return redirect("candidates:person_detail", person.pk)


@require_POST
def account_invite(request, pk):
    """Make an account for somebody and mail them a link to choose a password."""
    person, form = _own(request, pk), InviteToAccountForm(request.POST)
    if not form.is_valid():
        return _refused(request, person, "Choose one of the roles shown.")
    try:
        joining.invite(person, role=form.cleaned_data["role"], by=request.user)
    except ValidationError as error:
        return _refused(request, person, error.messages[0])
    messages.success(request, f"{person.name} gets a mail with a link to choose a password.")
    return redirect("candidates:person_detail", person.pk)
