"""Indexes, built beside the running site: CONCURRENTLY takes no lock that writes wait for."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0002_nothing_lost"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="phonenumber",
            index=models.Index(condition=models.Q(("next_look_at__isnull", False)), fields=["next_look_at"], name="number_due"),
        ),
        AddIndexConcurrently(
            model_name="providercall",
            index=models.Index(fields=["-at"], name="provider_call_recent"),
        ),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(condition=models.Q(("applied_at__isnull", True)), fields=["received_at"], name="webhook_event_unapplied"),
        ),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(fields=["waba_id", "-received_at"], name="webhook_event_of_account"),
        ),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(fields=["phone_number_id", "-received_at"], name="webhook_event_of_number"),
        ),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(fields=["-received_at"], name="webhook_event_recent"),
        ),
        # Numbers that were connected before are watched too, spread over the first week.
        migrations.RunSQL(
            "UPDATE onboarding_phonenumber SET next_look_at = now() + random() * interval '7 days' "
            "WHERE connected_at IS NOT NULL AND next_look_at IS NULL",
            migrations.RunSQL.noop,
        ),
    ]
