"""Answering, submitting and rating; names are nowhere in here."""

import hashlib

from django.core.exceptions import ValidationError
from django.db import transaction

from assessments.cards import wording
from assessments.models import Rating, RatingRequest, Response, Sitting
from roles.models import Requirement


class Closed(ValidationError):
    """The sitting or rating can't be worked on any more."""

    def __init__(self, what: str = "This assessment"):
        super().__init__(f"{what} is closed. Nothing was changed.")


class AnsweredElsewhere(ValidationError):
    """Another tab or device has stored a newer answer to the same question."""

    def __init__(self):
        super().__init__(
            "You have answered this question in another tab or on another device since this page was opened. "
            "The newer answer is kept and shown below; choose again if you want to change it."
        )


class RatedElsewhere(ValidationError):
    """Another tab or device has stored another rating of the same skill; ``rating`` is that one."""

    def __init__(self, rating: Rating):
        self.rating = rating
        super().__init__("You have rated this skill in another tab or on another device since this page was opened.")


class NotAsked(ValidationError):
    """The skill is none of those that the sitting or the rating asks for."""

    def __init__(self):
        super().__init__("This question is not part of it. Nothing was stored.")


class Reworded(ValidationError):
    """What the page said of the skill has been changed since it was opened."""

    def __init__(self):
        super().__init__(
            "These lines have been reworded since you opened the page, so nothing was stored. "
            "Please read them again and choose."
        )


def _must_say_the_same(skill, read: str) -> None:
    """``read`` is the sign of the wording that somebody chose by; empty where no page was read."""
    if read and read != wording(skill):
        raise Reworded


def _must_be_asked(role_version_id, skill) -> None:
    if not Requirement.objects.filter(version=role_version_id, skill=skill).exists():
        raise NotAsked


def create_sitting(*, subject, role_version, deadline_at) -> Sitting:
    return Sitting.objects.create(subject=subject, role_version=role_version, deadline_at=deadline_at)


@transaction.atomic
def consent(sitting: Sitting, now, *, accommodation: str = "") -> None:
    """Record the consent, once, and what would make the assessment easier to take.

    Part of the consent is that what is complete at the deadline is handed in by itself; see ``hand_in_by_itself``.
    """
    sitting = _open(sitting, now)
    if sitting.consented_at is None:
        sitting.consented_at, sitting.hands_itself_in = now, True
    sitting.accommodation = accommodation
    sitting.save(update_fields=["consented_at", "hands_itself_in", "accommodation"])


@transaction.atomic
def hand_in_by_itself(sitting: Sitting, now, *, wanted: bool) -> None:
    """Whether what is complete at the deadline is handed in then, or only by whoever answers."""
    sitting = _open(sitting, now)
    sitting.hands_itself_in = wanted
    sitting.save(update_fields=["hands_itself_in"])


def _open(sitting: Sitting, now) -> Sitting:
    found = Sitting.objects.select_for_update().get(pk=sitting.pk)
    if not found.is_open(now):
        raise Closed
    return found


@transaction.atomic
def answer(
    sitting: Sitting, skill, now, *, level, note="", link="", revision: int = 0, page: str = "", step: int = 0, read=""
) -> Response:
    """Store an answer (level None: can't judge). ``revision`` is what the page was opened with; 0 for a first answer.

    A page's own earlier answer is no conflict: ``page`` tells pages apart, ``step`` counts what one has sent, so that
    an earlier choice that arrives late never replaces a later one.

    Raises
    ------
    Closed, NotAsked, Reworded, AnsweredElsewhere : nothing is written.
    """
    sitting = _open(sitting, now)
    _must_be_asked(sitting.role_version_id, skill)
    _must_say_the_same(skill, read)
    statement = skill.anchor(level) if level is not None else ""
    existing = Response.objects.filter(sitting=sitting, skill=skill).first()
    is_own = bool(existing and page and existing.page == page)
    if existing and is_own and 0 < step <= existing.step:
        return existing
    if existing and (existing.level, existing.note, existing.link) == (level, note, link):
        if is_own:
            existing.step = max(step, existing.step)
            existing.save(update_fields=["step"])
        return existing
    if not is_own and (existing.revision if existing else 0) != revision:
        raise AnsweredElsewhere
    content = {"level": level, "statement": statement, "note": note, "link": link, "page": page, "step": step}
    if existing is None:
        return Response.objects.create(sitting=sitting, skill=skill, **content)
    for name, value in content.items():
        setattr(existing, name, value)
    existing.revision += 1
    existing.save()
    return existing


@transaction.atomic
def submit(sitting: Sitting, now) -> list[Response]:
    """Close a sitting; returns its answers. Raises Closed the second time."""
    sitting = _open(sitting, now)
    sitting.submitted_at = now
    sitting.save(update_fields=["submitted_at"])
    return list(sitting.responses.select_related("skill"))


@transaction.atomic
def submit_at_deadline(sitting: Sitting, now) -> list[Response]:
    """Close a sitting whose deadline has passed, as was agreed to; returns its answers.

    Raises
    ------
    Closed : it is handed in, taken back, still open, not complete, or was not to be handed in by itself.
    """
    found = Sitting.objects.select_for_update().get(pk=sitting.pk)
    is_over = found.deadline_at is not None and found.deadline_at <= now
    is_done = found.submitted_at or found.revoked_at
    if is_done or not is_over or not found.hands_itself_in or not found.is_complete():
        raise Closed
    found.submitted_at, found.submitted_by_itself = now, True
    found.save(update_fields=["submitted_at", "submitted_by_itself"])
    return list(found.responses.select_related("skill"))


def copy_deadline(sitting: Sitting, *, deadline_at=None, revoked_at=None) -> None:
    """What an invitation decides about time also holds for its sitting."""
    if deadline_at is not None:
        sitting.deadline_at = deadline_at
    if revoked_at is not None:
        sitting.revoked_at = revoked_at
    sitting.save(update_fields=["deadline_at", "revoked_at"])


def close_in_browsers(sitting: Sitting, now) -> None:
    """Whoever has it open in a browser needs a fresh link: it was opened by an address or account that is another's."""
    Sitting.objects.filter(pk=sitting.pk).update(left_at=now)


def sign_of(rating: Rating | None) -> str:
    """A sign of what a page shows as rated: another one where another level or note is stored, or none yet."""
    if rating is None:
        return "none"
    return hashlib.sha256(f"{rating.level}\n{rating.note}".encode()).hexdigest()[:16]


@transaction.atomic
def rate(request: RatingRequest, skill, *, level, note="", read="", seen="") -> Rating:
    """Store one rating (level None: can't judge).

    ``read`` is the sign of the wording that it was chosen by, ``seen`` that of the rating which the page showed; empty
    where no page was read.

    Raises
    ------
    Closed, NotAsked, Reworded, RatedElsewhere : nothing is written.
    """
    request = RatingRequest.objects.select_for_update().get(pk=request.pk)
    if request.submitted_at or request.withdrawn_at:
        raise Closed("This rating")
    _must_be_asked(request.role_version_id, skill)
    _must_say_the_same(skill, read)
    stored = Rating.objects.filter(request=request, skill=skill).first()
    if stored and (stored.level, stored.note) == (level, note):
        return stored
    if stored and seen and seen != sign_of(stored):
        raise RatedElsewhere(stored)
    rating, _ = Rating.objects.update_or_create(request=request, skill=skill, defaults={"level": level, "note": note})
    return rating


@transaction.atomic
def withdraw_request(request: RatingRequest, now) -> None:
    """Nobody waits for this rating any more. Raises Closed where it was handed in meanwhile."""
    if not RatingRequest.objects.open().filter(pk=request.pk).update(withdrawn_at=now):
        raise Closed("This rating")


@transaction.atomic
def submit_rating(request: RatingRequest, now) -> list[Rating]:
    """Close a rating request; returns its ratings. Raises Closed the second time."""
    taken = RatingRequest.objects.filter(pk=request.pk, submitted_at=None, withdrawn_at=None).update(submitted_at=now)
    if not taken:
        raise Closed("This rating")
    return list(Rating.objects.filter(request=request).select_related("skill"))


@transaction.atomic
def forget(subject) -> dict[str, int]:
    """Delete everything that a subject has answered and that others have said of them; returns how many of what."""
    sittings = Sitting.objects.filter(subject=subject).delete()[1]
    ratings = RatingRequest.objects.filter(subject=subject).delete()[1]
    return {label.lower(): number for label, number in (sittings | ratings).items()}


@transaction.atomic
def leave_open(rater) -> dict[str, int]:
    """Delete what a rater was asked for and has not handed in; what they have handed in stays."""
    gone = RatingRequest.objects.filter(rater=rater, submitted_at=None).delete()[1]
    return {f"{label.lower()} not handed in": number for label, number in gone.items()}
