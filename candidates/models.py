"""People: candidates and employees on one model, and what comes into play from before."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from assessments.models import RatingRequest
from roles.models import EnterpriseFunction, Skill
from socialstrategy.lib.addresses import AddressField, canonical
from socialstrategy.lib.searching import Folded, matching

CODE_SIGNS, CODE_LENGTH = "BCDFGHJKLMNPQRSTVWXZ23456789", 12


def new_code() -> str:
    """A random name for a blind review; without vowels, so that it spells nothing.

    Twelve of 28 signs: among ten million people two share one with a chance of 1 in 5,000.
    """
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


class PersonQuerySet(models.QuerySet):
    def visible_to(self, user):
        """HR sees everybody; others themselves, those they manage, and those they are asked to rate."""
        if not user.is_authenticated:
            return self.none()
        if user.is_hr:
            return self
        asked = RatingRequest.objects.visible_to(user).filter(subject=OuterRef("subject"))
        return self.filter(Q(user=user) | managed_by(user) | Exists(asked))

    def reportable_to(self, user):
        """Whose levels a user may read: HR everybody's, managers their people's, anybody their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_hr else self.filter(Q(user=user) | managed_by(user))

    def current(self):
        """On the list: whom one offers, invites, asks, rates and ranks."""
        return self.filter(archived_at=None)

    def archived(self):
        return self.exclude(archived_at=None)

    def at(self, *addresses: str):
        """People with one of some addresses, found by the index however many there are."""
        found = self.alias(indexed_email=Lower("email"))
        return found.filter(indexed_email__in=[canonical(one) for one in addresses])

    def search(self, words: str):
        """People whose name, address or own fields contain every word."""
        wanted = " ".join(canonical(word) if "@" in word else word for word in words.split())
        return matching(self, wanted, "name", "email", also=_own_text_contains)


def _own_text_contains(word: str) -> Q:
    # Not a join: somebody with two fields that fit is one person, and most have none.
    found = OwnText.objects.alias(folded_text=Folded("text")).filter(folded_text__contains=word)
    return Q(pk__in=found.values("person"))


def managed_by(user) -> Q:
    """People whose manager holds this account; nobody who is archived leads anybody."""
    return Q(manager__user=user, manager__archived_at=None)


class Person(models.Model):
    """A candidate or an employee. Whoever is hired keeps their evidence."""

    class Kind(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        EMPLOYEE = "employee", "Employee"

    subject = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=new_code, editable=False)
    name = models.CharField(max_length=120)
    email = AddressField(null=True, blank=True, help_text="Leave empty if they have none.")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CANDIDATE)
    job_title = models.CharField(max_length=120, blank=True)
    function = models.ForeignKey(
        EnterpriseFunction, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    location = models.CharField(max_length=80, blank=True)
    manager = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="person"
    )
    parted_from = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        help_text="Accounts that are not theirs, as HR has said.",
    )
    offers_help = models.BooleanField(
        "colleagues may ask me for help", default=False, help_text="Only then is somebody named as a possible coach."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "people"
        constraints = [
            # Without an address it is null, never empty: any number of people have none.
            models.UniqueConstraint(Lower("email"), name="person_email_unique_in_any_case"),
            models.CheckConstraint(condition=~Q(email=""), name="person_email_null_or_something"),
            models.CheckConstraint(condition=Q(kind__in=["candidate", "employee"]), name="person_kind_known"),
            models.CheckConstraint(
                condition=Q(manager=None) | ~Q(manager=models.F("id")), name="person_not_own_manager"
            ),
        ]
        # Each order and filter of the list finds its page by one of these.
        indexes = [
            models.Index(fields=["name", "id"]),
            models.Index(fields=["kind", "name"]),
            models.Index(fields=["function", "name", "id"]),
            models.Index(fields=["created_at", "id"]),
            models.Index(fields=["name", "id"], condition=~Q(archived_at=None), name="person_archived_by_name"),
        ]

    def __str__(self):
        return self.name

    @property
    def archived_words(self) -> str:
        """Why nothing can be added to somebody who is archived."""
        return f"{self.name} is archived. Bring them back first."

    @property
    def contact(self) -> str:
        """The address, or an empty text: people at a kiosk or on paper have none."""
        return self.email or ""

    @property
    def blind_name(self) -> str:
        """What a blind review calls them, employees and candidates alike: enough of the code to tell people apart."""
        return f"Person {self.code[:6]}"

    @property
    def where(self) -> str:
        """Where somebody stands: the job for employees, the kind for candidates."""
        # Not get_kind_display, which goes through all choices each time: lists ask this of everybody they show.
        if self.kind == self.Kind.CANDIDATE:
            return self.Kind.CANDIDATE.label
        return self.job_title or (self.function.name if self.function else self.Kind(self.kind).label)


class OwnField(models.Model):
    """Something else that the organisation keeps of people, as plain text: a staff number, a cost centre."""

    MOST = 20
    """So many in all: they are for finding people, not for keeping files about them."""

    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(Lower("name"), name="own_field_unique_in_any_case")]

    def __str__(self):
        return self.name


class OwnText(models.Model):
    """What one of the organisation's own fields says of a person."""

    LONGEST = 200

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="own_texts")
    field = models.ForeignKey(OwnField, on_delete=models.CASCADE, related_name="texts")
    text = models.CharField(max_length=LONGEST)

    class Meta:
        ordering = ["field", "person"]
        constraints = [
            models.UniqueConstraint(fields=["person", "field"], name="own_text_once_a_person"),
            models.CheckConstraint(condition=~Q(text=""), name="own_text_says_something"),
        ]
        indexes = [models.Index(fields=["field", "text"])]

    def __str__(self):
        return f"{self.field}: {self.text}"


class Background(models.Model):
    """Education, training, experience or a step of the career path, and the skills it feeds."""

    class Kind(models.TextChoices):
        EDUCATION = "education", "Education"
        TRAINING = "training", "Training"
        EXPERIENCE = "experience", "Experience"
        CAREER = "career", "Career step"

    class Frequency(models.TextChoices):
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"
        RARELY = "rarely", "Rarely"
        NEVER = "never", "Not any more"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="background")
    kind = models.CharField(max_length=12, choices=Kind)
    title = models.CharField("what", max_length=120)
    place = models.CharField("where", max_length=120, blank=True)
    from_year = models.PositiveSmallIntegerField(null=True, blank=True)
    to_year = models.PositiveSmallIntegerField(null=True, blank=True)
    skills = models.ManyToManyField(Skill, blank=True, related_name="+")
    frequency = models.CharField("how often it comes into play", max_length=10, choices=Frequency)
    wish = models.CharField("what you wish you had more of", max_length=200, blank=True)

    class Meta:
        ordering = ["kind", "-to_year", "-from_year", "pk"]
        verbose_name_plural = "background"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["education", "training", "experience", "career"]), name="background_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=["daily", "weekly", "monthly", "rarely", "never"]),
                name="background_frequency_known",
            ),
            models.CheckConstraint(
                condition=Q(from_year=None) | Q(to_year=None) | Q(to_year__gte=models.F("from_year")),
                name="background_years_in_order",
            ),
        ]

    def __str__(self):
        return self.title


from candidates.changes import Change  # noqa: E402
from candidates.evidence import Estimate, Evidence, StoredFit  # noqa: E402
from candidates.imports import AwaitedManager, ImportBatch, ImportFile, ImportRow  # noqa: E402
from candidates.invitations import Invitation  # noqa: E402
from candidates.parameters import Parameters  # noqa: E402
from candidates.shown import ShownRating, ShownRatings  # noqa: E402

__all__ = [
    "AwaitedManager",
    "Background",
    "Change",
    "Estimate",
    "Evidence",
    "ImportBatch",
    "ImportFile",
    "ImportRow",
    "Invitation",
    "OwnField",
    "OwnText",
    "Parameters",
    "Person",
    "ShownRating",
    "ShownRatings",
    "StoredFit",
]
