"""The milestones of earlier rows, from their moves; then the desk's indexes.

In batches, each a statement of its own, so that no row is locked for longer than a moment; it may
run again. The indexes are built beside the running site.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from tenants import walls

BATCH = 1000

WAITS_FOR_US = models.Case(
    models.When(state__in=["in_review", "needs_attention"], then=models.Value(0)),
    default=models.Value(1),
    output_field=models.SmallIntegerField(),
)

# Written out, not imported: a migration tells what was meant when it was written. A state that
# lies behind a later milestone proves the earlier ones too.
FROM_ACCOUNT = "'linked', 'awaiting_payment'"
FROM_PAYMENT = "'awaiting_number', 'registering'"
FROM_ACT = "'connecting', 'connected'"
READ = "to_state = 'in_review' AND reason <> 'unproven'"

FILL = f"""
    UPDATE onboarding_onboarding AS row SET
        finished_at = COALESCE(row.finished_at, seen.finished),
        linked_at = COALESCE(row.linked_at, seen.linked),
        paid_at = COALESCE(row.paid_at, seen.paid),
        registered_at = COALESCE(row.registered_at, seen.registered)
    FROM (
        SELECT onboarding_id,
            min(at) FILTER (WHERE to_state IN ('signed_up', 'awaiting_account', 'in_review',
                {FROM_ACCOUNT}, {FROM_PAYMENT}, {FROM_ACT})) AS finished,
            min(at) FILTER (WHERE {READ}
                OR to_state IN ({FROM_ACCOUNT}, {FROM_PAYMENT}, {FROM_ACT})) AS linked,
            min(at) FILTER (WHERE {READ}
                OR to_state IN ({FROM_PAYMENT}, {FROM_ACT})) AS paid,
            min(at) FILTER (WHERE to_state IN ({FROM_ACT})) AS registered
        FROM onboarding_transition
        WHERE onboarding_id >= %(first)s AND onboarding_id < %(next)s AND to_state <> from_state
        GROUP BY onboarding_id
    ) AS seen
    WHERE row.id = seen.onboarding_id AND seen.finished IS NOT NULL
        AND (row.finished_at IS NULL OR row.linked_at IS NULL OR row.paid_at IS NULL
            OR row.registered_at IS NULL)
"""


def fill(apps, schema_editor):
    """Each row's milestones, the first time it reached them."""
    with walls.seeing_everything("a migration"), schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM onboarding_onboarding")
        first, last = cursor.fetchone()
        for begin in range(first or 0, (last or -1) + 1, BATCH):
            cursor.execute(FILL, {"first": begin, "next": begin + BATCH})


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0018_milestones"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(WAITS_FOR_US, "state_changed_at", condition=models.Q(("state__in", ["awaiting_account", "awaiting_number", "awaiting_payment", "connecting", "in_review", "linked", "needs_attention", "registering", "signed_up"])), include=("state", "reason", "tenant"), name="onboarding_stuck"),
        ),
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(condition=models.Q(("launched_at__isnull", False)), fields=["launched_at"], include=("finished_at", "linked_at", "paid_at", "registered_at", "connected_at", "current_step", "tenant"), name="onboarding_launched"),
        ),
        AddIndexConcurrently(
            model_name="onboarding",
            index=models.Index(condition=models.Q(("connected_at__isnull", False)), fields=["connected_at"], include=("launched_at", "tenant"), name="onboarding_connected"),
        ),
        AddIndexConcurrently(
            model_name="phonenumber",
            index=models.Index(condition=models.Q(("health", ""), _negated=True), fields=["health"], include=("tenant",), name="number_unwell"),
        ),
        AddIndexConcurrently(
            model_name="whatsappbusinessaccount",
            index=models.Index(fields=["created_at"], include=("tenant",), name="account_newest"),
        ),
    ]
