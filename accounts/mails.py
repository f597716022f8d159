"""What becomes of mails about accounts that were not delivered."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import actions
from accounts.models import Link, User, record
from accounts.password_reset import send_reset
from socialstrategy import mail


def _open_account(failed) -> User:
    user = User.objects.filter(pk=failed.key, is_active=True).first()
    if user is None:
        raise ValidationError("This account is closed.")
    return user


def password_again(failed, by) -> None:
    """In place of a mail that was not delivered, a fresh one."""
    user = _open_account(failed)
    record("account.password link sent", user, user.name, by=by)
    send_reset(user)


def address_again(failed, by) -> None:
    actions.mail_address_link(_open_account(failed), by=by)


def end_link(ended) -> None:
    """Nobody has the link of a mail that is not sent any more."""
    Link.objects.filter(token_digest=ended.link, used_at=None, ended_at=None).update(ended_at=timezone.now())


def is_password_wanted(waiting) -> bool:
    """Not to an address that was changed meanwhile, nor for an account that was closed."""
    return User.objects.filter(pk=waiting.key, email=waiting.to, is_active=True).exists()


def is_address_wanted(waiting) -> bool:
    return User.objects.filter(pk=waiting.key, new_email=waiting.to, is_active=True).exists()


def register() -> None:
    """Tell the outbox what becomes of these mails, and where the audit trail is kept."""
    # A link for a password stands nowhere but in its mail: with the text it is gone.
    mail.follows("account", mail.Follower(lambda ended: None, password_again, is_password_wanted))
    mail.follows("address", mail.Follower(end_link, address_again, is_address_wanted))
    mail.RECORDERS.append(record)
