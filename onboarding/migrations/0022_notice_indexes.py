"""The indexes of notices, built beside the running site; the one of the release before goes.

Nothing else is in it, so that it may run again: an index that could not be built is dropped first.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("onboarding", "0021_filled"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(condition=models.Q(("standing", "waiting")), fields=["due_at"], name="notice_waiting"),
        ),
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(condition=models.Q(("letter__isnull", False)), fields=["claimed_at"], name="notice_letters"),
        ),
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(fields=["onboarding"], name="notice_of_onboarding"),
        ),
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(fields=["user"], name="notice_of_user"),
        ),
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(fields=["address"], name="notice_of_address"),
        ),
        RemoveIndexConcurrently(model_name="notice", name="notice_unmailed"),
    ]
