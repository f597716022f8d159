"""Forms about accounts."""

from allauth.account.forms import LoginForm, ResetPasswordForm
from django import forms

from accounts.models import User
from socialstrategy.lib.addresses import AddressInput
from socialstrategy.lib.text import clean


def _any_way_of_writing(form, name: str) -> None:
    """The form's address may be written in any way; its looks stay as they are."""
    old = form.fields[name]
    form.fields[name] = AddressInput(label=old.label, widget=old.widget)


class SignInForm(LoginForm):
    """Address and password."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _any_way_of_writing(self, "login")


class ForgottenForm(ResetPasswordForm):
    """The address that a link to a new password goes to."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _any_way_of_writing(self, "email")


class NameForm(forms.ModelForm):
    """Somebody's own name."""

    class Meta:
        model = User
        fields = ["name"]

    def clean_name(self):
        return clean(self.cleaned_data["name"])


class AccountForm(forms.ModelForm):
    """An account, as HR sees it."""

    class Meta:
        model = User
        fields = ["name", "email", "role", "is_active"]
        help_texts = {"role": "What this person may see and do."}

    def clean_name(self):
        return clean(self.cleaned_data["name"])

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is an account with this address already.")
        return email
