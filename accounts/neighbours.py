"""What apps to the right of this one are told of accounts, and what they tell about them. They register in ready().

Calls are made at once and in the caller's transaction: whoever has entered an account sees on the next page whose it
is. This app knows of none of its neighbours.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts.models import User


@dataclass(frozen=True)
class Owner:
    """Whose an account is, and where there is more about them."""

    name: str
    address: str


ENTERED: list[Callable[..., None]] = []
"""Called as (user, by=…) when an account has been made, or its address has been changed and confirmed."""
OWNERS: list[Callable[[Iterable[User]], dict[int, Owner]]] = []
"""Each gives the owners it knows of some accounts, by the account's key."""


def entered(user: User, *, by) -> None:
    """Tell everybody of an account that has just been entered, or has another address."""
    for call in ENTERED:
        call(user, by=by)


def owners(users: Iterable[User]) -> dict[int, Owner]:
    """Whose some accounts are, by the account's key; those of nobody are left out."""
    users = list(users)
    found: dict[int, Owner] = {}
    for call in OWNERS:
        found |= call(users)
    return found
