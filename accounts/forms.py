"""Forms about accounts."""

from django import forms

from accounts.models import User
from socialstrategy.lib.text import clean


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
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is an account with this address already.")
        return email
