"""Imports of people: the file's rows and each one's fate, kept before anything is written."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class ImportBatch(models.Model):
    """One uploaded file."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        PREVIEW = "preview", "To be confirmed"
        WRITING = "writing", "Being written"
        DONE = "done", "Done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=120)
    header = models.JSONField(default=list)
    columns = models.JSONField(default=dict, help_text="field → index of the file's column")
    state = models.CharField(max_length=10, choices=State, default=State.PREVIEW)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "import batches"

    def __str__(self):
        return self.file_name

    def counts(self) -> dict[str, int]:
        """How many rows will be, or were, created, updated, left unchanged or refused."""
        found = dict(self.rows.order_by().values_list("fate").annotate(n=models.Count("pk")))
        return {fate: found.get(fate, 0) for fate in ImportRow.Fate.values}


class ImportRow(models.Model):
    """One line of the file and what becomes of it."""

    class Fate(models.TextChoices):
        CREATE = "create", "New"
        UPDATE = "update", "Changed"
        SAME = "same", "Unchanged"
        ERROR = "error", "Not taken"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField()
    values = models.JSONField(default=dict)
    fate = models.CharField(max_length=8, choices=Fate)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["batch", "number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once"),
            models.CheckConstraint(
                condition=Q(fate__in=["create", "update", "same", "error"]), name="import_row_fate_known"
            ),
        ]
        indexes = [models.Index(fields=["batch", "fate", "number"])]

    def __str__(self):
        return f"Line {self.number}: {self.fate}"
