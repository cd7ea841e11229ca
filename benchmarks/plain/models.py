"""One table."""

from django.db import models


class Signup(models.Model):
    """A number on its way."""

    waba_id = models.CharField(max_length=40)
    phone_number_id = models.CharField(max_length=40)
    status = models.CharField(max_length=20, default="")

    def __str__(self) -> str:
        return self.phone_number_id
