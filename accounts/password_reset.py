"""A forgotten password: whoever asks gets the same answer in the same time; a job looks whether there is an account."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm, default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction

from accounts.models import User
from socialstrategy import jobs
from socialstrategy.jobs.models import Job
from socialstrategy.lib.addresses import AddressInput


class ResetForm(ResetPasswordForm):
    """Asks for an address, and looks nothing up: looking up takes time, which would tell who has an account."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"] = AddressInput.like(self.fields["email"])

    def clean_email(self) -> str:
        return get_adapter().clean_email(self.cleaned_data["email"])

    def save(self, request, **kwargs) -> str:
        email = self.cleaned_data["email"]
        jobs.enqueue("accounts.password_reset", email=email)
        return email


@jobs.handles("accounts.password_reset")
def mail_reset(job) -> None:
    """Mail the link to the account with this address, if there is one that may sign in."""
    email = job.arguments.get("email", "")
    for user in User.objects.filter(email=email, is_active=True):
        send_reset(user)
    # Nothing stays of who asked, with an account or without.
    Job.objects.filter(pk=job.pk).update(arguments={})


@transaction.atomic
def send_reset(user: User) -> None:
    """A mail with a link to choose a password; one that is still on its way is taken back."""
    # Of several who ask at once, the second one sees what the first has sent.
    User.objects.select_for_update().get(pk=user.pk)
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    adapter = get_adapter()
    address = adapter.get_reset_password_from_key_url(key)
    adapter.send_password_reset_mail(user, user.email, {"user": user, "password_reset_url": address})
