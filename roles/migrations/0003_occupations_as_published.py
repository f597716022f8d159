from django.db import migrations, models


def to_elements(apps, schema_editor):
    """Names of elements get a table of their own; every figure keeps its source."""
    Occupation = apps.get_model("roles", "Occupation")
    Element = apps.get_model("roles", "OccupationElement")
    for occupation in Occupation.objects.iterator(chunk_size=200):
        names = {key: rating.pop("name", "") for key, rating in occupation.ratings.items()}
        for rating in occupation.ratings.values():
            rating["source"] = occupation.source
        occupation.identifier = occupation.code
        occupation.rating_count = len(occupation.ratings)
        occupation.save(update_fields=["identifier", "ratings", "rating_count"])
        rows = [Element(key=key, name=name) for key, name in names.items() if name]
        Element.objects.bulk_create(rows, ignore_conflicts=True)


def to_ratings(apps, schema_editor):
    """The names go back beside the figures; what has no code of 12 signs cannot be kept."""
    Occupation = apps.get_model("roles", "Occupation")
    names = dict(apps.get_model("roles", "OccupationElement").objects.values_list("key", "name"))
    seen = set()
    for occupation in Occupation.objects.order_by("-rating_count", "pk").iterator(chunk_size=200):
        if not occupation.code or len(occupation.code) > 12 or occupation.code in seen:
            occupation.delete()
            continue
        seen.add(occupation.code)
        for key, rating in occupation.ratings.items():
            rating.pop("source", None)
            rating["name"] = names.get(key, key)
        occupation.title = occupation.title or occupation.code
        occupation.save(update_fields=["ratings", "title"])


class Migration(migrations.Migration):
    dependencies = [("roles", "0002_occupation_scheme")]

    operations = [
        migrations.CreateModel(
            name="OccupationElement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        max_length=200,
                        unique=True,
                        help_text="O*NET's element ID, or ESCO's address of the skill.",
                    ),
                ),
                ("name", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="OccupationFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("source", models.CharField(blank=True, max_length=120)),
                ("data", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name="occupation",
            name="identifier",
            field=models.CharField(
                default="", max_length=200, help_text="O*NET's code, or ESCO's address of the occupation."
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="occupation",
            name="rating_count",
            field=models.PositiveIntegerField(db_index=True, default=0),
        ),
        migrations.RunPython(to_elements, migrations.RunPython.noop),
        migrations.AlterField(model_name="occupation", name="code", field=models.CharField(blank=True, max_length=40)),
        # Backwards this comes before the code is narrow and unique again.
        migrations.RunPython(migrations.RunPython.noop, to_ratings),
        migrations.AlterField(
            model_name="occupation",
            name="title",
            field=models.CharField(blank=True, max_length=200, help_text="Empty until a file has said it."),
        ),
        migrations.AlterField(
            model_name="occupation",
            name="ratings",
            field=models.JSONField(
                default=dict,
                help_text="O*NET: element → importance, level, standard errors; ESCO: skill's address → relation; "
                "with source",
            ),
        ),
        migrations.AlterModelOptions(name="occupation", options={"ordering": ["title", "pk"]}),
        migrations.AddConstraint(
            model_name="occupation",
            constraint=models.UniqueConstraint(fields=["scheme", "identifier"], name="occupation_once"),
        ),
    ]
