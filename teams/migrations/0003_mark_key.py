from django.conf import settings
from django.db import migrations, models

import teams.told


def keep_the_key(apps, schema_editor):
    """What was told so far was marked with SECRET_KEY: that key goes on, so that it can still be compared."""
    if apps.get_model("teams", "Telling").objects.exists():
        apps.get_model("teams", "MarkKey").objects.create(pk=1, secret=settings.SECRET_KEY.encode()[:64])


class Migration(migrations.Migration):
    dependencies = [("teams", "0002_publications")]

    operations = [
        migrations.CreateModel(
            name="MarkKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret", models.BinaryField(default=teams.told.new_secret)),
            ],
        ),
        migrations.RunPython(keep_the_key, migrations.RunPython.noop),
    ]
