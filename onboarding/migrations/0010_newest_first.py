"""A key lists all tenants' onboardings, newest first; built beside the running site."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0009_idempotency"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(fields=["-created_at", "-id"], name="onboarding_newest"),
        ),
    ]
