"""All people against all roles: who is likely for each, counted by a job in parts; and the roles that suit one."""

from collections import Counter

import numpy as np
from django.db import models
from django.utils import timezone

from candidates import matrix
from candidates.changes import Change
from roles.models import RoleVersion
from scoring.fit import BANDS
from scoring.ranking import Standing, best_roles
from socialstrategy.jobs import enqueue_once

PART = 50_000
"""People a part."""


class RoleStanding(models.Model):
    """How people stood against a published role version when all were counted."""

    version = models.OneToOneField(RoleVersion, on_delete=models.CASCADE, related_name="+")
    employees = models.JSONField(help_text="Employees of each band.")
    candidates = models.JSONField(help_text="Candidates of each band.")
    expected = models.FloatField(help_text="How many of the assessed meet all essentials, by their chances.")
    change = models.BigIntegerField(help_text="The newest change when counting began.")
    counted_at = models.DateTimeField()

    def __str__(self):
        return f"{self.version}: {self.expected:.1f} expected"


def _newest_change() -> int:
    return Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def of_versions(versions) -> dict[int, RoleStanding]:
    return {one.version_id: one for one in RoleStanding.objects.filter(version__in=versions)}


def is_due() -> bool:
    """Whether anything has changed since the last count, or a published role has not been counted."""
    published = RoleVersion.objects.published()
    counted = RoleStanding.objects.filter(version__in=published, change=_newest_change())
    return counted.count() < published.count()


def count(*, by=None, result_url: str = ""):
    """Count everybody anew, unless a job is at it already; gives the job."""
    return enqueue_once("roles.count", by=by, result_url=result_url)


def begin() -> dict:
    """Which versions are counted, and what was the newest change then."""
    versions = RoleVersion.objects.published().order_by("pk").values_list("pk", flat=True)
    return {"change": _newest_change(), "versions": list(versions)}


def plan() -> list[dict]:
    """Parts as runs of people in the newest snapshot: its name and the first and last person are all that travels."""
    begun = begin()
    path, latest = matrix.snapshot()
    people = np.sort(latest.people[latest.everybody])
    runs = [people[start : start + PART] for start in range(0, len(people), PART)]
    return [
        {**begun, "snapshot": path.name, "first": int(run[0]), "last": int(run[-1]), "size": len(run)} for run in runs
    ]


def count_part(snapshot: str, versions: list[int], first: int, last: int, **_) -> dict:
    """{version: [employees by band, candidates by band, expected]} of one run of people."""
    latest = matrix.of_snapshot(snapshot)
    rows = latest.everybody
    rows = rows[(latest.people[rows] >= first) & (latest.people[rows] <= last)]
    inside = latest.is_employee[rows]
    found = {}
    for version in RoleVersion.objects.with_lines().filter(pk__in=versions):
        lines = list(version.requirements.all())
        if lines:
            standing = Standing(latest.profiles, matrix.scored(lines), among=rows, thresholds=latest.thresholds)
            found[str(version.pk)] = list(standing.counts(inside))
    return found


def store(parts: list[dict], arguments: dict) -> None:
    """Add the parts up; a role that has gone meanwhile is left out."""
    now = timezone.now()
    present = set(RoleVersion.objects.filter(pk__in=arguments["versions"]).values_list("pk", flat=True))
    rows = []
    for pk in arguments["versions"]:
        if pk in present:
            mine = [part[str(pk)] for part in parts if str(pk) in part]
            employees, candidates = (_added(one[n] for one in mine) for n in (0, 1))
            rows.append(
                RoleStanding(
                    version_id=pk,
                    employees=employees,
                    candidates=candidates,
                    expected=sum(one[2] for one in mine),
                    change=arguments["change"],
                    counted_at=now,
                )
            )
    RoleStanding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["version"],
        update_fields=["employees", "candidates", "expected", "change", "counted_at"],
    )


def _added(counts) -> dict[str, int]:
    total = Counter(dict.fromkeys(BANDS, 0))
    for one in counts:
        total.update(one)
    return dict(total)


def suiting(person, most: int = 5) -> list[dict]:
    """The published roles that suit somebody best, by P_all, then fit, of those whose skills anybody has looked at."""
    latest = matrix.current()
    rows = latest.rows([person.pk])
    versions = list(RoleVersion.objects.published().with_lines().filter(role__retired_at=None).order_by("pk"))
    versions = [version for version in versions if version.requirements.all()]
    if not versions or not rows.size:
        return []
    roles = [matrix.scored(version.requirements.all()) for version in versions]
    row = int(rows[0])
    found = best_roles(latest.profiles, roles, top=min(most, len(roles)), among=slice(row, row + 1))
    lines = []
    for n, chance, fit in zip(found.role[0], found.all_essentials[0], found.fit[0], strict=True):
        if n >= 0:
            standing = Standing(latest.profiles, roles[n], among=rows, thresholds=latest.thresholds)
            lines.append(
                {"version": versions[n], "band": BANDS[standing.band[0]], "chance": float(chance), "fit": float(fit)}
            )
    return lines
