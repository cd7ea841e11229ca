"""Whom letters go to, how each stands, and what staff are told together."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from tenants.walls import behind, wall


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0014_standing_index'),
        ('tenants', '0011_wants_letters'),
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
                ('onboarding', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mail_addresses', to='onboarding.onboarding')),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant', verbose_name='tenant')),
            ],
            options={
                'verbose_name': 'mail address',
                'verbose_name_plural': 'mail addresses',
                'ordering': ['created_at'],
                'indexes': [
                    models.Index(fields=['tenant', 'email'], name='mail_address_of_tenant'),
                    models.Index(fields=['token_hash'], name='mail_address_token'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('onboarding', 'email'), name='mail_address_once'),
                ],
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
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('kind', 'alert')), fields=('trouble',), name='staff_letter_one_open')],
            },
        ),
        wall("onboarding_mailaddress"),
        behind("onboarding_staffletter", ""),  # the partner's own, of no tenant
    ]
