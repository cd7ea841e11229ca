"""Tenants' rows behind row-level security (tenants/walls.py)."""

from django.db import migrations

from tenants.walls import behind, wall

OF_ONBOARDING = (
    "EXISTS (SELECT 1 FROM onboarding_onboarding AS row WHERE row.id = onboarding_id)"
)


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0007_outbound"), ("tenants", "0006_wall")]

    operations = [
        wall("onboarding_onboarding"),
        wall("onboarding_whatsappbusinessaccount"),
        wall("onboarding_phonenumber"),
        wall("onboarding_notice"),
        behind("onboarding_transition", OF_ONBOARDING),
        behind("onboarding_signupevent", OF_ONBOARDING),
        behind("onboarding_providercall", OF_ONBOARDING),
        wall("onboarding_metatoken"),
        behind("onboarding_transfercase", ""),  # staff's and the worker's alone
        wall("onboarding_outboundevent"),
        # The partner's own, of no tenant.
        behind("onboarding_webhookendpoint", ""),
        behind("onboarding_delivery", ""),
        behind("onboarding_deliveryattempt", ""),
    ]
