"""Signed webhooks to the partner: where to, what about, and each try to deliver it."""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField
from onboarding.models.onboarding import Onboarding
from tenants.models import Tenant, TenantOwnedQuerySet, User


def new_secret() -> str:
    """A secret of the Standard Webhooks scheme (it asks for 24 to 64 random bytes)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_message_id() -> str:
    """What receivers know an event by, in every delivery of it (`webhook-id`)."""
    return f"msg_{uuid.uuid4().hex}"


class WebhookEndpoint(models.Model):
    """An address of the partner's that is told of events. It belongs to no tenant."""

    class Disabled(models.TextChoices):
        """Why nothing is sent to it."""

        BY_STAFF = "by_staff", _("switched off by staff")
        GONE = "gone", _("it answered 410 Gone")
        FAILING = "failing", _("it took nothing for five days")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    url = models.CharField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True)
    secret = SealedTextField(editable=False)
    previous_secret = SealedTextField(blank=True, default="", editable=False)
    previous_until = models.DateTimeField(_("old secret signs until"), null=True, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, verbose_name=_("events"),
        help_text=_("None chosen: all of them, new ones included."),
    )  # fmt: skip
    only_tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("only of this tenant"),
        help_text=_("Empty: the events of all tenants."),
    )  # fmt: skip
    enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.CharField(
        _("why it is off"), max_length=10, choices=Disabled, blank=True
    )
    disabled_at = models.DateTimeField(_("off since"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    quiet_until = models.DateTimeField(_("asked us to wait until"), null=True, blank=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        permissions = [
            ("operate_webhookendpoint", _("Can switch webhook endpoints and send events again")),
        ]

    def __str__(self) -> str:
        """Without the query, in which some receivers want a key."""
        return self.url.partition("?")[0]

    @property
    def signing_secrets(self) -> list[str]:
        """The secrets that sign now: while one is rotated both do."""
        old = self.previous_until is not None and self.previous_until > timezone.now()
        return [s for s in (self.secret, self.previous_secret if old else "") if s]


class OutboundEvent(models.Model):
    """Something that happened, written in the transaction in which it did.

    Its tenant is empty for the test event only. Deleted with its tenant or onboarding.
    """

    public_id = models.CharField(
        _("webhook-id"), max_length=40, default=new_message_id, unique=True, editable=False
    )
    type = models.CharField(_("event"), max_length=80)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("tenant")
    )
    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(_("data"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    shared_at = models.DateTimeField(_("handed to the endpoints"), null=True, blank=True)

    objects: ClassVar[TenantOwnedQuerySet[OutboundEvent]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(shared_at__isnull=True), name="outbound_event_unshared"
            ),
            models.Index(fields=["at"], name="outbound_event_by_age"),
        ]
        verbose_name = _("outbound event")
        verbose_name_plural = _("outbound events")

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class Delivery(models.Model):
    """One event on its way to one endpoint; the row is the queue.

    `attempts` counts all tries and is the fence of the one under way; `tries` counts those since
    it was begun (or sent again by staff) and says how long the next wait is.
    """

    class Standing(models.TextChoices):
        WAITING = "waiting", _("waiting for its next try")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    event = models.ForeignKey(OutboundEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.WAITING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("last status"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_try_at"], condition=Q(standing="waiting"),
                name="delivery_due",
            ),
        ]  # fmt: skip
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.event.type} → {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One try; written before the request goes out, so that none is ever missing here.

    One without an end belongs to a worker that died: it may have arrived.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveIntegerField(_("attempt"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    address = models.CharField(_("sent to"), max_length=45, blank=True)
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_once"),
        ]
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")

    def __str__(self) -> str:
        return f"{self.number}: {self.status or self.error or '?'}"
