from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assessments", "0002_pages_and_deadlines")]

    operations = [
        migrations.AddField(
            model_name="sitting",
            name="left_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Browsers that opened it before are let in no more: its address was changed.",
                null=True,
            ),
        ),
    ]
