from django.db import migrations


def keep_partings(apps, schema_editor):
    """Whom HR had parted before that was kept with the person: the audit log knows it."""
    entry, person, user = (
        apps.get_model(*name) for name in (("accounts", "AuditEntry"), ("candidates", "Person"), ("accounts", "User"))
    )
    found = entry.objects.filter(action="account.parted").values_list("target", "detail")
    pairs = {(int(target), detail.get("account")) for target, detail in found}
    joined = dict(person.objects.filter(pk__in={one for one, _ in pairs}).values_list("pk", "user"))
    accounts = set(user.objects.filter(pk__in={one for _, one in pairs if one}).values_list("pk", flat=True))
    through = person.parted_from.through
    rows = [
        through(person_id=one, user_id=account)
        for one, account in sorted(pairs, key=str)
        if one in joined and account in accounts and joined[one] != account
    ]
    through.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("candidates", "0015_awaited_since"),
        ("accounts", "0005_another_address"),
    ]

    operations = [migrations.RunPython(keep_partings, migrations.RunPython.noop)]
