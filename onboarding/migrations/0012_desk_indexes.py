"""What the desk is sorted, filtered and searched by; built beside the running site."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def by(column, name):
    return AddIndexConcurrently(
        model_name="onboarding",
        index=models.Index(condition=models.Q((column, ""), _negated=True), fields=[column], name=name),
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0011_staff_acts"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(models.Case(models.When(state__in=["in_review", "needs_attention"], then=models.Value(0)), default=models.Value(1), output_field=models.SmallIntegerField()), models.F("state_changed_at"), models.OrderBy(models.F("id"), descending=True), include=("state", "tenant"), name="onboarding_desk_order"),
        ),
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(condition=models.Q(("assigned_to__isnull", False)), fields=["assigned_to"], name="onboarding_assigned"),
        ),
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(condition=models.Q(("proven", False)), fields=["state_changed_at"], name="onboarding_refuted"),
        ),
        AddIndexConcurrently(
            model_name="whatsappbusinessaccount", index=models.Index(fields=["country"], name="account_country")
        ),
        by("claimed_waba_id", "onboarding_claimed_waba"),
        by("claimed_phone_number_id", "onboarding_claimed_phone"),
        by("claimed_business_id", "onboarding_claimed_business"),
        by("meta_session_id", "onboarding_meta_session"),
        by("expected_number", "onboarding_expected"),
        AddIndexConcurrently(
            model_name="providercall",
            index=models.Index(condition=models.Q(("request_id", ""), _negated=True), fields=["request_id"], name="provider_call_request"),
        ),
    ]
