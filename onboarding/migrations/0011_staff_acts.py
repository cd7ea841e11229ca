"""What staff do, each act a right of its own; notes, assignees, words to search by.

The words of rows that are there already come by 0021: no table is held while it is filled.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.walls import behind, wall

RIGHTS = [
    ("approve_onboarding", "Can approve onboardings"),
    ("reject_onboarding", "Can reject onboardings"),
    ("resume_onboarding", "Can resume onboardings"),
    ("withdraw_onboarding", "Can withdraw onboardings"),
    ("reread_onboarding", "Can have onboardings read again at YCloud"),
    ("search_onboarding", "Can have lost accounts looked for"),
    ("retry_registration", "Can have a number registered again"),
    ("send_new_link", "Can mail a new signup link for an onboarding"),
    ("assign_onboarding", "Can assign onboardings to staff"),
    ("note_onboarding", "Can write internal notes on onboardings"),
]

WORDS = """
CREATE FUNCTION onboarding_words_of(names text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT left(word, 100)
    FROM regexp_split_to_table(lower(names), '[^[:alnum:]]+') AS word WHERE word <> ''
$$;
CREATE FUNCTION onboarding_keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'tenants_tenant' THEN
        IF TG_OP = 'DELETE' THEN
            DELETE FROM onboarding_searchword WHERE tenant_id = OLD.id;
            RETURN NULL;
        END IF;
        DELETE FROM onboarding_searchword
            WHERE tenant_id = NEW.id AND account_id IS NULL AND number_id IS NULL;
        INSERT INTO onboarding_searchword (tenant_id, word)
            SELECT NEW.id, word
            FROM onboarding_words_of(concat_ws(' ', NEW.name, NEW.slug, NEW.external_id)) AS word;
    ELSIF TG_TABLE_NAME = 'onboarding_whatsappbusinessaccount' THEN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM onboarding_searchword WHERE account_id = OLD.id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO onboarding_searchword (tenant_id, account_id, word)
                SELECT NEW.tenant_id, NEW.id, word FROM onboarding_words_of(NEW.name) AS word;
        END IF;
    ELSE
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM onboarding_searchword WHERE number_id = OLD.id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO onboarding_searchword (tenant_id, number_id, word)
                SELECT NEW.tenant_id, NEW.id, word
                FROM onboarding_words_of(NEW.verified_name) AS word;
        END IF;
    END IF;
    RETURN NULL;
END
$$;
"""
NO_WORDS = "DROP FUNCTION onboarding_keep_words(); DROP FUNCTION onboarding_words_of(text);"

NAMED = {
    "tenants_tenant": ("name", "slug", "external_id"),
    "onboarding_whatsappbusinessaccount": ("name", "tenant_id"),
    "onboarding_phonenumber": ("verified_name", "tenant_id"),
}


def triggers(table, columns):
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("OLD", "NEW"))
    call = "EXECUTE FUNCTION onboarding_keep_words()"
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_words AFTER INSERT OR DELETE ON {table} FOR EACH ROW {call};"
        f"CREATE TRIGGER {table}_new_words AFTER UPDATE ON {table} FOR EACH ROW "
        f"WHEN (({old}) IS DISTINCT FROM ({new})) {call};",
        f"DROP TRIGGER {table}_words ON {table}; DROP TRIGGER {table}_new_words ON {table};",
    )


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0010_newest_first"),
        ("tenants", "0008_external_ids"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="onboarding",
            options={"ordering": ["-created_at", "-pk"], "permissions": RIGHTS, "verbose_name": "onboarding", "verbose_name_plural": "onboardings"},
        ),
        migrations.AddField(
            model_name="onboarding",
            name="assigned_to",
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="assigned to"),
        ),
        migrations.CreateModel(
            name="StaffNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("author", models.CharField(max_length=150, verbose_name="author")),
                ("text", models.CharField(max_length=2000, verbose_name="text")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("onboarding", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="staff_notes", to="onboarding.onboarding")),
            ],
            options={
                "verbose_name": "staff note",
                "verbose_name_plural": "staff notes",
                "ordering": ["at", "pk"],
                "indexes": [models.Index(fields=["onboarding", "at"], name="staff_note_timeline")],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(db_collation="C", max_length=100)),
                ("tenant", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.tenant")),
                ("account", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="onboarding.whatsappbusinessaccount")),
                ("number", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="onboarding.phonenumber")),
            ],
            options={
                "verbose_name": "search word",
                "verbose_name_plural": "search words",
                "indexes": [models.Index(fields=["word"], name="search_word")],
            },
        ),
        behind("onboarding_staffnote", ""),  # staff's alone
        wall("onboarding_searchword"),  # before the rows: they would be pending
        migrations.RunSQL(WORDS, NO_WORDS),
        *(triggers(table, columns) for table, columns in NAMED.items()),
    ]
