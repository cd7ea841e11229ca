"""One table of errors: closed over what YCloud and Meta document, each with somebody to act."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onboarding import codes
from onboarding.reasons import REASONS, WHO_LABELS
from ycloud_client import (
    APIError,
    InvalidRequestError,
    NoResponseError,
    RateLimitError,
    ServerError,
    UnreadableResponseError,
    WhatsappError,
)

YCLOUD = """BAD_REQUEST PARAM_INVALID PARAM_INVALID_LENGTH PARAM_MISSING PARAM_NOT_MATCH
MESSAGING_REGION_UNSUPPORTED WHATSAPP_DIRECT_SEND_UNSUPPORTED_COMPONENT UNAUTHORIZED FORBIDDEN
ACCOUNT_LIMITED ACCOUNT_UNAVAILABLE BALANCE_INSUFFICIENT CONTENT_PROHIBITED
EMAIL_DOMAIN_UNVERIFIED RECIPIENT_IN_BLOCK_LIST RECIPIENT_UNSUBSCRIBED SENDER_ID_UNAVAILABLE
SMS_SIGNATURE_UNAVAILABLE WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE WHATSAPP_WABA_UNAVAILABLE
WHATSAPP_PHONE_NUMBER_UNAVAILABLE WHATSAPP_TEMPLATE_UNAVAILABLE WHATSAPP_TEMPLATE_UNEDITABLE
NOT_FOUND ALREADY_EXISTS CONTENT_TOO_LARGE TOO_MANY_REQUESTS ACCOUNT_RATE_LIMITED
SENDER_RATE_LIMITED INTERNAL_SERVER_ERROR SERVICE_UNAVAILABLE"""
FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "meta-embedded-signup.md"


def test_the_table_is_closed_over_ycloud_s_catalogue() -> None:
    assert set(codes.YCLOUD) == set(YCLOUD.split())


@pytest.mark.parametrize(
    "reason",
    sorted(
        {*codes.YCLOUD.values(), *codes.BY_STATUS.values(), *codes.META.values(),
         *codes.WINDOW.values(), *codes.REMOVED.values()}
    ),
)  # fmt: skip
def test_each_code_becomes_a_reason_that_somebody_acts_on(reason: str) -> None:
    assert codes.who_must_act(reason) in WHO_LABELS
    assert REASONS[reason].what


@pytest.mark.skipif(not FACTS.exists(), reason="the shared facts are not beside this clone")
def test_every_code_of_metas_in_the_facts_is_in_the_table() -> None:
    text = FACTS.read_text()
    window = text[text.index("### 1.5") : text.index("### 1.6")]
    register = text[text.index("### 3.3") : text.index("### 3.4")]
    shown = set(re.findall(r"\b\d{7}\b", window))
    assert len(shown) > 35
    assert shown <= set(codes.WINDOW)
    refused = set(re.findall(r"\b13\d{4}\b|2388001", register))
    assert len(refused) > 8
    assert refused <= set(codes.META)


def refusal(status: int, code: str = "", meta: str = "", subcode: str = "") -> APIError:
    kind = {429: RateLimitError}.get(status, ServerError if status >= 500 else InvalidRequestError)
    inner = WhatsappError(code=meta, subcode=subcode) if meta or subcode else None
    return kind(status=status, code=code, whatsapp_error=inner)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal(400, "BAD_REQUEST", "133005"), "pin_mismatch"),
        (refusal(400, "BAD_REQUEST", "100", "2388001"), "display_name_review"),
        (refusal(429, "TOO_MANY_REQUESTS", "133016"), "register_budget"),
        (refusal(500, "INTERNAL_SERVER_ERROR", "133015"), "register_later"),
        (refusal(403, "BALANCE_INSUFFICIENT"), "ycloud_balance_empty"),
        (refusal(429, "NEW"), "ycloud_rate_limited"),
        (refusal(502, "NEW"), "ycloud_unavailable"),
        (refusal(418, "NEW"), "ycloud_request_refused"),
        (NoResponseError("", may_have_happened=True), "ycloud_unavailable"),
        (UnreadableResponseError(""), "ycloud_unavailable"),
    ],
)
def test_metas_code_counts_before_ycloud_s_and_the_code_before_the_status(
    error: APIError, reason: str
) -> None:
    assert codes.reason_for(error) == reason


@pytest.mark.parametrize(
    ("error", "may"),
    [
        (refusal(500), True),
        (refusal(500, meta="133016"), False),
        (refusal(500, meta="999999"), True),
        (refusal(400), False),
        (NoResponseError("", may_have_happened=True), True),
        (NoResponseError("", may_have_happened=False), False),
        (UnreadableResponseError(""), True),
    ],
)
def test_a_refusal_of_metas_is_definite_at_any_status(error: APIError, may: bool) -> None:
    assert codes.may_have_happened(error) is may
