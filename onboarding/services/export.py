"""All that is kept of a tenant, as one JSON document (docs/production.md says what is in it).

Each column is named here, so one that is added later is not given away by itself: no password, key,
hash, token or code, and no names of the partner's staff.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils import timezone

from onboarding import reasons, requirements
from onboarding.models import (
    MailAddress,
    Notice,
    Onboarding,
    PhoneNumber,
    SignupLink,
    WhatsAppBusinessAccount,
)
from onboarding.timeline import timeline
from tenants.models import Invitation, Tenant
from tenants.models.prefill import PREFILL

FORMAT = "whatsapp-onboarding-tenant"
VERSION = 1

_TENANT = (
    "slug", "name", "approval", "unproven", "language", "external_id", "created_at", "prefill",
    *PREFILL,
)  # fmt: skip
_ONBOARDING = (
    "connection_mode", "state", "reason", "state_changed_at", "created_at", "updated_at",
    "launched_at", "finished_at", "linked_at", "paid_at", "registered_at", "connected_at",
    "login_status", "current_step", "error_code", "error_message", "meta_session_id",
    "claimed_waba_id", "claimed_phone_number_id", "claimed_business_id", "claimed_at",
    "expected_number", "searched_at", "grant", "granted_waba_ids", "proven",
    "approved_at",
)  # fmt: skip
_ACCOUNT = (
    "waba_id", "name", "proof", "proven_at", "account_review_status", "payment_method_attached",
    "business_verification_status", "ban_state", "ban_date", "restrictions", "currency",
    "country", "messaging_limit", "created_at", "read_at", "lost",
)  # fmt: skip
_NUMBER = (
    "phone_number_id", "e164", "verified_name", "status", "code_verification_status", "name_status",
    "new_name_status", "quality", "messaging_limit", "is_on_biz_app", "created_at", "connected_at",
    "read_at", "health", "health_since",
)  # fmt: skip
_LINK = (
    "connection_mode", "expected_number", "language", "email", "mail", "made_by", "created_at",
    "expires_at", "revoked_at", "opened_at", "times_opened",
)  # fmt: skip
_INVITATION = ("email", "role", "sent_at", "expires_at", "accepted_at", "revoked_at")
_OPENING = ("at", "standing", "method", "network", "agent", "agent_text")
_NOTICE = ("kind", "audience", "reason", "created_at", "due_at", "standing", "mailed_at")
_ADDRESS = ("email", "language", "created_at", "confirmed_at", "off_at")


def document(tenant: Tenant) -> dict[str, Any]:
    """The whole of it; times are ISO 8601 when written with Django's JSON encoder."""
    memberships = tenant.memberships.select_related("user").order_by("pk")
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": timezone.now(),
        "tenant": _picked(tenant, _TENANT),
        "members": [
            {"email": each.user.email, "role": each.role, "since": each.created_at}
            for each in memberships
        ],
        "business_accounts": [
            {**_picked(account, _ACCOUNT), "requirements": _shown(requirements.of_account(account))}
            for account in WhatsAppBusinessAccount.objects.for_tenant(tenant).order_by("pk")
        ],
        "phone_numbers": [
            {
                "waba_id": number.business_account.waba_id,
                **_picked(number, _NUMBER),
                "requirements": _shown(requirements.of_number(number)),
            }
            for number in PhoneNumber.objects.for_tenant(tenant)
            .select_related("business_account")
            .order_by("pk")
        ],
        "signup_links": [
            {
                "id": link.public_id,
                **_picked(link, _LINK),
                "openings": [_picked(each, _OPENING) for each in link.openings.order_by("pk")],
            }
            for link in SignupLink.objects.for_tenant(tenant).order_by("pk")
        ],
        "invitations": [
            _picked(each, _INVITATION)
            for each in Invitation.objects.for_tenant(tenant).order_by("pk")
        ],
        "notices": [
            _notice(notice)
            for notice in Notice.objects.for_tenant(tenant)
            .select_related("number", "onboarding", "user", "address")
            .order_by("pk")
        ],
        "mail_addresses": [
            {"onboarding": address.onboarding.public_id, **_picked(address, _ADDRESS)}
            for address in MailAddress.objects.for_tenant(tenant)
            .select_related("onboarding")
            .order_by("pk")
        ],
        "onboardings": [_onboarding(row) for row in _onboardings(tenant)],
    }


def _shown(found: Iterable[requirements.Requirement]) -> list[dict[str, Any]]:
    """What holds, as customers read it; what is for staff alone is not in it."""
    return [
        {"code": each.code, "standing": each.standing, "since": each.since, "due": each.due}
        for each in found
    ]


def _notice(notice: Notice) -> dict[str, Any]:
    """What was told to the tenant's side has its address; of staff's nobody is named.

    A reason that is for staff alone is not in it.
    """
    is_staffs = notice.audience == Notice.Audience.STAFF
    return {
        **_picked(notice, _NOTICE),
        "reason": reasons.public(notice.reason) or None,
        "to": None if is_staffs else notice.recipient,
        "phone_number_id": notice.number.phone_number_id if notice.number else None,
        "onboarding": notice.onboarding.public_id if notice.onboarding else None,
    }


def _onboardings(tenant: Tenant) -> Iterable[Onboarding]:
    rows = Onboarding.objects.for_tenant(tenant).order_by("pk")
    return rows.select_related("business_account", "number", "started_by", "link")


def _onboarding(row: Onboarding) -> dict[str, Any]:
    """As its tenant reads it: staff-only reasons and names are not in the timeline."""
    return {
        "id": row.public_id,
        **_picked(row, _ONBOARDING),
        "reason": requirements.shown_reason(row) or None,
        "started_by": row.started_by.email if row.started_by else None,
        "signup_link": row.link.public_id if row.link else None,
        "waba_id": row.business_account.waba_id if row.business_account else None,
        "phone_number_id": row.number.phone_number_id if row.number else None,
        "timeline": timeline(row),
    }


def _picked(row: Model, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
