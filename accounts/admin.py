"""Django's admin, for administrators: a window on accounts, the audit trail and erasures, and nothing to write with.

Accounts are changed on their own pages, where a changed address is confirmed, rights are checked and everything is
audited; here their passwords are not even shown as hashes.
"""

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import AuditEntry, Erasure, User

# An address or a group given to somebody here would be a way around the rules of the accounts' own pages.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at, by those who may; nobody adds, changes or deletes anything."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Accounts, without their passwords."""

    fields = ["email", "name", "role", "is_active", "is_staff", "is_superuser", "created_at", "last_login"]
    list_display = ["email", "name", "role", "is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["at", "by", "action", "summary"]
    list_select_related = ["by"]


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """What was erased, why and by whom."""

    list_display = ["at", "by", "kind", "reason"]
    list_select_related = ["by"]
