"""Users, tenants, memberships, and the base of every row that a tenant owns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from tenants.models.prefill import Prefilled

if TYPE_CHECKING:
    from tenants.access import Asker


def known_language(code: str) -> None:
    """A validator: the code is one of the site's languages. Raises ValidationError."""
    if code not in dict(settings.LANGUAGES):
        raise ValidationError(_("“%(code)s” is no language here."), params={"code": code})


class User(AbstractUser):
    """A person who signs in by e-mail; partner staff have `is_staff`."""

    email = models.EmailField(_("e-mail"))
    wants_letters = models.BooleanField(
        _("letters about numbers"), default=True, db_default=True,
        help_text=_("When something is needed for a number of one's companies, or it connected."),
    )  # fmt: skip
    wants_digests = models.BooleanField(
        _("letters about what is stuck"), default=True, db_default=True,
        help_text=_("For staff: the digest of what is stuck, and alerts."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=10, blank=True, default="", db_default="",
        validators=[known_language],
        help_text=_("Of pages and letters, such as en or pt-br. Empty: what the browser asks for."),
    )  # fmt: skip

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
        ]
        indexes = [
            models.Index(
                fields=["email"], opclasses=["varchar_pattern_ops"], name="user_email_prefix"
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """In lower case, as the login looks it up."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)


class Tenant(Prefilled, models.Model):
    """A customer company. Everything it owns carries its key."""

    class Approval(models.TextChoices):
        NEVER = "never", _("never")
        NEW_TENANTS = "new_tenants", _("new tenants only")
        ALWAYS = "always", _("always")

    class Unproven(models.TextChoices):
        CONTINUE = "continue", _("continue")
        REVIEW = "review", _("ask a reviewer")
        STOP = "stop", _("stop")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    approval = models.CharField(
        _("approval"), max_length=20, choices=Approval, blank=True,
        help_text=_(
            "Whether a reviewer says yes before a number is registered. “New tenants only”: until "
            "the tenant's first number is connected. Empty: the setting ONBOARDING_APPROVAL."
        ),
    )  # fmt: skip
    unproven = models.CharField(
        _("unproven grants"), max_length=20, choices=Unproven, blank=True,
        help_text=_(
            "What becomes of an account that Meta's grant does not prove. Empty: the setting "
            "ONBOARDING_UNPROVEN."
        ),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=10, blank=True, default="", db_default="",
        validators=[known_language],
        help_text=_("Of the letters to this tenant, such as en or pt-br. Empty: the site's own."),
    )  # fmt: skip
    external_id = models.CharField(
        _("external id"), max_length=100, blank=True, default="", db_default="",
        help_text=_("What the partner's own systems call it; unique where it is set."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    users: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="tenants"
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        permissions = [
            ("import_tenant", _("Can import tenants from a file")),
            ("export_tenant", _("Can export the list of tenants")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~models.Q(external_id=""),
                name="tenant_external_id_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One user's role in one tenant."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MEMBER = "member", _("member")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_once"),
        ]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} ({self.role})"


_Row = TypeVar("_Row", bound=models.Model)


class TenantOwnedQuerySet(models.QuerySet[_Row]):
    """The only way to a tenant's rows."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Rows of one tenant."""
        return self.filter(tenant=tenant)

    def visible_to(self, asker: Asker) -> Self:
        """Rows that this asker may see; everybody else's do not exist for them (404)."""
        if asker.sees_all:
            return self.all()
        return self.filter(tenant__in=asker.tenant_ids)


class TenantOwned(models.Model):
    """A row that belongs to one tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, verbose_name=_("tenant"))

    class Meta:
        abstract = True
