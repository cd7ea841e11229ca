from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0016_notices")]

    operations = [
        migrations.AlterModelOptions(
            name="webhookendpoint",
            options={
                "ordering": ["created_at"],
                "permissions": [
                    (
                        "operate_webhookendpoint",
                        "Can switch webhook endpoints and send events again",
                    )
                ],
                "verbose_name": "webhook endpoint",
                "verbose_name_plural": "webhook endpoints",
            },
        ),
        migrations.CreateModel(
            name="SetupTick",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="what")),
                ("ticked_at", models.DateTimeField(auto_now_add=True, verbose_name="ticked")),
                ("ticked_by", models.CharField(max_length=150, verbose_name="by")),
            ],
            options={
                "verbose_name": "set-up tick",
                "verbose_name_plural": "set-up ticks",
                "permissions": [
                    ("view_setup", "Can see how the installation is set up"),
                    ("change_setup", "Can tick off the set-up and install the webhook"),
                ],
                "default_permissions": (),
            },
        ),
    ]
