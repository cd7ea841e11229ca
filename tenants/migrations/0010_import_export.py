from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_desk")]

    operations = [
        migrations.AlterModelOptions(
            name="tenant",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("import_tenant", "Can import tenants from a file"),
                    ("export_tenant", "Can export the list of tenants"),
                ],
                "verbose_name": "tenant",
                "verbose_name_plural": "tenants",
            },
        ),
    ]
