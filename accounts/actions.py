"""Changes to accounts; each is atomic, and its entry in the audit log says what was there before."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import neighbours
from accounts.models import Link, User, digest, record
from accounts.password_reset import send_reset
from socialstrategy import mail
from socialstrategy.lib.addresses import canonical

ADDRESS_LASTS = timedelta(days=3)
BETWEEN_LINKS = timedelta(minutes=1)
PLAIN = ("name", "role", "is_active", "is_staff")
"""What changes at once; another address waits until it is confirmed."""
RIGHTS = {"role", "is_active", "is_staff"}


def may_change(user: User, *, by: User | None) -> bool:
    """Whether somebody may change an account: administrators' by administrators, superusers' by superusers only.

    Otherwise whoever looks after accounts could become an administrator by way of one's address. ``by`` is None for
    commands at the server.
    """
    if by is None or by.is_superuser or not (user.is_staff or user.is_superuser):
        return True
    return by.is_staff and not user.is_superuser


def _check(user: User, by: User | None) -> None:
    if not may_change(user, by=by):
        raise ValidationError("This is the account of an administrator. Only an administrator can change it.")


@transaction.atomic
def create_account(user: User, *, by) -> User:
    """Keep a new account; a mail asks its holder to choose a password, and whoever has the address is told of it."""
    if user.is_staff and not (by and by.is_superuser):
        raise ValidationError("Only an administrator can make another one.")
    user.set_unusable_password()
    user.save()
    after = {name: getattr(user, name) for name in ("email", *PLAIN)}
    record("account.created", user, f"{user.name}, {user.get_role_display()}", by=by, after=after)
    neighbours.entered(user, by=by)
    send_reset(user)
    return user


@transaction.atomic
def change_account(user: User, changes: dict, *, by: User) -> User:
    """Change name, role or rights at once, and begin to change the address; ``changes`` are the wanted values.

    Raises
    ------
    ValidationError : an administrator's account, one's own rights, the last HR manager, or a mail went out just now.
    """
    # All that keep the house open are held, so that two who shut each other out at once do not both succeed.
    managers = list(User.objects.select_for_update().filter(role=User.Role.HR, is_active=True).order_by("pk"))
    user = User.objects.select_for_update().get(pk=user.pk)
    _check(user, by)
    before = {name: getattr(user, name) for name in PLAIN if name in changes and getattr(user, name) != changes[name]}
    after = {name: changes[name] for name in before}
    if RIGHTS & after.keys():
        _check_rights(user, after, managers, by)
    for name, value in after.items():
        setattr(user, name, value)
    if after:
        user.save(update_fields=[*after])
        words = "; ".join(_change(name, before[name], after[name]) for name in after)
        record("account.changed", user, f"{user.name}: {words}", by=by, before=before, after=after)
    if "email" in changes:
        return change_address(user, changes["email"], by=by)
    return user


def _check_rights(user: User, after: dict, managers: list[User], by: User) -> None:
    if user.pk == by.pk:
        raise ValidationError("Nobody changes their own role or rights. Ask another HR manager.")
    if "is_staff" in after and not by.is_superuser:
        raise ValidationError("Only an administrator can say who is another one.")
    stays = after.get("role", user.role) == User.Role.HR and after.get("is_active", user.is_active)
    if not stays and not any(one.pk != user.pk for one in managers):
        raise ValidationError("This is the last HR manager who can sign in. Make another one first.")


def _change(name: str, before, after) -> str:
    """One change in words."""
    if name == "role":
        return f"{User.Role(before).label} → {User.Role(after).label}"
    if name == "name":
        return f"was called {before}"
    words = {"is_active": ("may sign in", "may not sign in"), "is_staff": ("administrator", "no administrator")}
    return words[name][0 if after else 1]


@transaction.atomic
def mail_password_link(user: User, *, by) -> None:
    """A mail with a link to choose a password, as HR asks for it."""
    _check(user, by)
    if not user.is_active:
        raise ValidationError("This account may not sign in. Let it sign in first.")
    record("account.password link sent", user, user.name, by=by)
    send_reset(user)


@transaction.atomic
def change_address(user: User, email: str, *, by: User | None) -> User:
    """Begin to change an address; told to the old one, and in force when the holder has confirmed it.

    The link goes to the new address, and works for whoever is signed in to the account: neither the mailbox alone nor
    the account alone is enough. An account that was never signed in to has no holder yet: there it holds at once, and
    the mail to choose a password goes to the new address. An address that stays as it is ends what was begun.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    _check(user, by)
    email = canonical(email)
    if email == user.email:
        _keep_address(user, by)
    elif email != user.new_email:
        if user.last_login is None and (by is None or user.pk != by.pk):
            # Whoever reads the earlier mailbox may have chosen a password, and not have signed in with it yet.
            user.set_unusable_password()
            user.save(update_fields=["password"])
            _set_address(user, email, by)
            send_reset(user)
        else:
            _ask_for_address(user, email, by)
    return user


def _ask_for_address(user: User, email: str, by) -> None:
    user.new_email = email
    user.save(update_fields=["new_email"])
    mail_address_link(user, by=by)
    context = {"user": user, "by": by}
    mail.post(user.email, "accounts/emails/address_changes.txt", context, name=user.name, about=(mail.NOTICE, user.pk))
    record("account.address asked", user, user.name, by=by, before=user.email, after=email)


@transaction.atomic
def mail_address_link(user: User, *, by: User) -> None:
    """A link to confirm the address that was asked for, to that address; at most one a minute."""
    _check(user, by)
    # Of several who ask at once, the second one sees what the first has sent.
    User.objects.select_for_update().get(pk=user.pk)
    if user.new_email is None:
        raise ValidationError("No other address was asked for.")
    if Link.objects.issued_since(Link.Purpose.ADDRESS, user.pk, timezone.now() - BETWEEN_LINKS):
        raise ValidationError("A mail about another address has just gone out. Please wait a minute.")
    expires = timezone.now() + ADDRESS_LASTS
    token = Link.objects.issue(Link.Purpose.ADDRESS, user.pk, expires)
    context = {"user": user, "by": by, "path": reverse("accounts:address_confirm", args=[token])}
    mail.withdraw("address", user.pk)
    mail.post(
        user.new_email,
        "accounts/emails/address_confirm.txt",
        context,
        name=user.name,
        about=("address", user.pk),
        link=digest(token),
        until=expires,
    )


def _keep_address(user: User, by) -> None:
    if user.new_email is None:
        return
    record("account.address kept", user, user.name, by=by, before=user.new_email, after=user.email)
    user.new_email = None
    user.save(update_fields=["new_email"])
    Link.objects.end(Link.Purpose.ADDRESS, user.pk)
    mail.withdraw("address", user.pk)


def _set_address(user: User, email: str, by) -> None:
    before = user.email
    context = {"user": user, "by": by}
    mail.post(before, "accounts/emails/address_changed.txt", context, name=user.name, about=(mail.NOTICE, user.pk))
    user.email, user.new_email = email, None
    user.save(update_fields=["email", "new_email"])
    # What the sign-in may have kept of the earlier address would open the account as well.
    EmailAddress.objects.filter(user=user).delete()
    Link.objects.end(Link.Purpose.ADDRESS, user.pk)
    record("account.address changed", user, user.name, by=by, before=before, after=email)
    neighbours.entered(user, by=by)


@transaction.atomic
def confirm_address(token: str, *, by: User, now) -> bool:
    """Put a new address in force by its link; False when the link is no longer open, or is another account's.

    Raises
    ------
    ValidationError : somebody else has the address by now.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    link = Link.objects.find(Link.Purpose.ADDRESS, token)
    if link is None or link.target != str(user.pk) or user.new_email is None:
        return False
    if User.objects.filter(email=user.new_email).exclude(pk=user.pk).exists():
        raise ValidationError("Another account has this address by now.")
    if Link.objects.consume(Link.Purpose.ADDRESS, token, now) is None:
        return False
    _set_address(user, user.new_email, by)
    return True
