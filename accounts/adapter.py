"""How allauth behaves here."""

from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts import attempts
from socialstrategy import mail
from socialstrategy.lib import visitors


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, mails go through the outbox, and guessing is limited by ``attempts``.

    Links in mails lead to our own address. A request's idea of it is not asked: whoever sends it can make it up.
    """

    def is_open_for_signup(self, request) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        user, _, token = key.partition("-")
        return settings.BASE_URL + reverse("account_reset_password_from_key", args=[user, token])

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        template = {"account/email/password_reset_key": "accounts/emails/password_reset.txt"}[template_prefix]
        user = context["user"]
        until = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        mail.withdraw("account", user.pk)
        mail.post(email, template, context, name=user.name, about=("account", user.pk), until=until)

    def get_client_ip(self, request) -> str:
        return visitors.address(request)

    def authenticate(self, request, **credentials):
        """The account of this address and password, counted as an attempt unless it is right."""
        email = credentials.get("email", "")
        attempt = attempts.Attempt(request, email)
        if refused := attempt.take():
            raise ValidationError(refused)
        user = super().authenticate(request, **credentials)
        if user:
            attempt.give_back()
            attempts.remember(request, email)
        return user
