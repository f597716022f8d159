"""Erasures: the list of them, and the way to do one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import models

from accounts.append_only import append_only, opened
from accounts.models import record


@append_only("Erasures")
class Erasure(models.Model):
    """What was taken out of tables that are only ever added to: why, by whom, how much, and never whose it was.

    ``target`` is the erased row's number, so that what a backup brings back can be erased again.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "A person"
        AGES = "ages", "What was old enough"
        DEMO = "demo", "The demo organisation"

    kind = models.CharField(max_length=12, choices=Kind)
    label = models.CharField(max_length=60, blank=True)
    target = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    counts = models.JSONField(default=dict, blank=True, help_text="What went, and how many of each.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["person", "ages", "demo"]), name="erasure_kind_known"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="erasure_has_a_reason"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.reason}"


@contextmanager
def erasing(kind: str, reason: str, *, by=None, row=None, key: str = "") -> Iterator[Erasure]:
    """Open the door for one named erasure, in one transaction; listed and audited when all of it has been done.

    The block fills in ``counts``. ``row`` is what is erased, where it is one row, and ``key`` what the audit calls it.
    If anything fails, nothing has gone.
    """
    erasure = Erasure(kind=kind, reason=reason.strip()[:300], by=by)
    if row is not None:
        erasure.label, erasure.target = row._meta.label_lower, str(row.pk)
    with opened(erasure.reason, f"account {by.pk}" if by else "the installation itself"):
        yield erasure
        erasure.save()
        summary = f"{key}: {erasure.reason}" if key else erasure.reason
        record(f"erased.{kind}", erasure, summary, by=by, of=erasure.target, counts=erasure.counts)
