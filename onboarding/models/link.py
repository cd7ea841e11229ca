"""SignupLink: a mailed, expiring, revocable link to one tenant's signup; and its openings."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField
from tenants.models import TenantOwned, TenantOwnedQuerySet, User
from tenants.models.base import known_language

LIFE_DAYS = 7
MOST_LIFE_DAYS = 30


class SignupLink(TenantOwned):
    """Opening it by GET consumes nothing, because mail scanners open links too.

    `sealed_token` is there only while the letter waits to be sent; see `link_mail.py`.
    """

    class MadeBy(models.TextChoices):
        """The role, not the name."""

        STAFF = "staff", _("staff")
        OWNER = "owner", _("an owner")
        KEY = "key", _("the API")
        COMMAND = "command", _("a command")

    class Mail(models.TextChoices):
        """What became of the letter; empty: none was asked for."""

        WAITING = "waiting", _("waiting to be mailed")
        SENDING = "sending", _("being mailed")
        MAILED = "mailed", _("mailed")
        FAILED = "failed", _("not mailed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    connection_mode = models.CharField(_("mode"), max_length=20, blank=True)
    expected_number = models.CharField(_("expected number"), max_length=20, blank=True)
    language = models.CharField(
        _("language"), max_length=10, blank=True, default="", db_default="",
        validators=[known_language],
    )  # fmt: skip
    email = models.EmailField(_("e-mail"), blank=True, default="", db_default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    made_by = models.CharField(
        _("made by"), max_length=10, choices=MadeBy, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    opened_at = models.DateTimeField(_("last opened"), null=True, blank=True)
    times_opened = models.PositiveIntegerField(_("opened"), default=0)

    sealed_token = SealedTextField(blank=True, default="", db_default="", editable=False)
    mail = models.CharField(
        _("e-mail state"), max_length=10, choices=Mail, blank=True, default="", db_default=""
    )
    mail_at = models.DateTimeField(_("e-mail since"), null=True, blank=True)

    ended: tuple["SignupLink", ...] = ()
    """The links that this one ended by being made; of the very instance that `create_link` gave."""

    objects: ClassVar[TenantOwnedQuerySet["SignupLink"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["mail", "created_at"], condition=Q(mail__in=["sending", "waiting"]),
                name="link_mail_under_way",
            )
        ]  # fmt: skip
        verbose_name = _("signup link")
        verbose_name_plural = _("signup links")

    def __str__(self) -> str:
        return f"{self.tenant}, {self.created_at:%Y-%m-%d}"

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_replaced(self) -> bool:
        """Whether it was ended and a newer link for the same number is open."""
        newer = SignupLink.objects.filter(
            tenant_id=self.tenant_id, expected_number=self.expected_number, pk__gt=self.pk,
            revoked_at__isnull=True, expires_at__gt=timezone.now(),
        )  # fmt: skip
        return self.is_revoked and newer.exists()

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def standing(self) -> str:
        """`open`, `expired` or `revoked`."""
        if self.is_revoked:
            return "revoked"
        return "expired" if self.is_expired else "open"


class LinkOpening(models.Model):
    """One request for a link's address, by whatever it was; deleted after RETENTION_DAYS.

    No person is named: of the address the network alone is kept, of the agent a word and the
    beginning of what it calls itself.
    """

    class Agent(models.TextChoices):
        BROWSER = "browser", _("a browser")
        PROGRAM = "program", _("a program (a mail scanner, a preview)")
        UNKNOWN = "unknown", _("unknown")

    link = models.ForeignKey(SignupLink, on_delete=models.CASCADE, related_name="openings")
    at = models.DateTimeField(_("at"), auto_now_add=True)
    standing = models.CharField(_("the link was"), max_length=10)
    method = models.CharField(_("method"), max_length=8)
    network = models.CharField(_("network"), max_length=50, blank=True)
    agent = models.CharField(_("opened by"), max_length=10, choices=Agent)
    agent_text = models.CharField(_("agent"), max_length=120, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["at"], name="link_opening_by_age")]
        verbose_name = _("opening of a link")
        verbose_name_plural = _("openings of links")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.agent}"
