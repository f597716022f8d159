"""However an address was written, it is stored in one form from now on."""

from django.db import migrations

from socialstrategy.lib.addresses import bring_into_form


def forwards(apps, schema_editor):
    kept = bring_into_form(apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias))
    if kept:
        print(f"\n    {kept} accounts have the mailbox of another account, written otherwise. They stay as they are.")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_orders")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop, elidable=True)]
