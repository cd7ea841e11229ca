"""One table, with a column for each thing that an onboarding of the API shows."""

from __future__ import annotations

import uuid

from django.db import models


class Attempt(models.Model):
    """A row as the API shows an onboarding, flat."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
    tenant = models.CharField(max_length=50, default="cakes")
    connection_mode = models.CharField(max_length=20, default="business_platform")
    state = models.CharField(max_length=20, default="signed_up")
    reason = models.CharField(max_length=40, blank=True)
    event = models.CharField(max_length=80, blank=True)
    waba_id = models.CharField(max_length=40, blank=True)
    account_name = models.CharField(max_length=255, blank=True)
    phone_number_id = models.CharField(max_length=40, blank=True)
    phone_number = models.CharField(max_length=20, blank=True)
    number_status = models.CharField(max_length=40, blank=True)
    quality = models.CharField(max_length=40, blank=True)
    messaging_limit = models.CharField(max_length=40, blank=True)
    proven = models.BooleanField(null=True)
    requirements = models.JSONField(default=list)
    choices = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)
    connected_at = models.DateTimeField(null=True)
    next_look_at = models.DateTimeField(null=True)
