"""One open invitation an address and tenant; built CONCURRENTLY, as Django's own operation cannot."""

import django.db.models.functions.text
from django.db import migrations, models

INDEX = """
CREATE UNIQUE INDEX CONCURRENTLY invitation_once_open ON tenants_invitation
(tenant_id, (LOWER(email))) WHERE (accepted_at IS NULL AND revoked_at IS NULL)
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('tenants', '0003_accounts'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(INDEX, 'DROP INDEX CONCURRENTLY IF EXISTS invitation_once_open'),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='invitation',
                    constraint=models.UniqueConstraint(
                        models.F('tenant'),
                        django.db.models.functions.text.Lower('email'),
                        condition=models.Q(('accepted_at', None), ('revoked_at', None)),
                        name='invitation_once_open',
                    ),
                ),
            ],
        ),
    ]
