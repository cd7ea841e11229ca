"""What holds of WABAs and numbers, since when, and the worst of it; asked for by 0021."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0012_desk_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='phonenumber',
            name='new_name_status',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='new name status'),
        ),
        migrations.AddField(
            model_name='phonenumber',
            name='standing',
            field=models.CharField(blank=True, choices=[('wrong', 'stopped'), ('due', 'to do'), ('pending', 'under way'), ('notice', 'good to know')], db_default='', default='', max_length=10, verbose_name='standing'),
        ),
        migrations.AddField(
            model_name='phonenumber',
            name='standing_since',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, verbose_name='conditions, since'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='asked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='to be read since'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='ban_date',
            field=models.CharField(blank=True, db_default='', default='', max_length=60, verbose_name='ban date'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='lost',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='lost'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='standing',
            field=models.CharField(blank=True, choices=[('wrong', 'stopped'), ('due', 'to do'), ('pending', 'under way'), ('notice', 'good to know')], db_default='', default='', max_length=10, verbose_name='standing'),
        ),
        migrations.AddField(
            model_name='whatsappbusinessaccount',
            name='standing_since',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict, verbose_name='conditions, since'),
        ),
    ]
