"""The groups that are shipped, after all the rights that they hold."""

from django.db import migrations

from onboarding import groups


def ship_groups(apps, schema_editor):
    groups.ship(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0019_milestones_kept"),
        ("tenants", "0011_wants_letters"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(ship_groups, migrations.RunPython.noop),
    ]
