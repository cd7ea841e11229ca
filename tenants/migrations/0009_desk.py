"""The desk searches people by the beginning of an address; and clearer words on the policies."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("tenants", "0008_external_ids"),
    ]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="approval",
            field=models.CharField(blank=True, choices=[("never", "never"), ("new_tenants", "new tenants only"), ("always", "always")], help_text="Whether a reviewer says yes before a number is registered. “New tenants only”: until the tenant's first number is connected. Empty: the setting ONBOARDING_APPROVAL.", max_length=20, verbose_name="approval"),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="unproven",
            field=models.CharField(blank=True, choices=[("continue", "continue"), ("review", "ask a reviewer"), ("stop", "stop")], help_text="What becomes of an account that Meta's grant does not prove. Empty: the setting ONBOARDING_UNPROVEN.", max_length=20, verbose_name="unproven grants"),
        ),
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(fields=["email"], name="user_email_prefix", opclasses=["varchar_pattern_ops"]),
        ),
    ]
