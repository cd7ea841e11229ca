"""The language that a person reads."""

from django.db import migrations, models

import tenants.models.base


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0011_wants_letters'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of pages and letters, such as en or pt-br. Empty: what the browser asks for.', max_length=10, validators=[tenants.models.base.known_language], verbose_name='language'),
        ),
    ]
