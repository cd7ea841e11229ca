"""What happened: moves, messages of Meta's window, calls to the providers, webhook events."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField
from onboarding.models.onboarding import Onboarding
from onboarding.models.ycloud_account import YCloudAccount

ASKED_AGAIN = "registration asked for again"
"""The note of the move by which staff have a number registered once more (`steps/acts.py`)."""


class Transition(models.Model):
    """One move of one onboarding; written in the same transaction as the move."""

    onboarding = models.ForeignKey(Onboarding, on_delete=models.CASCADE, related_name="transitions")
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    reason = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=150)
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["onboarding", "at"], name="transition_timeline")]
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class SignupEvent(models.Model):
    """One thing that the page sent us about Meta's window; never a code."""

    onboarding = models.ForeignKey(Onboarding, on_delete=models.CASCADE, related_name="events")
    event = models.CharField(max_length=80, blank=True)
    login_status = models.CharField(max_length=40, blank=True)
    with_code = models.BooleanField(default=False)
    waba_id = models.CharField(max_length=40, blank=True)
    phone_number_id = models.CharField(max_length=40, blank=True)
    business_id = models.CharField(max_length=40, blank=True)
    current_step = models.CharField(max_length=80, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    session_id = models.CharField(max_length=100, blank=True)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["onboarding", "at"], name="signup_event_timeline")]
        verbose_name = _("window event")
        verbose_name_plural = _("window events")

    def __str__(self) -> str:
        return self.event or self.login_status or "?"


class ProviderCall(models.Model):
    """One call to YCloud or Meta. An act's row is written before the call (its intent)."""

    class Kind(models.TextChoices):
        RETRIEVE_ACCOUNT = "retrieve_account", _("retrieve the WABA")
        LIST_NUMBERS = "list_numbers", _("list its numbers")
        TP_BIND = "tp_bind", _("bind the WABA")
        SMB_BIND = "smb_bind", _("bind the WhatsApp Business app")
        REGISTER = "register", _("register the number")
        EXCHANGE_CODE = "exchange_code", _("exchange Meta's code")
        BALANCE = "balance", _("read the balance")
        LIST_ENDPOINTS = "list_endpoints", _("list the webhook endpoints")
        INSTALL_ENDPOINT = "install_endpoint", _("install the webhook endpoint")

    class Outcome(models.TextChoices):
        OPEN = "open", _("under way")
        DONE = "done", _("answered")
        REFUSED = "refused", _("refused")
        LOST = "lost", _("answer lost")
        NOT_SENT = "not_sent", _("not sent")

    ACTS = ("tp_bind", "smb_bind", "register", "exchange_code")

    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.SET_NULL, null=True, related_name="calls"
    )
    kind = models.CharField(_("call"), max_length=20, choices=Kind)
    target = models.CharField(_("target"), max_length=80)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    method = models.CharField(max_length=8, blank=True)
    path = models.CharField(max_length=255, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(_("code"), max_length=80, blank=True)
    meta_code = models.CharField(_("Meta's code"), max_length=40, blank=True)
    message = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(_("request id"), max_length=100, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    seen = models.CharField(max_length=40, blank=True)
    lane = models.CharField(_("lane"), max_length=10, blank=True, default="", db_default="")
    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("YCloud account"),
    )  # fmt: skip
    at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target"],
                condition=Q(outcome="open"),
                name="provider_call_one_open_act",
            ),
        ]
        indexes = [
            models.Index(fields=["onboarding", "at"], name="provider_call_timeline"),
            models.Index(fields=["kind", "target", "-at"], name="provider_call_by_target"),
            models.Index(fields=["-at"], name="provider_call_recent"),
            models.Index(
                fields=["request_id"], condition=~Q(request_id=""), name="provider_call_request"
            ),
        ]
        verbose_name = _("provider call")
        verbose_name_plural = _("provider calls")

    def __str__(self) -> str:
        return f"{self.kind} {self.target}: {self.outcome}"


class WebhookEvent(models.Model):
    """An event of YCloud's, stored once by its id before anything is done with it."""

    class Standing(models.TextChoices):
        """What became of it: whose it was."""

        WAITING = "waiting", _("to be applied")
        OURS = "ours", _("woke what it concerns")
        NOBODY = "nobody", _("concerns nothing here")
        NOT_OURS = "not_ours", _("of a kind that is not ours")
        UNKNOWN = "unknown", _("of a kind unknown to us")

    event_id = models.CharField(max_length=128, unique=True)
    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("YCloud account"),
    )  # fmt: skip
    type = models.CharField(_("type"), max_length=80)
    waba_id = models.CharField(_("WABA id"), max_length=40, blank=True)
    phone_number_id = models.CharField(_("phone number id"), max_length=40, blank=True)
    body = models.JSONField()
    sent_at = models.DateTimeField(_("sent by YCloud"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing,
        default=Standing.WAITING, db_default=Standing.WAITING,
    )  # fmt: skip
    woke = models.PositiveIntegerField(_("rows woken"), default=0)

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(applied_at__isnull=True),
                name="webhook_event_unapplied",
            ),
            models.Index(fields=["waba_id", "-received_at"], name="webhook_event_of_account"),
            models.Index(
                fields=["phone_number_id", "-received_at"], name="webhook_event_of_number"
            ),
            models.Index(fields=["-received_at"], name="webhook_event_recent"),
        ]
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class WebhookSecret(models.Model):
    """The signing secret of an endpoint that `doctor --install-webhook` made at YCloud.

    It counts beside those of YCLOUD_WEBHOOK_SECRETS, or of its YCloud account.
    """

    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("YCloud account"),
    )  # fmt: skip
    endpoint_id = models.CharField(_("endpoint"), max_length=255, unique=True)
    url = models.CharField(_("address"), max_length=500)
    secret = SealedTextField(editable=False)
    installed_at = models.DateTimeField(_("installed"), auto_now=True)

    class Meta:
        verbose_name = _("webhook secret")
        verbose_name_plural = _("webhook secrets")

    def __str__(self) -> str:
        return self.url
