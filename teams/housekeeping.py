"""Carrying out the stated ages, a little at a time."""

from collections.abc import Callable

from django.db import transaction

from accounts.erasure import Erasure, erasing
from accounts.models import AuditEntry, record
from socialstrategy.jobs.models import Job
from teams.retention import AGES, Age

CHUNK = 500
"""Rows that go in one transaction, so that nobody waits for it."""


def clear_away(job: Job, now, tell: Callable[[int], None] = lambda done: None) -> dict[str, int]:
    """Remove what is old enough; returns how many of what.

    What is counted is kept with the job in the transaction that removed it: a job that was lost and begins anew goes
    on where it was.
    """
    counts = Job.objects.values_list("result", flat=True).get(pk=job.pk) or {}
    for age in AGES:
        while age.old and (keys := list(age.old(now - age.after).order_by("pk").values_list("pk", flat=True)[:CHUNK])):
            with transaction.atomic():
                gone = _remove(age, keys, now)
                counts[age.what] = counts.get(age.what, 0) + gone
                Job.objects.filter(pk=job.pk).update(result=counts)
            tell(sum(counts.values()))
            if not gone:
                # Somebody has taken up all of them meanwhile; the next night looks again.
                break
    _tell_the_audit(job, counts)
    return counts


def _remove(age: Age, keys: list, now) -> int:
    """These rows, if they are still old enough; how many went, not counting what hung on them."""
    assert age.old is not None
    before = now - age.after
    rows = age.old(before).filter(pk__in=keys)
    if age.is_only_added_to:
        with erasing(Erasure.Kind.AGES, f"{age.what}: {age.words}") as erasure:
            gone = rows.delete()[1].get(rows.model._meta.label, 0)
            erasure.counts = {rows.model._meta.label_lower: gone}
        return gone
    return rows.delete()[1].get(rows.model._meta.label, 0)


@transaction.atomic
def _tell_the_audit(job: Job, counts: dict[str, int]) -> None:
    told = AuditEntry.objects.filter(action="ages.kept", label=job._meta.label_lower, target=str(job.pk))
    if counts and not told.exists():
        record("ages.kept", job, f"{sum(counts.values())} rows were old enough to go", counts=counts)
