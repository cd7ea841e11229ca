"""To whom a notice goes, when it is due and how it stands; rows and indexes by 0021 and 0022."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("onboarding", "0015_letters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='due_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, verbose_name='due'),
        ),
        migrations.AddField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('needed', 'something is needed'), ('connected', 'connected'), ('health', "a number's health"), ('confirm', 'confirmation of an address'), ('stuck', 'something is stuck')], db_default='health', default='health', max_length=10, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='notice',
            name='letter',
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name='letter'),
        ),
        migrations.AddField(
            model_name='notice',
            name='onboarding',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='onboarding.onboarding'),
        ),
        migrations.AddField(
            model_name='notice',
            name='standing',
            field=models.CharField(choices=[('waiting', 'waiting'), ('sending', 'being mailed'), ('mailed', 'mailed'), ('overtaken', 'no longer needed'), ('failed', 'not mailed')], db_default='waiting', default='waiting', max_length=10, verbose_name='standing'),
        ),
        migrations.AddField(
            model_name='notice',
            name='user',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notices', to=settings.AUTH_USER_MODEL, verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='audience',
            field=models.CharField(choices=[('owners', "the tenant's people"), ('guest', 'a guest'), ('staff', 'staff')], max_length=10, verbose_name='audience'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='number',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='onboarding.phonenumber'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='reason',
            field=models.CharField(blank=True, max_length=40, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='notice',
            name='address',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='onboarding.mailaddress', verbose_name="guest's address"),
        ),
    ]
