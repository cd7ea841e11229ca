"""The desk asks for rows with something due or wrong; built beside the running site."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0013_standing"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="phonenumber",
            index=models.Index(condition=models.Q(("standing", ""), _negated=True), fields=["standing"], name="number_standing"),
        ),
        AddIndexConcurrently(
            model_name="whatsappbusinessaccount",
            index=models.Index(condition=models.Q(("standing", ""), _negated=True), fields=["standing"], name="account_standing"),
        ),
    ]
