"""Examples for the API's documentation: one customer, from its tenant to its number."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
AT = "2026-11-24T10:00:00Z"

TENANT: dict[str, Any] = {
    "slug": "cakes",
    "name": "John's Cake Shop",
    "external_id": "crm-4711",
    "approval": None,
    "unproven": None,
    "language": "en",
    "prefill": {
        "enabled": True,
        "name": "John's Cake Shop Ltd",
        "email": "john@cakes.example",
        "website": "https://cakes.example",
        "country": "ES",
        "street_1": None,
        "street_2": None,
        "city": "Valencia",
        "state": None,
        "postal_code": None,
        "phone_code": "34",
        "phone_number": "612345678",
        "timezone": "UTC+01:00",
        "display_name": "John's Cakes",
        "category": "RESTAURANT",
        "description": None,
    },
    "ycloud_account": None,
    "created_at": AT,
}
LINK: dict[str, Any] = {
    "id": ID,
    "tenant": "cakes",
    "state": "open",
    "connection_mode": "business_app",
    "expected_number": "+4915112345678",
    "language": "en",
    "email": "john@cakes.example",
    "mail": "waiting",
    "created_at": AT,
    "expires_at": "2026-12-01T10:00:00Z",
    "revoked_at": None,
    "opened_at": None,
    "times_opened": 0,
}
REVOKED_LINK = {**LINK, "state": "revoked", "revoked_at": AT}
MADE_LINK = {
    **LINK,
    "url": "https://signup.example.com/s/THE-TOKEN-IS-SHOWN-ONCE/",
    "ended": [
        {
            **REVOKED_LINK,
            "mail": "mailed",
            "opened_at": AT,
            "times_opened": 2,
            "under_way": 1,
        }
    ],
}
ONBOARDING: dict[str, Any] = {
    "id": ID,
    "tenant": "cakes",
    "connection_mode": "business_platform",
    "state": "awaiting_payment",
    "reason": "payment_missing",
    "waba_id": "102290129340398",
    "account_name": "John's Cake Shop",
    "phone_number_id": "106540352242922",
    "phone_number": "+4915112345678",
    "number_status": "PENDING",
    "quality": None,
    "messaging_limit": None,
    "proven": True,
    "requirements": [
        {
            "code": "payment_missing",
            "standing": "due",
            "what": "A payment method is missing.",
            "why": "WhatsApp sends nothing without one.",
            "remedy": ["Your partner attaches it."],
            "who": "partner",
            "since": AT,
            "due": "2026-11-24T10:05:00Z",
            "due_kind": "look",
        }
    ],
    "choices": [],
    "created_at": AT,
    "launched_at": AT,
    "updated_at": AT,
    "connected_at": None,
    "next_look_at": "2026-11-24T10:05:00Z",
}
CHOOSING: dict[str, Any] = {
    **ONBOARDING,
    **dict.fromkeys(("waba_id", "account_name", "phone_number_id", "phone_number")),
    **dict.fromkeys(("number_status", "proven")),
    "state": "awaiting_account",
    "reason": "account_choice",
    "requirements": [],
    "choices": [
        {"waba_id": "102290129340398", "account_name": "John's Cake Shop"},
        {"waba_id": "102290129347781", "account_name": None},
    ],
}
LAUNCHED: dict[str, Any] = {
    **ONBOARDING,
    **dict.fromkeys(
        ("reason", "waba_id", "account_name", "phone_number_id", "phone_number", "number_status")
    ),
    **dict.fromkeys(("proven", "launched_at", "next_look_at")),
    "state": "started",
    "requirements": [],
    "launch": {
        "launch_id": ID,
        "app_id": "100000000000001",
        "sdk_url": "https://connect.facebook.net/en_US/sdk.js",
        "sdk_version": "v22.0",
        "config_id": "200000000000001",
        "extras": {"setup": {"solutionID": "300000000000001"}, "version": "v4"},
    },
}
ACCOUNT: dict[str, Any] = {
    "waba_id": "102290129340398",
    "tenant": "cakes",
    "name": "John's Cake Shop",
    "account_review_status": "APPROVED",
    "payment_method_attached": True,
    "business_verification_status": "verified",
    "ban_state": "",
    "restrictions": [
        {
            "restrictionType": "RESTRICTED_BIZ_INITIATED_MESSAGING",
            "expiration": "2026-12-01T12:00:00Z",
        }
    ],
    "currency": "EUR",
    "country": "DE",
    "messaging_limit": "TIER_1K",
    "requirements": [
        {
            "code": "account_restricted_starting",
            "standing": "wrong",
            "what": "Meta does not let your WhatsApp account start conversations now.",
            "why": "You can still answer people who write to you.",
            "remedy": ["Open WhatsApp Manager and look under Account quality."],
            "who": "customer",
            "since": AT,
            "due": "2026-12-01T12:00:00Z",
            "due_kind": "ends",
        }
    ],
    "created_at": AT,
    "read_at": AT,
}
NUMBER: dict[str, Any] = {
    "phone_number_id": "106540352242922",
    "tenant": "cakes",
    "waba_id": "102290129340398",
    "e164": "+4915112345678",
    "verified_name": "John's Cake Shop",
    "status": "CONNECTED",
    "code_verification_status": "VERIFIED",
    "name_status": "PENDING_REVIEW",
    "quality": "GREEN",
    "messaging_limit": "TIER_1K",
    "is_on_biz_app": False,
    "healthy": True,
    "health": None,
    "health_since": None,
    "requirements": [
        {
            "code": "name_review",
            "standing": "pending",
            "what": "Meta is checking the display name of your number.",
            "why": "It usually takes up to two days.",
            "remedy": ["You need not do anything."],
            "who": "meta",
            "since": AT,
            "due": "2026-12-01T10:00:00Z",
            "due_kind": "look",
        }
    ],
    "created_at": AT,
    "connected_at": AT,
    "read_at": AT,
}
NOTIFIED: dict[str, Any] = {"email": "john@cakes.example", "state": "asked"}
TIMELINE: dict[str, Any] = {
    "next": None,
    "previous": None,
    "results": [
        {
            "at": AT,
            "kind": "state",
            "text": "Started",
            "detail": "",
            "state": "started",
            "reason": None,
            "actor": "customer",
        }
    ],
}


def answer(value: dict[str, Any], name: str = "answer") -> OpenApiExample:
    """An example of what is answered when all is well."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200"])
