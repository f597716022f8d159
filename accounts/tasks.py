"""Scheduled work on accounts and the audit trail."""

from celery import shared_task

from accounts import append_only
from accounts.models import AuditEntry


@shared_task(name="accounts.tasks.guard")
def guard() -> None:
    """Put back lost triggers of the tables that are only ever added to, shut what was left open, and audit it."""
    lost, doors = append_only.restore()
    if lost:
        _tell("restored", "What keeps rows from being changed was missing and has been put back.", triggers=lost)
    if doors:
        _tell("shut", "Rows that are only ever added could be changed. That has been shut.", doors=doors)


def _tell(what: str, summary: str, **detail) -> None:
    label = AuditEntry._meta.label_lower
    AuditEntry.objects.create(action=f"guard.{what}", label=label, target="", summary=summary, detail=detail)
