"""API keys, and what the partner's systems call a tenant."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SCOPES = [
    ("tenants:read", "read tenants"),
    ("tenants:write", "create and change tenants"),
    ("links:read", "read signup links"),
    ("links:write", "create and revoke signup links"),
    ("onboardings:read", "read onboardings"),
    ("onboardings:write", "start, resume and withdraw onboardings"),
    ("accounts:read", "read business accounts"),
    ("numbers:read", "read phone numbers"),
]


class Migration(migrations.Migration):

    dependencies = [
        ("tenants", "0006_wall"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Which of your systems uses it.", max_length=100, verbose_name="name")),
                ("prefix", models.CharField(editable=False, max_length=12, unique=True, verbose_name="key")),
                ("secret_hash", models.CharField(editable=False, max_length=64)),
                ("scopes", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=SCOPES, max_length=30), default=list, size=None, verbose_name="scopes")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("expires_at", models.DateTimeField(blank=True, help_text="Empty: it does not expire.", null=True, verbose_name="expires")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                ("created_by", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name="created by")),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="tenant",
            name="external_id",
            field=models.CharField(blank=True, db_default="", default="", help_text="What the partner's own systems call it; unique where it is set.", max_length=100, verbose_name="external id"),
        ),
    ]
