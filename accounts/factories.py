"""Accounts for tests."""

from itertools import count

from accounts.models import User

_numbers = count(1)


def make_user(role=User.Role.EMPLOYEE, **fields) -> User:
    """An account that can sign in with the password "correct horse battery"."""
    n = next(_numbers)
    values = {"email": f"{role}{n}@example.org", "name": f"{role.title()} Number{n}", **fields}
    return User.objects.create_user(password="correct horse battery", role=role, **values)
