"""Tenants and the audit trail behind row-level security (tenants/walls.py)."""

from django.db import migrations

from tenants.walls import behind, wall


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_language")]

    operations = [
        wall("tenants_tenant", "id"),
        behind("tenants_auditentry", ""),  # staff's alone
    ]
