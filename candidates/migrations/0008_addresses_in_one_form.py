"""However an address was written, it is stored in one form from now on."""

from django.db import migrations

from socialstrategy.lib.addresses import bring_into_form


def forwards(apps, schema_editor):
    kept = bring_into_form(apps.get_model("candidates", "Person").objects.using(schema_editor.connection.alias))
    if kept:
        print(f"\n    {kept} people have the mailbox of somebody else, written otherwise. They stay as they are.")


class Migration(migrations.Migration):
    dependencies = [("candidates", "0007_people_without_an_address")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop, elidable=True)]
