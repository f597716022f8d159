"""Somebody leaves the list, and comes back: their evidence stays, what was asked of them and about them ends."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import Link, record
from assessments.models import RatingRequest
from candidates import import_awaiting, inviting, joining
from candidates.invitations import Invitation
from candidates.models import Person
from socialstrategy import mail


@dataclass(frozen=True)
class Ending:
    """How much ends when somebody is archived."""

    invitations: int
    ratings: int

    @property
    def words(self) -> str:
        """What ends, as the middle of a sentence; empty where nothing does."""
        parts = [
            f"{count} open {word}{'s' * (count != 1)}"
            for count, word in ((self.invitations, "invitation"), (self.ratings, "request"))
            if count
        ]
        return f"{' and '.join(parts)}{' for a rating' if self.ratings else ''}"


def _open_invitations(person: Person):
    """Not handed in and not taken back, those that ran out as well: extra time would open them again."""
    return Invitation.objects.filter(person=person, submitted_at=None, revoked_at=None)


def _open_ratings(person: Person):
    """Asked about somebody, and asked of them."""
    asked = RatingRequest.objects.open()
    about = asked.filter(subject=person.subject)
    return about | asked.filter(rater=person.user_id) if person.user_id else about


def ending(person: Person) -> Ending:
    """What would end now."""
    running = _open_invitations(person).filter(deadline_at__gt=timezone.now())
    return Ending(running.count(), _open_ratings(person).count())


@transaction.atomic
def archive(person: Person, *, by) -> Ending:
    """Take somebody out of lists and rankings: links, invitations, mails and requests for ratings end."""
    ended = ending(person)
    if Person.objects.select_for_update().get(pk=person.pk).archived_at:
        return ended
    now = timezone.now()
    for invitation in _open_invitations(person).select_related("person", "sitting"):
        inviting.revoke(invitation, by=by)
    Link.objects.end(Link.Purpose.REPORT, person.pk)
    mail.withdraw("report", person.pk)
    _open_ratings(person).update(withdrawn_at=now)
    person.archived_at = now
    person.save(update_fields=["archived_at"])
    record("person.archived", person, person.code, by=by, invitations=ended.invitations, ratings=ended.ratings)
    return ended


@transaction.atomic
def bring_back(person: Person, *, by) -> Person:
    """On the list again. What has ended stays ended; an account that has their address is joined."""
    if Person.objects.select_for_update().get(pk=person.pk).archived_at is None:
        return person
    person.archived_at = None
    person.save(update_fields=["archived_at"])
    record("person.restored", person, person.code, by=by)
    joining.join([person], by=by)
    import_awaiting.settle([person.pk], by=by)
    return person
