from django.contrib import admin

from accounts.models import AuditEntry, User

admin.site.register(User)
admin.site.register(AuditEntry)
