"""Accounts, one-time links and the audit trail."""

import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import connection, models
from django.db.models.functions import Lower

from accounts.append_only import append_only
from socialstrategy.lib.addresses import AddressField


class UserManager(BaseUserManager):
    """Accounts are found by e-mail, however it is written."""

    def create_user(self, email, password=None, **fields):
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        defaults = {"role": User.Role.HR, "is_staff": True, "is_superuser": True, "name": email}
        return self.create_user(email, password, **defaults | fields)

    def get_by_natural_key(self, email):
        return self.get(email=email)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. What they may do follows from ``role`` and accounts/access.py."""

    class Role(models.TextChoices):
        HR = "hr", "HR manager"
        ASSESSOR = "assessor", "Assessor"
        EXECUTIVE = "executive", "Executive"
        EMPLOYEE = "employee", "Employee"

    email = AddressField(unique=True)
    new_email = AddressField(null=True, blank=True, help_text="Asked for, and not confirmed yet.")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=10, choices=Role, default=Role.EMPLOYEE, db_index=True)
    is_active = models.BooleanField("may sign in", default=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = UserManager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
            models.CheckConstraint(
                condition=models.Q(role__in=["hr", "assessor", "executive", "employee"]), name="user_role_known"
            ),
        ]

    def __str__(self):
        return self.name or self.email

    @property
    def is_hr(self) -> bool:
        return self.role == self.Role.HR


TYPED = "23456789bcdfghjkmnpqrstvwxyz"
"""Signs that nobody takes for one another, without vowels: sixteen of them are 77 bits."""


def token_to_type() -> str:
    """A link's token for paper: short enough to be typed, and too long to be guessed while it lasts."""
    return "-".join("".join(secrets.choice(TYPED) for _ in range(4)) for _ in range(4))


def digest(token: str) -> str:
    """What is stored of a link's token; one that was typed is the same in capitals, with blanks or without dashes."""
    signs = "".join(sign for sign in token.lower() if sign not in "- ")
    if len(signs) == 16 and set(signs) <= set(TYPED):
        token = "-".join(signs[start : start + 4] for start in range(0, 16, 4))
    return hashlib.sha256(token.encode()).hexdigest()


class LinkQuerySet(models.QuerySet):
    def issue(self, purpose, target, expires_at, *, keeps_earlier=False, is_typed=False):
        """A fresh link for ``target`` (a row's key); returns its token.

        Earlier open ones of the same purpose end, unless they are kept: then each works once.
        """
        if not keeps_earlier:
            self.end(purpose, target)
        token = token_to_type() if is_typed else secrets.token_urlsafe(32)
        self.create(purpose=purpose, target=str(target), token_digest=digest(token), expires_at=expires_at)
        return token

    def end(self, purpose, target):
        """End every open link for ``target``."""
        open_links = self.filter(purpose=purpose, target=str(target), used_at=None, ended_at=None)
        return open_links.update(ended_at=models.functions.Now())

    def issued_since(self, purpose, target, moment) -> bool:
        """Whether a link for ``target`` has gone out since."""
        return self.filter(purpose=purpose, target=str(target), created_at__gt=moment).exists()

    def find(self, purpose, token):
        """The link with this token, whatever its state, or None."""
        return self.filter(purpose=purpose, token_digest=digest(token)).first()

    def consume(self, purpose, token, now):
        """Use up an open link; returns it, or None when it is unknown, used, ended or expired. Works once."""
        used = self.filter(
            purpose=purpose, token_digest=digest(token), used_at=None, ended_at=None, expires_at__gt=now
        ).update(used_at=now)
        return self.find(purpose, token) if used else None


class Link(models.Model):
    """A single-use, expiring link. Only the digest of its token is kept."""

    class Purpose(models.TextChoices):
        ASSESSMENT = "assessment", "Open an assessment"
        REPORT = "report", "Read a report"
        ADDRESS = "address", "Confirm an address"

    purpose = models.CharField(max_length=12, choices=Purpose)
    target = models.CharField(max_length=40)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["purpose", "target"])]

    def __str__(self):
        return f"{self.purpose} for {self.target}"

    def is_open(self, now) -> bool:
        return self.used_at is None and self.ended_at is None and self.expires_at > now

    def state(self, now) -> str:
        """One of open, used, replaced (by a newer one), ended (without a newer one), run out."""
        if self.used_at:
            return "used"
        if self.ended_at:
            newer = Link.objects.filter(purpose=self.purpose, target=self.target, pk__gt=self.pk)
            return "replaced" if newer.exists() else "ended"
        return "open" if self.expires_at > now else "run out"


class AuditEntryQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if user.is_authenticated and user.is_hr else self.none()

    def actions(self) -> list[str]:
        """Every kind of action, each found by the index from the one before it: entries are many, kinds few."""
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE kinds(action) AS (SELECT min(action) FROM accounts_auditentry UNION ALL "
                "SELECT (SELECT min(e.action) FROM accounts_auditentry e WHERE e.action > kinds.action) "
                "FROM kinds WHERE kinds.action IS NOT NULL) SELECT action FROM kinds WHERE action IS NOT NULL"
            )
            return [action for (action,) in cursor.fetchall()]


@append_only("Audit entries")
class AuditEntry(models.Model):
    """Who did what to which row, and when. Points at (label, pk), so that it outlives the row.

    Whoever has acted keeps their account's row: it is closed and its name taken away, never deleted.
    """

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    label = models.CharField(max_length=60)
    target = models.CharField(max_length=40)
    summary = models.CharField(max_length=300)
    detail = models.JSONField(default=dict, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["label", "target"]),
            models.Index(fields=["at", "id"]),
            models.Index(fields=["action", "at", "id"]),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self):
        return f"{self.action}: {self.summary}"


def record(action: str, row, summary: str, *, by=None, **detail) -> AuditEntry:
    """Write an audit entry, in the caller's transaction."""
    who = by if by is not None and by.is_authenticated else None
    return AuditEntry.objects.create(
        by=who, action=action, label=row._meta.label_lower, target=str(row.pk), summary=summary[:300], detail=detail
    )


from accounts.erasure import Erasure  # noqa: E402

__all__ = ["AuditEntry", "Erasure", "Link", "User", "UserManager", "digest", "record"]
