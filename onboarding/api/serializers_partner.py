"""What the API takes and shows of tenants, signup links, accounts and numbers."""

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from onboarding import reasons, requirements
from onboarding.api.paging import Filters, FlagField
from onboarding.api.serializers import (
    DIGITS,
    RequirementSerializer,
    StrictText,
    shown_requirements,
)
from onboarding.api.serializers_prefill import PrefillSerializer
from onboarding.models import PhoneNumber, SignupLink, WhatsAppBusinessAccount, YCloudAccount
from onboarding.models.link import MOST_LIFE_DAYS
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from tenants.models import Tenant

E164 = RegexValidator(
    r"\A\+[1-9][0-9]{6,14}\Z", _("Write it in the international form: +4915112345.")
)
SLUG = RegexValidator(r"\A[-a-zA-Z0-9_]+\Z", _("Use letters, digits, hyphens and underscores."))
_OF_FACTS = {reason.code for reason in reasons.standing.ALL}
PUBLIC_REASONS = sorted({reasons.public(code) for code in reasons.REASONS if code not in _OF_FACTS})


def slug_field(**options: Any) -> StrictText:
    """A tenant's slug."""
    return StrictText(max_length=80, validators=[SLUG], **options)


def _tenant_filter() -> serializers.CharField:
    return serializers.CharField(
        source="tenant__slug", required=False, max_length=80, validators=[SLUG]
    )


class _OrNull(serializers.CharField):
    """An empty text is shown as null."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) if value else None


# --- Tenants ------------------------------------------------------------------------------------


class TenantSerializer(serializers.ModelSerializer[Tenant]):
    """A customer company. `approval` and `unproven` are null where the partner's setting holds."""

    approval = _OrNull()
    unproven = _OrNull()
    language = _OrNull()
    external_id = _OrNull()
    prefill = PrefillSerializer(source="*", read_only=True)
    ycloud_account = serializers.SlugField(
        source="ycloud_assignment.ycloud_account.slug", read_only=True, allow_null=True,
        default=None,
    )  # fmt: skip

    class Meta:
        model = Tenant
        fields = [
            "slug", "name", "external_id", "approval", "unproven", "language", "prefill",
            "ycloud_account", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class TenantChangeSerializer(serializers.Serializer[Any]):
    """PATCH /tenants/{slug}/: only what is sent is changed; null takes a value back."""

    name = StrictText(max_length=200)
    external_id = StrictText(max_length=100, required=False, allow_null=True)
    approval = serializers.ChoiceField(
        choices=Tenant.Approval.choices, required=False, allow_null=True
    )
    unproven = serializers.ChoiceField(
        choices=Tenant.Unproven.choices, required=False, allow_null=True
    )
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False, allow_null=True)
    prefill = PrefillSerializer(required=False)
    ycloud_account: serializers.SlugRelatedField[YCloudAccount] = serializers.SlugRelatedField(
        slug_field="slug", required=False, allow_null=True,
        queryset=YCloudAccount.objects.filter(takes_new=True, ended_at__isnull=True),
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        sent = attrs.pop("prefill", {})
        columns = {"prefill" if n == "enabled" else f"prefill_{n}": v for n, v in sent.items()}
        found = {**attrs, **columns}
        kept = ("ycloud_account",)
        return {n: "" if v is None and n not in kept else v for n, v in found.items()}


class TenantCreateSerializer(TenantChangeSerializer):
    """POST /tenants/: without a slug it gets one from its name; a slug is never changed."""

    slug = slug_field(required=False)


class TenantFilters(Filters):
    external_id = serializers.CharField(required=False, max_length=100)


# --- Signup links -------------------------------------------------------------------------------


class LinkSerializer(serializers.ModelSerializer[SignupLink]):
    """A signup link; its address is shown once, when it is made."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    tenant: serializers.SlugRelatedField[Tenant] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    state = serializers.ChoiceField(
        source="standing", choices=["open", "expired", "revoked"], read_only=True
    )
    connection_mode = _OrNull()
    expected_number = _OrNull()
    language = _OrNull()
    email = _OrNull()
    mail = _OrNull()

    class Meta:
        model = SignupLink
        fields = [
            "id", "tenant", "state", "connection_mode", "expected_number", "language", "email",
            "mail", "created_at", "expires_at", "revoked_at", "opened_at", "times_opened",
        ]  # fmt: skip
        read_only_fields = fields


class _WholeNumber(serializers.IntegerField):
    """A JSON number; a string is refused."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LinkCreateSerializer(serializers.Serializer[Any]):
    """POST /signup-links/. A key names the tenant; an owner of one tenant need not."""

    tenant = slug_field(required=False)
    connection_mode = serializers.ChoiceField(choices=ConnectionMode.choices, required=False)
    expected_number = StrictText(required=False, max_length=16, validators=[E164])
    language = serializers.ChoiceField(choices=settings.LANGUAGES, required=False)
    email = serializers.EmailField(required=False, max_length=254)
    expires_in_days = _WholeNumber(
        source="life_days", required=False, min_value=1, max_value=MOST_LIFE_DAYS
    )


class LinkFilters(Filters):
    tenant = _tenant_filter()


# --- Accounts and numbers -----------------------------------------------------------------------


class AccountSerializer(serializers.ModelSerializer[WhatsAppBusinessAccount]):
    """A WABA, as YCloud told it last. Words of YCloud's are kept verbatim."""

    tenant: serializers.SlugRelatedField[Tenant] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    restrictions = serializers.ListField(child=serializers.JSONField(), read_only=True)
    requirements = serializers.SerializerMethodField()

    class Meta:
        model = WhatsAppBusinessAccount
        fields = [
            "waba_id", "tenant", "name", "account_review_status", "payment_method_attached",
            "business_verification_status", "ban_state", "restrictions", "currency", "country",
            "messaging_limit", "requirements", "created_at", "read_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(RequirementSerializer(many=True))
    def get_requirements(self, row: WhatsAppBusinessAccount) -> list[dict[str, Any]]:
        return shown_requirements(requirements.of_account(row))


class AccountFilters(Filters):
    tenant = _tenant_filter()


class NumberSerializer(serializers.ModelSerializer[PhoneNumber]):
    """A WhatsApp number, as YCloud told it last.

    `healthy` is null until the number was connected once; then false while `health` has a reason.
    """

    tenant: serializers.SlugRelatedField[Tenant] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    waba_id = serializers.CharField(source="business_account.waba_id", read_only=True)
    e164 = _OrNull()
    healthy = serializers.SerializerMethodField()
    health = serializers.SerializerMethodField()
    requirements = serializers.SerializerMethodField()

    class Meta:
        model = PhoneNumber
        fields = [
            "phone_number_id", "tenant", "waba_id", "e164", "verified_name", "status",
            "code_verification_status", "name_status", "quality", "messaging_limit",
            "is_on_biz_app", "healthy", "health", "health_since", "requirements", "created_at",
            "connected_at", "read_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_healthy(self, row: PhoneNumber) -> bool | None:
        return not row.health if row.connected_at else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_health(self, row: PhoneNumber) -> str | None:
        return reasons.public(row.health) or None

    @extend_schema_field(RequirementSerializer(many=True))
    def get_requirements(self, row: PhoneNumber) -> list[dict[str, Any]]:
        return shown_requirements(requirements.of_number(row))


class NumberFilters(Filters):
    tenant = _tenant_filter()
    waba_id = serializers.CharField(
        source="business_account__waba_id", required=False, max_length=40, validators=[DIGITS]
    )
    status = serializers.RegexField(r"\A[A-Z0-9_]{1,40}\Z", required=False)
    e164 = serializers.CharField(required=False, max_length=16, validators=[E164])
    healthy = FlagField(required=False)

    def lookups(self) -> dict[str, Any]:
        asked = dict(super().lookups())
        healthy = asked.pop("healthy", None)
        if healthy is True:
            asked |= {"connected_at__isnull": False, "health": ""}
        elif healthy is False:
            asked |= {"connected_at__isnull": False, "health__gt": ""}
        return asked


class OnboardingFilters(Filters):
    tenant = _tenant_filter()
    state = serializers.ChoiceField(choices=State.choices, required=False)
    reason = serializers.ChoiceField(choices=PUBLIC_REASONS, required=False)
    connection_mode = serializers.ChoiceField(choices=ConnectionMode.choices, required=False)
    created_after = serializers.DateTimeField(source="created_at__gte", required=False)
    created_before = serializers.DateTimeField(source="created_at__lt", required=False)
    waba_id = serializers.CharField(
        source="claimed_waba_id", required=False, max_length=40, validators=[DIGITS]
    )
    phone_number = serializers.CharField(
        source="number__e164", required=False, max_length=16, validators=[E164]
    )

    def lookups(self) -> dict[str, Any]:
        """By the reason that is shown: the true one may be for staff only."""
        asked = dict(super().lookups())
        shown = asked.pop("reason", None)
        if shown:
            hidden = [code for code in reasons.REASONS if reasons.public(code) == shown]
            asked["reason__in"] = hidden
        return asked
