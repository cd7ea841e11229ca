"""What Meta's window is filled in with, where a tenant's flag says so; off to begin with."""

import django.core.validators
import tenants.models.prefill
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0012_user_language'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='prefill',
            field=models.BooleanField(db_default=False, default=False, help_text="Sends what stands below to the customer's browser and to Meta, each time Meta's window is opened. Only with the customer's consent.", verbose_name="fill Meta's window in"),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_category',
            field=models.CharField(blank=True, choices=[('AUTO', 'cars'), ('BEAUTY', 'beauty and wellness'), ('APPAREL', 'clothing'), ('EDU', 'education'), ('ENTERTAIN', 'entertainment'), ('EVENT_PLAN', 'event planning'), ('FINANCE', 'finance'), ('GROCERY', 'groceries'), ('GOVT', 'public service'), ('HOTEL', 'hotels'), ('HEALTH', 'health'), ('NONPROFIT', 'non-profit'), ('PROF_SERVICES', 'professional services'), ('RETAIL', 'shops'), ('TRAVEL', 'travel'), ('RESTAURANT', 'restaurants'), ('OTHER', 'other')], db_default='', default='', max_length=20, verbose_name='line of business'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_city',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='city'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_country',
            field=models.CharField(blank=True, db_default='', default='', help_text='Two letters, such as ES.', max_length=2, validators=[tenants.models.prefill.known_country], verbose_name='country'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_description',
            field=models.CharField(blank=True, db_default='', default='', max_length=512, verbose_name='description'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_display_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='name shown in WhatsApp'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_email',
            field=models.EmailField(blank=True, db_default='', default='', max_length=254, verbose_name='e-mail'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='legal name'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_phone_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=3, validators=[django.core.validators.RegexValidator('\\A[1-9][0-9]{0,2}\\Z', 'Write the digits alone, such as 34.')], verbose_name='phone: country code'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_phone_number',
            field=models.CharField(blank=True, db_default='', default='', max_length=14, validators=[django.core.validators.RegexValidator('\\A[0-9]{4,14}\\Z', 'Write the digits alone.')], verbose_name='phone: number'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_postal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=20, verbose_name='postal code'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_state',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='state or province'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_street_1',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='street'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_street_2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='street, second line'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_timezone',
            field=models.CharField(blank=True, db_default='', default='', help_text='Such as UTC-07:00.', max_length=9, validators=[django.core.validators.RegexValidator('\\AUTC[+-](0[0-9]|1[0-4]):(00|15|30|45)\\Z', 'Write it like UTC-07:00.')], verbose_name='time zone'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='prefill_website',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, validators=[django.core.validators.URLValidator(schemes=['http', 'https'])], verbose_name='website'),
        ),
    ]
