"""The one table of errors: which reason each code of YCloud's and Meta's becomes.

Who must act is the reason's own `who`. YCloud's codes: docs "handle errors" and developer kit
0.7.9 (read Sep 2026). Meta's: its WhatsApp error codes and Embedded Signup errors pages (read
Feb to Nov 2026); 2388001 from chatwoot #12533. Codes are strings, "" when there is none.
"""

from __future__ import annotations

from onboarding.reasons import REASONS
from ycloud_client import APIError, YCloudError

YCLOUD: dict[str, str] = {
    "UNAUTHORIZED": "ycloud_access_refused",
    "FORBIDDEN": "ycloud_access_refused",
    "ACCOUNT_LIMITED": "ycloud_account_limited",
    "ACCOUNT_UNAVAILABLE": "ycloud_account_limited",
    "BALANCE_INSUFFICIENT": "ycloud_balance_empty",
    "NOT_FOUND": "account_not_visible",
    "WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE": "account_not_visible",
    "WHATSAPP_WABA_UNAVAILABLE": "account_not_visible",
    "WHATSAPP_PHONE_NUMBER_UNAVAILABLE": "number_not_listed",
    "ALREADY_EXISTS": "already_there",
    "TOO_MANY_REQUESTS": "ycloud_rate_limited",
    "ACCOUNT_RATE_LIMITED": "ycloud_rate_limited",
    "SENDER_RATE_LIMITED": "ycloud_rate_limited",
    "INTERNAL_SERVER_ERROR": "ycloud_unavailable",
    "SERVICE_UNAVAILABLE": "ycloud_unavailable",
    # Our request is wrong, or it belongs to a part of YCloud that we never call.
    "BAD_REQUEST": "ycloud_request_refused",
    "PARAM_INVALID": "ycloud_request_refused",
    "PARAM_INVALID_LENGTH": "ycloud_request_refused",
    "PARAM_MISSING": "ycloud_request_refused",
    "PARAM_NOT_MATCH": "ycloud_request_refused",
    "CONTENT_TOO_LARGE": "ycloud_request_refused",
    "MESSAGING_REGION_UNSUPPORTED": "ycloud_request_refused",
    "WHATSAPP_DIRECT_SEND_UNSUPPORTED_COMPONENT": "ycloud_request_refused",
    "CONTENT_PROHIBITED": "ycloud_request_refused",
    "EMAIL_DOMAIN_UNVERIFIED": "ycloud_request_refused",
    "RECIPIENT_IN_BLOCK_LIST": "ycloud_request_refused",
    "RECIPIENT_UNSUBSCRIBED": "ycloud_request_refused",
    "SENDER_ID_UNAVAILABLE": "ycloud_request_refused",
    "SMS_SIGNATURE_UNAVAILABLE": "ycloud_request_refused",
    "WHATSAPP_TEMPLATE_UNAVAILABLE": "ycloud_request_refused",
    "WHATSAPP_TEMPLATE_UNEDITABLE": "ycloud_request_refused",
}

BY_STATUS: dict[int, str] = {
    401: "ycloud_access_refused",
    403: "ycloud_access_refused",
    404: "account_not_visible",
    409: "already_there",
    429: "ycloud_rate_limited",
}
"""For an answer without a code that we know."""

META: dict[str, str] = {
    "133000": "register_later",  # incomplete deregistration
    "133004": "register_later",  # server temporarily unavailable
    "133005": "pin_mismatch",
    "133006": "number_not_verified",
    "133008": "register_later",  # too many PIN guesses
    "133009": "register_later",  # PIN entered too fast
    "133010": "register_refused",  # not registered
    "133015": "register_later",  # deleted a moment ago: wait 5 minutes
    "133016": "register_budget",  # more than 10 in 72 h: blocked for 72 h
    "136024": "already_there",  # verified already
    "2388001": "display_name_review",
    "131056": "ycloud_rate_limited",  # too many messages to one recipient
    "36008": "unproven",  # the code's redirect address differs
    "2593109": "history_declined",
}
"""Meta's refusals of what we ask for, passed on by YCloud or answered by Graph."""

_WINDOW_BY_REASON = {
    "window_app_too_new": "3441045",
    "window_region": "3441042",
    "window_app_update": "4563015",
    "window_not_in_app": "2655095 2655048",
    "window_other_partner": "2655093 2655094 3441049",
    "window_other_business": "3441041",
    "window_page_linked": "2655082",
    "window_number_in_use": "3441030",
    "window_marketing_account": "3441047",
    "window_limit": "2388098 1690114 1752089 2494067",
    "window_code_failed": "2593037 2593039 2494158 2388091 2388093",
    "window_slow_down": "3441033 3441046",
    "window_sharing": "2655049 2494028 2494029 2494119 2494120",
    "window_verification": "2494030 2494143",
    "window_login": "2859009 2859043 4612001 2136001",
    "window_captcha": "2655091",
    "window_restricted": "2655089 3441040 2388107 2859015",
    "window_fault": "2593030 3441003 1675030 2494064",
    "window_app_not_ready": "2655111",
}
_WINDOW_WORDS = {
    "JSSDK Unknown Host domain": "window_page_unknown",
    "JSSDK Option is Not Toggled": "window_page_unknown",
    "URL blocked": "window_return_unknown",
    "Can't load URL": "window_return_unknown",
    "Feature unavailable": "window_login_off",
    "Insecure login blocked": "window_insecure",
    "Business greyed out": "window_business_grey",
    "Can't onboard customers": "window_customers_full",
    "QR code invalid": "window_qr_invalid",
    "Registered to an existing account": "window_number_in_use",
}
"""Faults that Meta shows in its window without a number: its words stand for one."""

WINDOW: dict[str, str] = {
    code: reason for reason, known in _WINDOW_BY_REASON.items() for code in known.split()
} | _WINDOW_WORDS
"""What the customer sees inside Meta's window and may report."""

REMOVED: dict[str, str] = {
    word: f"removed_{word.lower()}"
    for word in (
        "ACCOUNT_DISCONNECTED",
        "BUSINESS_DOWNGRADE",
        "CHANGE_NUMBER",
        "COMPANION_INACTIVITY",
        "PRIMARY_INACTIVITY",
        "USER_RE_REGISTERED",
    )
}
"""YCloud's `removedReason`; the list is open, so other words fall back to a general reason."""


def meta_code(error: APIError) -> str:
    """Meta's code inside the error that says most: one of META, or whatever there is; "" if none.

    A general code (100) often carries the telling one as its subcode.
    """
    meta = error.whatsapp_error
    if meta is None:
        return ""
    known = next((code for code in (meta.subcode, meta.code) if code in META), "")
    return known or meta.code or meta.subcode


def reason_for(error: YCloudError) -> str:
    """The reason that an error becomes: Meta's code before YCloud's, the code before the status."""
    if not isinstance(error, APIError):
        return "ycloud_unavailable"
    return META.get(meta_code(error)) or reason_of(error.code, error.status)


def reason_of(code: str, status: int | None) -> str:
    """The reason of YCloud's own code and status, as they stand in the journal."""
    by_status = "ycloud_unavailable" if (status or 500) >= 500 else BY_STATUS.get(status or 0)
    return YCLOUD.get(code) or by_status or "ycloud_request_refused"


OF_THE_PARTNER = frozenset(
    {
        "ycloud_access_refused",
        "ycloud_account_limited",
        "ycloud_balance_empty",
        "ycloud_rate_limited",
    }
)
"""Nothing is wrong with the customer's account or number: every tenant is held up alike."""


def is_about_the_partner(error: APIError) -> bool:
    """YCloud's account is limited or its balance empty, say: nothing is wrong with this number."""
    return not meta_code(error) and reason_for(error) in OF_THE_PARTNER


def reason_for_register(meta: str) -> str:
    """The reason of a register that Meta refused with this code."""
    return META.get(meta, "register_refused")


def may_have_happened(error: YCloudError) -> bool:
    """Whether an act may have been applied. A refusal of Meta's is definite, at any status."""
    if isinstance(error, APIError) and meta_code(error) in META:
        return False
    return error.may_have_happened


def who_must_act(reason: str) -> str:
    """Who must act on a reason of the catalogue."""
    return REASONS[reason].who
