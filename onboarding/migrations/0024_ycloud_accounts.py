"""The partner's YCloud accounts, each with a key and a quota of its own; the environment's is first.

What is there already names none, which means the environment's: nothing is filled.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import onboarding.models.fields
import onboarding.models.ycloud_account
from onboarding import groups
from onboarding.models.ycloud_account import ENVIRONMENT
from tenants.walls import wall


def seed(apps, schema_editor):
    apps.get_model("onboarding", "YCloudAccount").objects.get_or_create(
        from_environment=True,
        defaults={"name": "From the environment", "slug": ENVIRONMENT, "is_default": True},
    )
    groups.add(
        apps, {
            "Operators": {
                "operate_ycloudaccount", "view_ycloudaccount", "view_ycloudassignment",
            },
            "Reviewers": {"view_ycloudaccount", "view_ycloudassignment"},
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0023_dialog'),
        ('tenants', '0013_prefill'),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name='YCloudAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('slug', models.SlugField(help_text='In the address of its webhook, in figures and in the API; it never changes.', max_length=40, unique=True, verbose_name='slug')),
                ('from_environment', models.BooleanField(default=False, editable=False)),
                ('api_key', onboarding.models.fields.SealedTextField(blank=True, default='', editable=False, verbose_name='API key')),
                ('webhook_secrets', onboarding.models.fields.SealedTextField(blank=True, default='', editable=False, validators=[onboarding.models.ycloud_account.few_secrets], verbose_name='webhook secrets')),
                ('per_second', models.PositiveIntegerField(default=180, help_text='Our share of the 200 that YCloud allows this account.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='calls a second')),
                ('per_hour', models.PositiveIntegerField(default=9000, help_text='Our share of the 10,000 that YCloud allows this account.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='calls an hour')),
                ('is_default', models.BooleanField(default=False, editable=False, verbose_name='for tenants without one')),
                ('takes_new', models.BooleanField(default=True, help_text='Off: what it has goes on; tenants assigned to it begin at the default one.', verbose_name='takes new onboardings')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='ended')),
            ],
            options={
                'verbose_name': 'YCloud account',
                'verbose_name_plural': 'YCloud accounts',
                'ordering': ['pk'],
                'permissions': [('operate_ycloudaccount', 'Can add, change, end and assign YCloud accounts')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='ycloud_account_default'), models.UniqueConstraint(condition=models.Q(('from_environment', True)), fields=('from_environment',), name='ycloud_account_of_environment'), models.CheckConstraint(condition=models.Q(('is_default', False), models.Q(('ended_at__isnull', True), ('takes_new', True)), _connector='OR'), name='ycloud_account_default_takes_new')],
            },
        ),
        migrations.AddField(
            model_name='onboarding',
            name='ycloud_account',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onboarding.ycloudaccount', verbose_name='YCloud account'),
        ),
        migrations.AddField(
            model_name='providercall',
            name='ycloud_account',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onboarding.ycloudaccount', verbose_name='YCloud account'),
        ),
        migrations.AddField(
            model_name='webhookevent',
            name='ycloud_account',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onboarding.ycloudaccount', verbose_name='YCloud account'),
        ),
        migrations.AddField(
            model_name='webhooksecret',
            name='ycloud_account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onboarding.ycloudaccount', verbose_name='YCloud account'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='ycloud_account',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='onboarding.ycloudaccount', verbose_name='YCloud account'),
        ),
        migrations.CreateModel(
            name='YCloudAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assigned_at', models.DateTimeField(auto_now=True, verbose_name='assigned')),
                ('tenant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='ycloud_assignment', to='tenants.tenant', verbose_name='tenant')),
                ('ycloud_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='onboarding.ycloudaccount', verbose_name='YCloud account')),
            ],
            options={
                'verbose_name': 'YCloud assignment',
                'verbose_name_plural': 'YCloud assignments',
            },
        ),
        wall("onboarding_ycloudassignment"),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
