"""A unique index, built beside the running site: CONCURRENTLY takes no lock that writes wait for."""

from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("tenants", "0007_api_keys"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS tenant_external_id_unique "
                    "ON tenants_tenant (external_id) WHERE NOT external_id = ''",
                    "DROP INDEX CONCURRENTLY IF EXISTS tenant_external_id_unique",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="tenant",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("external_id",),
                        name="tenant_external_id_unique",
                    ),
                ),
            ],
        ),
    ]
