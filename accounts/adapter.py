"""How allauth behaves here."""

from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from socialstrategy import mail


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves; mails go through the outbox, and their links lead to our own address.

    A request's own idea of our address is not asked: whoever sends the request can make it up.
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
