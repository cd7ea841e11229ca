"""What is told by e-mail: to whom outside of the login, what, and how each letter stands."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding.models.account import PhoneNumber
from onboarding.models.onboarding import Onboarding
from tenants.models import TenantOwned, TenantOwnedQuerySet, User


class Standing(models.TextChoices):
    """What became of something that was to be mailed."""

    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being mailed")
    MAILED = "mailed", _("mailed")
    OVERTAKEN = "overtaken", _("no longer needed")
    FAILED = "failed", _("not mailed")


class MailAddress(TenantOwned):
    """An address without a login that asked to be told of one onboarding.

    Nothing but the letter that asks for the confirmation goes to one that is not confirmed. The
    token of that letter is made when it is sent and kept as a hash only.
    """

    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.CASCADE, related_name="mail_addresses"
    )
    email = models.EmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=10, blank=True)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    off_at = models.DateTimeField(_("switched off"), null=True, blank=True)

    objects: ClassVar[TenantOwnedQuerySet[MailAddress]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["onboarding", "email"], name="mail_address_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "email"], name="mail_address_of_tenant"),
            models.Index(fields=["token_hash"], name="mail_address_token"),
            models.Index(
                fields=["created_at"],
                condition=Q(confirmed_at__isnull=True, off_at__isnull=True),
                name="mail_address_unconfirmed",
            ),
        ]
        verbose_name = _("mail address")
        verbose_name_plural = _("mail addresses")

    def __str__(self) -> str:
        return f"{self.tenant}, {self.created_at:%Y-%m-%d}"

    @property
    def is_told(self) -> bool:
        """Whether news go there."""
        return self.confirmed_at is not None and self.off_at is None


class Notice(TenantOwned):
    """One thing to tell one recipient, once: `key` is unique, so an event that comes twice tells
    once.

    It is written with the change that it tells of and looked at when it is due: what no longer
    holds is not told. `claimed_at` is set before the letter goes out and `mailed_at` after it. A
    notice that was claimed and not mailed may have been sent, so it is never sent again. Notices
    of one recipient that are due together share a letter.

    Of the audience `owners` the recipient is a `user`, of `guest` an `address`; of `staff` nobody
    in particular, because they share the digest.
    """

    class Audience(models.TextChoices):
        OWNERS = "owners", _("the tenant's people")
        GUEST = "guest", _("a guest")
        STAFF = "staff", _("staff")

    class Kind(models.TextChoices):
        NEEDED = "needed", _("something is needed")
        CONNECTED = "connected", _("connected")
        HEALTH = "health", _("a number's health")
        CONFIRM = "confirm", _("confirmation of an address")
        STUCK = "stuck", _("something is stuck")

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind, default=Kind.HEALTH, db_default=Kind.HEALTH.value
    )
    audience = models.CharField(_("audience"), max_length=10, choices=Audience)
    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.CASCADE, null=True, blank=True, related_name="notices",
        db_index=False,
    )  # fmt: skip
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="notices",
        verbose_name=_("member"), db_index=False,
    )  # fmt: skip
    address = models.ForeignKey(
        MailAddress, on_delete=models.CASCADE, null=True, blank=True, related_name="notices",
        verbose_name=_("guest's address"), db_index=False,
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    due_at = models.DateTimeField(_("due"), default=timezone.now, db_default=Now())
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.WAITING,
        db_default=Standing.WAITING.value,
    )  # fmt: skip
    claimed_at = models.DateTimeField(_("being mailed"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    letter = models.UUIDField(_("letter"), null=True, blank=True, editable=False)

    objects: ClassVar[TenantOwnedQuerySet[Notice]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(standing="waiting"), name="notice_waiting"),
            models.Index(
                fields=["claimed_at"], condition=Q(standing="sending"), name="notice_sending"
            ),
            models.Index(fields=["created_at"], name="notice_by_age"),
            models.Index(
                fields=["claimed_at"], condition=Q(letter__isnull=False), name="notice_letters"
            ),
            models.Index(fields=["onboarding"], name="notice_of_onboarding"),
            models.Index(fields=["user"], name="notice_of_user"),
            models.Index(fields=["address"], name="notice_of_address"),
        ]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.tenant}: {self.get_kind_display()}"

    @property
    def recipient(self) -> str:
        """The address, or the word for the audience."""
        if self.user is not None:
            return self.user.email
        return self.address.email if self.address is not None else str(self.get_audience_display())


class StaffLetter(models.Model):
    """A letter to staff that is about no single tenant: a digest, or an alert of a trouble of all.

    An alert's row is the trouble itself: open until it has been quiet for a while, so that one
    that comes and goes is told once.
    """

    class Kind(models.TextChoices):
        DIGEST = "digest", _("digest")
        ALERT = "alert", _("alert")

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    trouble = models.CharField(_("trouble"), max_length=60, blank=True)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    began_at = models.DateTimeField(_("since"), default=timezone.now)
    quiet_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.WAITING
    )
    claimed_at = models.DateTimeField(_("being mailed"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    letter = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["trouble"],
                condition=Q(kind="alert", ended_at__isnull=True),
                name="staff_letter_one_open",
            ),
        ]
        verbose_name = _("letter to staff")
        verbose_name_plural = _("letters to staff")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.trouble or self.key}"
