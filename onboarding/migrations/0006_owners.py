"""One proven owner of a WABA and of a number, instead of one row: claims constrain nothing.

The new indexes are built beside the running site, then the old constraints go. Code of the release
before looks up one row a WABA; until it has ended, the advisory locks of the new code keep it so.
"""

from django.db import migrations, models

BACKFILL = """
UPDATE onboarding_whatsappbusinessaccount AS account
   SET proof = CASE WHEN found.granted THEN 'grant' ELSE 'staff' END, proven_at = now()
  FROM (SELECT business_account_id, tenant_id, bool_or(proven IS TRUE) AS granted
          FROM onboarding_onboarding WHERE proven IS TRUE OR approved_at IS NOT NULL
         GROUP BY business_account_id, tenant_id) AS found
 WHERE found.business_account_id = account.id AND found.tenant_id = account.tenant_id
   AND account.proof = '';
UPDATE onboarding_phonenumber AS number SET proof = account.proof
  FROM onboarding_whatsappbusinessaccount AS account
 WHERE number.business_account_id = account.id AND number.tenant_id = account.tenant_id
   AND account.proof <> '' AND number.proof = '';
"""


def unique(name: str, model: str, on: str, where: str, constraint: dict[str, object]) -> object:
    """A partial unique index, built concurrently."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON onboarding_{model} ({on}) WHERE {where}",
                f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
            ),
        ],
        state_operations=[
            migrations.AddConstraint(
                model_name=model, constraint=models.UniqueConstraint(name=name, **constraint)
            ),
        ],
    )


def one_proven_owner(name: str, model: str, column: str) -> object:
    proven = models.Q(("proof", ""), _negated=True)
    return unique(
        name, model, column, "NOT (proof = '')", {"condition": proven, "fields": (column,)}
    )


def once_a_tenant(name: str, model: str, column: str) -> object:
    known = models.Q((column, ""), _negated=True)
    return unique(
        name, model, f"{column}, tenant_id", f"NOT ({column} = '')",
        {"condition": known, "fields": (column, "tenant")},
    )


def not_unique(model: str, column: str, like: str, verbose_name: str) -> object:
    """The old constraint and its second index go; written out, as Django's DROP INDEX locks."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"ALTER TABLE onboarding_{model} DROP CONSTRAINT IF EXISTS onboarding_{model}_{column}_key",
                f"ALTER TABLE onboarding_{model} ADD CONSTRAINT onboarding_{model}_{column}_key UNIQUE ({column})",
            ),
            migrations.RunSQL(
                f"DROP INDEX CONCURRENTLY IF EXISTS {like}",
                f"CREATE INDEX CONCURRENTLY {like} ON onboarding_{model} ({column} varchar_pattern_ops)",
            ),
        ],
        state_operations=[
            migrations.AlterField(
                model_name=model,
                name=column,
                field=models.CharField(max_length=40, verbose_name=verbose_name),
            ),
        ],
    )


ACCOUNT = ("whatsappbusinessaccount", "waba_id")
NUMBER = ("phonenumber", "phone_number_id")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0005_transfer"),
    ]

    operations = [
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        one_proven_owner("account_one_proven_owner", *ACCOUNT),
        one_proven_owner("number_one_proven_owner", *NUMBER),
        once_a_tenant("account_once_a_tenant", *ACCOUNT),
        once_a_tenant("number_once_a_tenant", *NUMBER),
        not_unique(*ACCOUNT, "onboarding_whatsappbusinessaccount_waba_id_6ca310b5_like", "WABA id"),
        not_unique(*NUMBER, "onboarding_phonenumber_phone_number_id_6a8fe7a6_like", "phone number id"),
    ]
