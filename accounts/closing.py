"""Closing an account for good: its row stays, since what it did names it, and nobody's name is on it any more."""

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.models import AuditEntry, Link, User, record

CLOSED_DOMAIN = "@erased.invalid"
"""How the address of a closed account ends; nobody gets mail there."""


def may_close(user: User, *, by: User) -> bool:
    """Nobody closes their own account or an administrator's here, nor the last that manages people."""
    if user.pk == by.pk or user.is_staff or user.is_superuser:
        return False
    managers = User.objects.filter(role=User.Role.HR, is_active=True)
    return user.role != User.Role.HR or managers.exclude(pk=user.pk).exists()


@transaction.atomic
def close(user: User, *, by: User | None) -> None:
    """Take name and address out of an account, and let nobody sign in with it. Only inside a named erasure."""
    EmailAddress.objects.filter(user=user).delete()
    Link.objects.filter(purpose=Link.Purpose.ADDRESS, target=str(user.pk)).delete()
    user.groups.clear()
    user.user_permissions.clear()
    user.name, user.email, user.is_active = f"Erased account {user.pk}", f"erased-{user.pk}{CLOSED_DOMAIN}", False
    user.new_email = user.last_login = None
    user.set_unusable_password()
    user.save()
    blank_entries(user, str(user))
    record("account.closed", user, str(user), by=by)


def blank_entries(row, words: str) -> int:
    """Leave of what the audit says about a row only who did what kind of thing when. Only inside a named erasure."""
    kind = ContentType.objects.get_for_model(row)
    LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).update(object_repr=words, change_message="")
    entries = AuditEntry.objects.filter(label=row._meta.label_lower, target=str(row.pk))
    return entries.update(summary=words, detail={})
