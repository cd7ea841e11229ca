"""Whom letters go to, how each stands, and what staff are told together."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from tenants.walls import behind, wall


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0010_newest_first'),
        ('tenants', '0011_wants_letters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MailAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('language', models.CharField(blank=True, max_length=10, verbose_name='language')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='asked')),
                ('token_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('token_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed')),
                ('off_at', models.DateTimeField(blank=True, null=True, verbose_name='switched off')),
            ],
            options={
                'verbose_name': 'mail address',
                'verbose_name_plural': 'mail addresses',
                'ordering': ['created_at'],
            },
        ),
        migrations.CreateModel(
            name='StaffLetter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120, unique=True)),
                ('kind', models.CharField(choices=[('digest', 'digest'), ('alert', 'alert')], max_length=10, verbose_name='kind')),
                ('trouble', models.CharField(blank=True, max_length=60, verbose_name='trouble')),
                ('detail', models.CharField(blank=True, max_length=200, verbose_name='detail')),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('quiet_since', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('standing', models.CharField(choices=[('waiting', 'waiting'), ('sending', 'being mailed'), ('mailed', 'mailed'), ('overtaken', 'no longer needed'), ('failed', 'not mailed')], default='waiting', max_length=10, verbose_name='standing')),
                ('claimed_at', models.DateTimeField(blank=True, null=True, verbose_name='being mailed')),
                ('mailed_at', models.DateTimeField(blank=True, null=True, verbose_name='mailed')),
                ('letter', models.UUIDField(default=uuid.uuid4, editable=False)),
            ],
            options={
                'verbose_name': 'letter to staff',
                'verbose_name_plural': 'letters to staff',
                'ordering': ['-began_at'],
            },
        ),
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
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL, verbose_name='member'),
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
            model_name='mailaddress',
            name='onboarding',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mail_addresses', to='onboarding.onboarding'),
        ),
        migrations.AddField(
            model_name='mailaddress',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant', verbose_name='tenant'),
        ),
        migrations.AddField(
            model_name='notice',
            name='address',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='onboarding.mailaddress', verbose_name="guest's address"),
        ),
        migrations.AddConstraint(
            model_name='staffletter',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('kind', 'alert')), fields=('trouble',), name='staff_letter_one_open'),
        ),
        migrations.AddIndex(
            model_name='mailaddress',
            index=models.Index(fields=['tenant', 'email'], name='mail_address_of_tenant'),
        ),
        migrations.AddConstraint(
            model_name='mailaddress',
            constraint=models.UniqueConstraint(fields=('onboarding', 'email'), name='mail_address_once'),
        ),
        migrations.AddConstraint(
            model_name='mailaddress',
            constraint=models.UniqueConstraint(condition=models.Q(('token_hash', ''), _negated=True), fields=('token_hash',), name='mail_address_token'),
        ),
        wall("onboarding_mailaddress"),
        behind("onboarding_staffletter", ""),  # the partner's own, of no tenant
        migrations.RunSQL(
            "UPDATE onboarding_notice SET standing = "
            "CASE WHEN mailed_at IS NULL THEN 'failed' ELSE 'mailed' END "
            "WHERE claimed_at IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]
