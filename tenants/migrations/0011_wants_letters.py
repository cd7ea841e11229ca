"""Who wants which letters."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0010_import_export'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='wants_digests',
            field=models.BooleanField(db_default=True, default=True, help_text='For staff: the digest of what is stuck, and alerts.', verbose_name='letters about what is stuck'),
        ),
        migrations.AddField(
            model_name='user',
            name='wants_letters',
            field=models.BooleanField(db_default=True, default=True, help_text="When something is needed for a number of one's companies, or it connected.", verbose_name='letters about numbers'),
        ),
    ]
