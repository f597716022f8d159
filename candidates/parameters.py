"""What each kind of evidence is worth and where the bands lie: shipped, or accepted by an administrator as a version.

Nothing changes by itself: a new version is a row of its own with its reason, and every estimate, piece of evidence and
stored fit carries the name of the version it was made with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from scoring.evidence import DEFAULT_SOURCES, Source
from scoring.fit import Thresholds

STUDIES = {
    "self": "Mabe & West 1982 (r .29); Freund & Kasten 2012 (.33); leniency .32: Heidemeier & Moser 2009",
    "manager": "Conway & Huffcutt 1997; Zhou et al. 2024 (.57–.68)",
    "peer": "Conway & Huffcutt 1997 (.37)",
    "subordinate": "Conway & Huffcutt 1997 (.30)",
    "knowledge_test": "Sackett et al. 2022 (.40 operational), and judgement",
    "performance_test": "Judgement: a question about doing tells less than the doing",
    "situational": "Kasten & Freund 2016: reliability rather low",
    "work_sample": "Sackett et al. 2022 (.33), and judgement",
    "interview_panel": "Huffcutt et al. 2013; Conway et al. 1995",
    "interview_single": "Huffcutt et al. 2013; Conway et al. 1995",
    "interview_unstructured": "Sackett et al. 2022 (.19)",
    "certificate": "Judgement",
    "experience": "Van Iddekinge et al. 2019 (.06)",
}
"""The published figures that bound each row; the validity column itself is judgement within them."""


@dataclass(frozen=True)
class InForce:
    """One version as the engine takes it."""

    name: str
    sources: Mapping[str, Source]
    thresholds: Thresholds


SHIPPED = InForce("shipped-1", DEFAULT_SOURCES, Thresholds())


class Parameters(models.Model):
    """A version that an administrator has accepted. The newest is in force; older ones stay to be read."""

    sources = models.JSONField(help_text="For each source its validity, reliability (none for tests) and bias.")
    likely = models.FloatField(default=SHIPPED.thresholds.likely)
    unlikely = models.FloatField(default=SHIPPED.thresholds.unlikely)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "parameters"
        constraints = [
            models.CheckConstraint(
                condition=Q(unlikely__gte=0, unlikely__lt=F("likely"), likely__lte=1), name="parameters_bands_in_order"
            )
        ]

    def __str__(self):
        return f"accepted-{self.pk}"

    def in_force(self) -> InForce:
        sources = {
            name: Source(name, **self.sources.get(name, _values(shipped)), human=shipped.human)
            for name, shipped in DEFAULT_SOURCES.items()
        }
        return InForce(str(self), sources, Thresholds(self.likely, self.unlikely))


def _values(source: Source) -> dict:
    return {"validity": source.validity, "reliability": source.reliability, "bias": source.bias}


def current() -> InForce:
    """What is in force: the newest accepted version, else what was shipped."""
    newest = Parameters.objects.first()
    return newest.in_force() if newest else SHIPPED
