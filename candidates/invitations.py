"""Invitations to assess oneself: sent by mail, opened by a single-use link."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q
from django.db.models.functions import Coalesce

from assessments.models import Response, Sitting
from candidates.models import Person
from roles.models import Requirement, RoleVersion
from socialstrategy.mail.models import Mail

REMIND_BEFORE = timedelta(days=2)
BETWEEN_MAILS = timedelta(days=1)
"""No reminder sooner after whatever mail about an invitation."""
LINK_LASTS = timedelta(days=14)
UNDELIVERED = [Mail.State.QUEUED, Mail.State.FAILED]


class InvitationQuerySet(models.QuerySet):
    def open_at(self, now):
        """Not submitted, not revoked, and in time."""
        return self.filter(submitted_at=None, revoked_at=None, deadline_at__gt=now)

    def due_for_reminder(self, now):
        """Open, not yet reminded, with less than two days to go, and nothing mailed about it for a day."""
        soon = self.open_at(now).filter(reminded_at=None, deadline_at__lte=now + REMIND_BEFORE)
        return soon.reachable().quiet_since(now - BETWEEN_MAILS)

    def reachable(self):
        """Of people who have an address, where no mail is still on its way or was given up."""
        return self.filter(person__archived_at=None, person__email__isnull=False).exclude(mail__state__in=UNDELIVERED)

    def quiet_since(self, moment):
        """About which no mail was written or went out since."""
        unreminded = Q(reminded_at=None) | Q(reminded_at__lte=moment)
        undelivered = Q(mail=None) | Q(mail__sent_at=None) | Q(mail__sent_at__lte=moment)
        return self.filter(unreminded & undelivered, sent_at__lte=moment)

    def with_progress(self):
        """With how many questions were answered, of how many asked."""
        answered = _count(Response.objects.filter(sitting=OuterRef("sitting")), "sitting")
        asked = _count(Requirement.objects.filter(version=OuterRef("role_version")), "version")
        return self.select_related("person", "role_version__role", "sitting", "mail").annotate(
            answered=answered, asked=asked
        )


def _count(rows, by):
    """How many rows there are, as a subquery."""
    counted = rows.order_by().values(by).annotate(n=models.Count("pk")).values("n")
    return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)


class Invitation(models.Model):
    """Somebody is asked to assess themselves against one version of a role, by a deadline."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    role_version = models.ForeignKey(RoleVersion, on_delete=models.PROTECT, related_name="invitations")
    sitting = models.OneToOneField(Sitting, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    deadline_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(help_text="When a mail about it was written last.")
    mail = models.ForeignKey(Mail, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    handed_over_at = models.DateTimeField(null=True, blank=True, help_text="When its link was printed last.")
    opened_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    extra_days = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [models.Index(fields=["created_at", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role_version"],
                condition=Q(submitted_at=None, revoked_at=None),
                name="invitation_one_open_per_role",
            )
        ]

    def __str__(self):
        return f"{self.person} for {self.role_version}"

    def state(self, now) -> str:
        """One of submitted, revoked, expired, started, sent."""
        if self.submitted_at:
            return "submitted"
        if self.revoked_at:
            return "revoked"
        if self.deadline_at <= now:
            return "expired"
        return "started" if self.opened_at else "sent"
