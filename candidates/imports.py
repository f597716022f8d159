"""Imports of people: the file, its rows and each one's fate, kept before anything is written."""

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from candidates.models import Person

FILE_KEPT = timedelta(days=7)
"""A file is kept until its people are written, so that it can be read anew in another way; at most so long."""


class ImportBatch(models.Model):
    """One uploaded file."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        REFUSED = "refused", "Not read"
        PREVIEW = "preview", "To be confirmed"
        WRITING = "writing", "Being written"
        DONE = "done", "Done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=120)
    header = models.JSONField(default=list)
    columns = models.JSONField(default=dict, help_text="field → index of the file's column; own fields as “own:Name”")
    about = models.JSONField(default=dict, help_text="how the file has been read: encoding, separator, sheet, heading")
    choices = models.JSONField(default=dict, help_text="how its reader wants it to be read")
    rules = models.JSONField(default=dict, help_text="key, newcomers, bring_back: see import_judging.Rules")
    state = models.CharField(max_length=10, choices=State, default=State.PREVIEW)
    message = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "import batches"

    def __str__(self):
        return self.file_name

    def counts(self) -> dict[str, int]:
        """How many rows will be, or were, created, updated, left unchanged, left archived or refused."""
        found = dict(self.rows.order_by().values_list("fate").annotate(n=models.Count("pk")))
        return {fate: found.get(fate, 0) for fate in ImportRow.Fate.values}

    @property
    def is_busy(self) -> bool:
        return self.state in {self.State.READING, self.State.WRITING}


class ImportFileQuerySet(models.QuerySet):
    def forget(self, now) -> int:
        """Delete what has been kept long enough; returns how many."""
        return self.filter(batch__created_at__lt=now - FILE_KEPT).delete()[0]


class ImportFile(models.Model):
    """The file itself: web and worker may run on machines that share nothing but the database."""

    batch = models.OneToOneField(ImportBatch, primary_key=True, on_delete=models.CASCADE, related_name="file")
    data = models.BinaryField()

    objects = ImportFileQuerySet.as_manager()

    def __str__(self):
        return f"file of {self.batch_id}"


def let_go(batches: Iterable[ImportBatch]) -> None:
    """Files are kept no more, and of their first rows nothing is shown."""
    for batch in batches:
        ImportFile.objects.filter(batch=batch).delete()
        about = {name: value for name, value in batch.about.items() if name != "top"}
        ImportBatch.objects.filter(pk=batch.pk).update(about=about)


class ImportRow(models.Model):
    """One line of the file and what becomes of it.

    ``values``: what the row says by field, and under ``plan`` what is to be written, under ``changes`` the same as
    (label, before, after) for the page, under ``person`` whom it is about.
    """

    class Fate(models.TextChoices):
        CREATE = "create", "New"
        UPDATE = "update", "Changed"
        SAME = "same", "Unchanged"
        ARCHIVED = "archived", "Archived"
        ERROR = "error", "Not taken"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = models.JSONField()
    flaw = models.CharField(max_length=200, blank=True, help_text="what is wrong with the row in the file itself")
    values = models.JSONField(default=dict)
    fate = models.CharField(max_length=8, choices=Fate)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["batch", "number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once"),
            models.CheckConstraint(
                condition=Q(fate__in=["create", "update", "same", "archived", "error"]), name="import_row_fate_known"
            ),
        ]
        indexes = [models.Index(fields=["batch", "fate", "number"])]

    def __str__(self):
        return f"Line {self.number}: {self.fate}"


class AwaitedManager(models.Model):
    """Somebody whose manager is not on the list yet: set as soon as they are, by a file or by hand.

    ``wanted``: an address or a name, or a text of the own field called ``key``. ``instead_of``: the manager's key at
    that time; where HR has chosen somebody else since, that holds. ``since``: when a file has said so last.
    """

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.CASCADE, related_name="awaited_manager")
    wanted = models.CharField(max_length=254, db_index=True)
    key = models.CharField(max_length=80, blank=True, default="")
    instead_of = models.BigIntegerField(null=True)
    since = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"{self.person_id} awaits {self.wanted}"
