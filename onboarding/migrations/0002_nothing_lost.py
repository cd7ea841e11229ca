"""Health of connected numbers, standing of webhook events, lanes of calls, notices, secrets.

Only additions that code of the release before can live with: new columns are nullable or have a
default in the database, so that an old process may insert without naming them.
"""

import django.db.models.deletion
from django.db import migrations, models

import onboarding.models.fields


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, unique=True)),
                ("audience", models.CharField(choices=[("owners", "the tenant's owners"), ("staff", "staff")], max_length=10, verbose_name="audience")),
                ("reason", models.CharField(max_length=40, verbose_name="reason")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("claimed_at", models.DateTimeField(blank=True, null=True, verbose_name="being mailed")),
                ("mailed_at", models.DateTimeField(blank=True, null=True, verbose_name="mailed")),
                ("number", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="onboarding.phonenumber")),
                ("tenant", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="tenants.tenant", verbose_name="tenant")),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(condition=models.Q(("claimed_at__isnull", True)), fields=["created_at"], name="notice_unmailed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("endpoint_id", models.CharField(max_length=255, unique=True, verbose_name="endpoint")),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                ("secret", onboarding.models.fields.SealedTextField(editable=False)),
                ("installed_at", models.DateTimeField(auto_now=True, verbose_name="installed")),
            ],
            options={
                "verbose_name": "webhook secret",
                "verbose_name_plural": "webhook secrets",
            },
        ),
        migrations.AddField(
            model_name="onboarding",
            name="searched_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="account searched"),
        ),
        migrations.AddField(
            model_name="phonenumber",
            name="health",
            field=models.CharField(blank=True, db_default="", default="", max_length=40, verbose_name="health"),
        ),
        migrations.AddField(
            model_name="phonenumber",
            name="health_since",
            field=models.DateTimeField(blank=True, null=True, verbose_name="health since"),
        ),
        migrations.AddField(
            model_name="phonenumber",
            name="suspected",
            field=models.CharField(blank=True, db_default="", default="", max_length=40, verbose_name="suspected"),
        ),
        migrations.AddField(
            model_name="phonenumber",
            name="next_look_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next look"),
        ),
        migrations.AddField(
            model_name="providercall",
            name="lane",
            field=models.CharField(blank=True, db_default="", default="", max_length=10, verbose_name="lane"),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="sent_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="sent by YCloud"),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="standing",
            field=models.CharField(
                choices=[
                    ("waiting", "to be applied"),
                    ("ours", "woke what it concerns"),
                    ("nobody", "concerns nothing here"),
                    ("not_ours", "of a kind that is not ours"),
                    ("unknown", "of a kind unknown to us"),
                ],
                db_default="waiting",
                default="waiting",
                max_length=10,
                verbose_name="standing",
            ),
        ),
        migrations.AlterField(
            model_name="providercall",
            name="kind",
            field=models.CharField(
                choices=[
                    ("retrieve_account", "retrieve the WABA"),
                    ("list_numbers", "list its numbers"),
                    ("tp_bind", "bind the WABA"),
                    ("smb_bind", "bind the WhatsApp Business app"),
                    ("register", "register the number"),
                    ("exchange_code", "exchange Meta's code"),
                    ("balance", "read the balance"),
                    ("list_endpoints", "list the webhook endpoints"),
                    ("install_endpoint", "install the webhook endpoint"),
                ],
                max_length=20,
                verbose_name="call",
            ),
        ),
    ]
