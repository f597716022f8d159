"""Changes to accounts."""

from allauth.account.internal.flows.password_reset import request_password_reset
from django.db import transaction

from accounts.models import User, record


@transaction.atomic
def save_account(form, *, by, request) -> User:
    """Create or change an account; a new one gets a mail to choose a password."""
    is_new = form.instance.pk is None
    user = form.save(commit=False)
    if is_new:
        user.set_unusable_password()
    user.save()
    record("account.created" if is_new else "account.changed", user, f"{user.name}, {user.get_role_display()}", by=by)
    if is_new:
        request_password_reset(request, user.email, [user], None)
    return user
