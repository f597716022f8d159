"""Forms about accounts."""

from allauth.account.forms import LoginForm
from django import forms

from accounts.actions import RIGHTS
from accounts.models import User
from socialstrategy.lib.addresses import AddressInput
from socialstrategy.lib.meanwhile import ToldMeanwhile
from socialstrategy.lib.text import clean


class SignInForm(LoginForm):
    """Address and password; the address may be written in any way."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"] = AddressInput.like(self.fields["login"])


class NameForm(ToldMeanwhile, forms.ModelForm):
    """Somebody's own name."""

    class Meta:
        model = User
        fields = ["name"]

    def clean_name(self):
        return clean(self.cleaned_data["name"])


def free_address(email: str, user: User) -> str:
    """The address, unless another account has it."""
    if User.objects.filter(email=email).exclude(pk=user.pk).exists():
        raise forms.ValidationError("There is an account with this address already.")
    return email


class AddressForm(forms.Form):
    """Another address of one's own."""

    email = AddressInput(label="Your e-mail address", max_length=254)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["email"].initial = user.new_email or user.email

    def clean_email(self):
        return free_address(self.cleaned_data["email"], self.user)


class AccountForm(ToldMeanwhile, forms.ModelForm):
    """An account, as HR sees it; administrators also say who is one of them."""

    class Meta:
        model = User
        fields = ["name", "email", "role", "is_active", "is_staff"]
        labels = {"is_staff": "Administrator"}
        help_texts = {
            "role": "What this person may see and do.",
            "is_staff": "May change the weights of evidence and other administrators' accounts.",
        }

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "Another address holds once it has been confirmed by mail."
        if self.instance.new_email:
            self.initial["email"] = self.instance.new_email
        if not self.instance.pk:
            self.fields["email"].help_text = "A link to choose a password goes there."
        if not by.is_superuser:
            del self.fields["is_staff"]
        if self.instance.pk == by.pk:
            for name in RIGHTS & self.fields.keys():
                self.fields[name].help_text = "Nobody changes their own. Ask another HR manager."

    def clean_name(self):
        return clean(self.cleaned_data["name"])

    def clean_email(self):
        return free_address(self.cleaned_data["email"], self.instance)
