"""Answers to repeated requests, kept for a day."""

import onboarding.models.fields
from django.db import migrations, models

from tenants.walls import behind


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0008_walls"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asker", models.CharField(max_length=40, verbose_name="asker")),
                ("key", models.CharField(max_length=255, verbose_name="key")),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(verbose_name="status")),
                ("body", onboarding.models.fields.SealedTextField(editable=False)),
                ("created_at", models.DateTimeField(verbose_name="created")),
            ],
            options={
                "verbose_name": "kept answer",
                "verbose_name_plural": "kept answers",
                "indexes": [models.Index(fields=["created_at"], name="idempotent_answer_old")],
                "constraints": [models.UniqueConstraint(fields=("asker", "key"), name="idempotent_answer_once")],
            },
        ),
        behind("onboarding_idempotentanswer", ""),  # read in one place: api/idempotency.py
    ]
