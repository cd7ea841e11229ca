"""Indexes of what is there and of what is due, built beside the running site; those of nulls go.

Each move writes every index of its onboarding. Five foreign keys had one entry for each row, most of
them null; the tenant's own was the beginning of another index. Nothing else is in it, so that it may
run again: an index that could not be built is dropped first.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

PEOPLE = {"on_delete": django.db.models.deletion.SET_NULL, "to": settings.AUTH_USER_MODEL}
KEPT = {"on_delete": django.db.models.deletion.PROTECT}


def of(column):
    return AddIndexConcurrently(
        model_name="onboarding",
        index=models.Index(
            fields=[column], condition=Q((f"{column}__isnull", False)), name=f"onboarding_of_{column}"
        ),
    )


def by(model, name, fields, condition=None):
    return AddIndexConcurrently(
        model_name=model, index=models.Index(fields=fields, condition=condition, name=name)
    )


# An AlterField would drop every index of the column, the partial unique ones of the constraints too
# (Django 5.2, BaseDatabaseSchemaEditor._alter_field): so the one that goes is looked for by its shape.
PLAIN = """
SELECT index.relname FROM pg_index
JOIN pg_class AS index ON index.oid = indexrelid
JOIN pg_attribute AS part ON part.attrelid = indrelid AND part.attnum = indkey[0]
WHERE indrelid = %s::regclass AND indnatts = 1 AND part.attname = %s
AND NOT indisunique AND indpred IS NULL
"""


def drops(column):
    def drop(apps, schema_editor):
        table = "onboarding_onboarding"
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(PLAIN, [table, column])
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(name)}")

    return migrations.RunPython(drop, migrations.RunPython.noop)


def without_index(name, field):
    altered = migrations.AlterField(model_name="onboarding", name=name, field=field)
    return migrations.SeparateDatabaseAndState([drops(f"{name}_id")], [altered])


def optional(**more):
    return models.ForeignKey(blank=True, null=True, db_index=False, **more)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0024_ycloud_accounts"),
        ("tenants", "0013_prefill"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        of("started_by"),
        of("link"),
        of("business_account"),
        of("number"),
        of("approved_by"),
        by("onboarding", "onboarding_code_waiting", ["code_received_at"], Q(("grant", "waiting"))),
        by(
            "signuplink", "link_mail_under_way", ["mail", "created_at"],
            Q(("mail__in", ["sending", "waiting"])),
        ),
        by("notice", "notice_sending", ["claimed_at"], Q(("standing", "sending"))),
        by("notice", "notice_by_age", ["created_at"]),
        by(
            "mailaddress", "mail_address_unconfirmed", ["created_at"],
            Q(("confirmed_at__isnull", True), ("off_at__isnull", True)),
        ),
        without_index("started_by", optional(**PEOPLE)),
        without_index("approved_by", optional(related_name="+", **PEOPLE)),
        without_index("link", optional(to="onboarding.signuplink", **KEPT)),
        without_index(
            "business_account", optional(to="onboarding.whatsappbusinessaccount", **KEPT)
        ),
        without_index("number", optional(to="onboarding.phonenumber", **KEPT)),
        without_index(
            "tenant",
            models.ForeignKey(
                db_index=False, to="tenants.tenant", verbose_name="tenant", **KEPT
            ),
        ),
    ]
