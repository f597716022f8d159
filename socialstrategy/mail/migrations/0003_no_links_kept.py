"""Mails given up before kept their text, and the link in it; whatever waits is tried for two days from now."""

from django.db import migrations
from django.db.models import F


def forget(apps, schema_editor):
    failed = apps.get_model("mail", "Mail").objects.filter(state="failed")
    failed.update(text="", failed_at=F("created_at"), trouble="mail", answer=F("error"), error="it was given up")


def as_before(apps, schema_editor):
    apps.get_model("mail", "Mail").objects.filter(state="withdrawn").update(state="failed")


class Migration(migrations.Migration):
    dependencies = [("mail", "0002_delivery")]
    operations = [migrations.RunPython(forget, as_before)]
