"""Proof of ownership, transfer cases, tombstones. Only additions; 0006 changes what is unique."""

import django.db.models.deletion
from django.db import migrations, models

import onboarding.models.fields

PROOFS = [("", "nothing: read on a claim"), ("grant", "Meta's grant"), ("staff", "a decision of staff")]


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0004_links"),
        ("tenants", "0002_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="erased")),
            ],
            options={
                "verbose_name": "tombstone",
                "verbose_name_plural": "tombstones",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="TombstoneKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", onboarding.models.fields.SealedTextField(editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="made")),
            ],
            options={
                "verbose_name": "tombstone key",
                "verbose_name_plural": "tombstone keys",
            },
        ),
        migrations.AddField(
            model_name="whatsappbusinessaccount",
            name="proof",
            field=models.CharField(blank=True, choices=PROOFS, db_default="", default="", max_length=10, verbose_name="proven by"),
        ),
        migrations.AddField(
            model_name="whatsappbusinessaccount",
            name="proven_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="proven"),
        ),
        migrations.AddField(
            model_name="phonenumber",
            name="proof",
            field=models.CharField(blank=True, choices=PROOFS, db_default="", default="", max_length=10, verbose_name="proven by"),
        ),
        migrations.CreateModel(
            name="TransferCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("standing", models.CharField(choices=[("open", "open"), ("moving", "accepted, moving"), ("accepted", "accepted and moved"), ("refused", "refused"), ("withdrawn", "withdrawn")], default="open", max_length=10, verbose_name="standing")),
                ("opened_by", models.CharField(max_length=150, verbose_name="opened by")),
                ("opened_at", models.DateTimeField(auto_now_add=True, verbose_name="opened")),
                ("decided_by", models.CharField(blank=True, max_length=150, verbose_name="decided by")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("moved_at", models.DateTimeField(blank=True, null=True, verbose_name="moved")),
                ("note", models.CharField(blank=True, max_length=1000, verbose_name="note")),
                ("business_account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="transfer_cases", to="onboarding.whatsappbusinessaccount", verbose_name="account")),
                ("from_tenant", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant", verbose_name="holder")),
                ("onboarding", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="transfer_cases", to="onboarding.onboarding", verbose_name="attempt that asked")),
                ("to_tenant", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant", verbose_name="asks for it")),
            ],
            options={
                "verbose_name": "transfer case",
                "verbose_name_plural": "transfer cases",
                "ordering": ["-opened_at", "-pk"],
                "permissions": [("decide_transfer", "Can decide on transfers of accounts")],
                "indexes": [
                    models.Index(condition=models.Q(("standing__in", ("open", "moving"))), fields=["opened_at"], name="transfer_under_way"),
                ],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("standing__in", ("open", "moving"))), fields=("business_account", "to_tenant"), name="transfer_one_open_case"),
                    models.UniqueConstraint(condition=models.Q(("standing", "moving")), fields=("business_account",), name="transfer_one_move_at_a_time"),
                ],
            },
        ),
    ]
