"""What the columns and tables of this release say of rows that are there already.

In batches, each a transaction of its own, so that no row is locked for longer than a moment. It may
run again, and beside the triggers that keep the words from 0011 on.
"""

from django.db import migrations, transaction

from tenants import walls

BATCH = 1000
"""Keys of one transaction."""

# Locked first and then looked at by a statement of its own: a name that is changed meanwhile has
# its words by the trigger, and they are seen.
LOCK = "SELECT 1 FROM {table} WHERE id >= %(first)s AND id < %(next)s ORDER BY id FOR SHARE"

TENANTS = """
INSERT INTO onboarding_searchword (tenant_id, word)
    SELECT t.id, word
    FROM tenants_tenant t, onboarding_words_of(concat_ws(' ', t.name, t.slug, t.external_id)) AS word
    WHERE t.id >= %(first)s AND t.id < %(next)s AND NOT EXISTS (
        SELECT 1 FROM onboarding_searchword w WHERE w.tenant_id = t.id
            AND w.account_id IS NULL AND w.number_id IS NULL AND w.word = word.word)
"""
ACCOUNTS = """
INSERT INTO onboarding_searchword (tenant_id, account_id, word)
    SELECT a.tenant_id, a.id, word
    FROM onboarding_whatsappbusinessaccount a, onboarding_words_of(a.name) AS word
    WHERE a.id >= %(first)s AND a.id < %(next)s AND NOT EXISTS (
        SELECT 1 FROM onboarding_searchword w WHERE w.account_id = a.id AND w.word = word.word)
"""
NUMBERS = """
INSERT INTO onboarding_searchword (tenant_id, number_id, word)
    SELECT n.tenant_id, n.id, word
    FROM onboarding_phonenumber n, onboarding_words_of(n.verified_name) AS word
    WHERE n.id >= %(first)s AND n.id < %(next)s AND NOT EXISTS (
        SELECT 1 FROM onboarding_searchword w WHERE w.number_id = n.id AND w.word = word.word)
"""

# What holds of them is found out by their next look: within a day, spread over it.
ASK_ACCOUNTS = """
UPDATE onboarding_whatsappbusinessaccount SET asked_at = now()
    WHERE id >= %(first)s AND id < %(next)s AND asked_at IS NULL AND standing_since = '{}'
"""
LOOK_AT_NUMBERS = """
UPDATE onboarding_phonenumber
    SET next_look_at = least(next_look_at, now() + random() * interval '1 day')
    WHERE id >= %(first)s AND id < %(next)s AND next_look_at IS NOT NULL
"""

# The release before marked a letter by its two times alone.
OLD_NOTICES = """
UPDATE onboarding_notice
    SET standing = CASE WHEN mailed_at IS NULL THEN 'failed' ELSE 'mailed' END
    WHERE id >= %(first)s AND id < %(next)s
        AND claimed_at IS NOT NULL AND standing = 'waiting'
"""


def words(apps, schema_editor):
    """Each name's words."""
    with walls.seeing_everything("a migration"):
        _in_batches(schema_editor, "tenants_tenant", LOCK, TENANTS)
        _in_batches(schema_editor, "onboarding_whatsappbusinessaccount", LOCK, ACCOUNTS)
        _in_batches(schema_editor, "onboarding_phonenumber", LOCK, NUMBERS)


def looks(apps, schema_editor):
    """A look at each account and number, and the standing of notices."""
    with walls.seeing_everything("a migration"):
        _in_batches(schema_editor, "onboarding_whatsappbusinessaccount", ASK_ACCOUNTS)
        _in_batches(schema_editor, "onboarding_phonenumber", LOOK_AT_NUMBERS)
        _in_batches(schema_editor, "onboarding_notice", OLD_NOTICES)


def _in_batches(schema_editor, table, *statements):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id) FROM {table}")
        first, last = cursor.fetchone()
        for begin in range(first or 0, (last or -1) + 1, BATCH):
            with transaction.atomic(using=connection.alias):
                for statement in statements:
                    told = {"first": begin, "next": begin + BATCH}
                    cursor.execute(statement.replace("{table}", table), told)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0020_groups"),
        ("tenants", "0011_wants_letters"),
    ]

    operations = [
        migrations.RunPython(words, migrations.RunPython.noop),
        migrations.RunPython(looks, migrations.RunPython.noop),
    ]
