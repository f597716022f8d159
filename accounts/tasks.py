"""Scheduled work on accounts and the audit trail."""

from celery import shared_task

from accounts import append_only
from accounts.models import AuditEntry


@shared_task(name="accounts.tasks.guard")
def guard() -> None:
    """Put back lost triggers of the tables that are only ever added to, and say so in the audit."""
    lost = append_only.restore()
    if lost:
        AuditEntry.objects.create(
            action="guard.restored",
            label=AuditEntry._meta.label_lower,
            target="",
            summary="What keeps rows from being changed was missing and has been put back.",
            detail={"triggers": lost},
        )
