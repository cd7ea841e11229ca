"""Meta's full-page dialog: the hash of its `state` while it is out, and whether the code came by it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0022_notice_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="onboarding",
            name="dialog_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="dialog_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="code_by_dialog",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
