"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter

from socialstrategy import mail


class Adapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, and mails go through the outbox."""

    def is_open_for_signup(self, request) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        template = {"account/email/password_reset_key": "accounts/emails/password_reset.txt"}[template_prefix]
        mail.post(email, template, context)
