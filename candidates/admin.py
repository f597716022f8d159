"""Evidence in Django's admin: to look at, without names."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from candidates.models import Evidence


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """Pieces of evidence, by the person's key."""

    fields = ["person_id", "skill", "source", "value", "standard_error", "observed_on", "rater", "recorded_at"]
    list_display = ["recorded_at", "person_id", "skill", "source", "value", "observed_on"]
    list_select_related = ["skill"]
    ordering = ["-pk"]
