"""When each milestone was reached first; filled for earlier rows by the next migration."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0017_setup"),
    ]

    operations = [
        migrations.AddField(
            model_name="onboarding",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="Meta's window finished"),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="linked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="account found"),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="paid_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="payment method seen"),
        ),
        migrations.AddField(
            model_name="onboarding",
            name="registered_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="number accepted"),
        ),
    ]
