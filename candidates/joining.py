"""Whose account is whose: somebody on the list of people and an account with the same address are one.

They are joined when HR or staff enter either, or when the holder of an account has confirmed a new address. Nobody is
joined by themselves who is joined already, or was parted from that account; no account of an administrator; and nobody
where two fit: there HR decides. Nobody decides about their own account: parted from it, somebody in HR would read who
rated them how.
"""

from collections import Counter
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts import actions as accounts
from accounts.models import User, record
from accounts.neighbours import Owner
from assessments import actions as assessments
from assessments.models import RatingRequest, Sitting
from candidates.models import Person
from socialstrategy.lib.addresses import ODD, canonical
from socialstrategy.lib.searching import Folded, folded

MOST_FITTING = 5
MOST_ASKED = 500
"""Accounts of nobody that one looks through to ask HR about them."""


def free_accounts():
    """Accounts that nobody on the list has yet, without those of administrators."""
    has_person = Exists(Person.objects.filter(user=OuterRef("pk")))
    return User.objects.filter(~has_person, is_staff=False, is_superuser=False)


def free_people():
    """People without an account who are not archived."""
    return Person.objects.current().filter(user=None)


@transaction.atomic
def join(people: Iterable[Person], *, by) -> int:
    """Join people whose address has just been entered with the free accounts that have it; how many were."""
    given = {person.pk: person for person in people if person.email}
    locked = free_people().select_for_update().filter(pk__in=given).order_by("pk")
    # The rows as the caller holds them, so that whatever it saves afterwards knows of the account.
    free = {row.email: given[row.pk] for row in locked}
    accounts_found = list(free_accounts().filter(email__in=free))
    if not accounts_found:
        return 0
    claims = Counter(_odd(free_people()) + _odd(free_accounts()))
    parted = set(Person.parted_from.through.objects.filter(person__in=given).values_list("person", "user"))
    found = [(free[user.email], user) for user in accounts_found if not claims[user.email]]
    fitting = [(person, user) for person, user in found if (person.pk, user.pk) not in parted]
    for person, user in fitting:
        _join(person, user, by)
    return len(fitting)


def _odd(rows) -> list[str]:
    """The mailboxes of rows that were stored otherwise written before there was one form, and had a twin."""
    odd = rows.filter(email__regex=ODD).values_list("email", flat=True)
    return [canonical(email) for email in odd if canonical(email) != email]


def account_entered(user: User, *, by) -> None:
    """Somebody has made an account, or its holder has confirmed another address."""
    join(Person.objects.at(user.email), by=by)


def _join(person: Person, user: User, by) -> None:
    person.user = user
    person.save(update_fields=["user"])
    record("account.joined", person, f"{person.code} with account {user.pk}", by=by, account=user.pk)
    # Asked while the account was nobody's: nobody rates themselves.
    for request in RatingRequest.objects.open().filter(subject=person.subject, rater=user):
        assessments.withdraw_request(request, timezone.now())
        record("rating.withdrawn", request, f"{person.code}, {request.get_kind_display().lower()}", by=by)


def _must_be_another_s(user: User, by) -> None:
    if by is not None and user.pk == by.pk:
        raise ValidationError("Nobody says whose their own account is. Ask another HR manager.")


@transaction.atomic
def join_by_hand(person: Person, user: User, *, by) -> None:
    """HR says whose an account is, whatever its address.

    Raises
    ------
    ValidationError : either is joined already, the account is an administrator's and whoever asks is none, or it is
        the account of whoever asks.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.archived_at:
        raise ValidationError(person.archived_words)
    if person.user_id:
        raise ValidationError(f"{person.name} has an account already.")
    if Person.objects.filter(user=user).exists():
        raise ValidationError("This account belongs to somebody else already.")
    if not accounts.may_change(user, by=by):
        raise ValidationError("This is the account of an administrator. Only an administrator can join it.")
    _must_be_another_s(user, by)
    person.parted_from.remove(user)
    _join(person, user, by)


@transaction.atomic
def part(person: Person, *, by) -> None:
    """The account is no longer this person's; both stay, and are not joined again by themselves.

    What somebody has open of the person's assessments is closed, since it may be the account's holder: whoever was
    invited asks for a fresh link.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.user is None:
        return
    if not accounts.may_change(person.user, by=by):
        raise ValidationError("This is the account of an administrator. Only an administrator can part it.")
    _must_be_another_s(person.user, by)
    person.parted_from.add(person.user)
    for sitting in Sitting.objects.filter(subject=person.subject, submitted_at=None):
        assessments.close_in_browsers(sitting, timezone.now())
    record("account.parted", person, f"{person.code} from account {person.user_id}", by=by, account=person.user_id)
    person.user = None
    person.save(update_fields=["user"])


@transaction.atomic
def invite(person: Person, *, role, by) -> User:
    """Make an account for somebody; a mail asks them to choose a password."""
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.archived_at:
        raise ValidationError(person.archived_words)
    if person.user_id:
        raise ValidationError(f"{person.name} has an account already.")
    if not person.email:
        raise ValidationError(f"{person.name} has no e-mail address. Enter one first.")
    if User.objects.filter(email=person.email).exists():
        raise ValidationError("There is an account with this address. Say below whether it is theirs.")
    user = User(name=person.name, email=person.email, role=role)
    return accounts.create_account(user, by=by)


def fitting_accounts(person: Person) -> list[User]:
    """Free accounts that may be this person's: the same address, or the same name."""
    if person.user_id or person.archived_at:
        return []
    alike = Q(folded_name=folded(person.name))
    if person.email:
        alike |= Q(email=person.email)
    return list(free_accounts().alias(folded_name=Folded("name")).filter(alike)[:MOST_FITTING])


def to_ask_about():
    """People with the address of a free account who were not joined: HR knows whether they are one."""
    emails = free_accounts().values("email")[:MOST_ASKED]
    return free_people().alias(indexed_email=Lower("email")).filter(indexed_email__in=emails)


def follow(person: Person, before: str | None, *, by) -> None:
    """An account that was made for somebody at their address ``before``, and never signed in to, goes where it goes.

    Its mail went there, and there may have been somebody else. One that was signed in to has a holder, who is asked:
    their page says that the two addresses differ.
    """
    user = person.user
    if user is None or user.last_login or not person.email or user.email != before:
        return
    if accounts.may_change(user, by=by) and not User.objects.filter(email=person.email).exists():
        accounts.change_address(user, person.email, by=by)


def owners(users: Iterable[User]) -> dict[int, Owner]:
    """Whose some accounts are."""
    people = Person.objects.filter(user__in=list(users)).only("pk", "name", "user_id")
    page = "candidates:person_detail"
    return {one.user_id: Owner(one.name, reverse(page, args=[one.pk])) for one in people if one.user_id}
