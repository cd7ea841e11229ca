"""The errors of Meta's window as a customer picks them: a few groups, in plain words, searchable.

The page shows them all and finds one by its number or its words; cause and remedy are the
catalogue's. `codes.WINDOW` says which codes there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from onboarding import codes, reasons

GROUPS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    (
        "number", _("The number"),
        (
            "window_number_in_use", "window_other_partner", "window_other_business",
            "window_page_linked", "window_code_failed",
        ),
    ),
    (
        "app", _("The WhatsApp Business app"),
        (
            "window_qr_invalid", "window_app_update", "window_app_too_new", "window_not_in_app",
            "window_region",
        ),
    ),
    (
        "business", _("The business or the account"),
        (
            "window_business_grey", "window_sharing", "window_limit", "window_verification",
            "window_restricted", "window_marketing_account",
        ),
    ),
    ("login", _("Signing in"), ("window_login", "window_captcha", "window_slow_down")),
    (
        "page", _("A message in place of the steps"),
        (
            "window_page_unknown", "window_return_unknown", "window_login_off", "window_insecure",
            "window_app_not_ready", "window_customers_full", "window_fault",
        ),
    ),
)  # fmt: skip

_WORDS: dict[str, Any] = {
    "window_number_in_use": _("number registered existing WhatsApp account in use delete"),
    "window_other_partner": _("already connected shared partner provider disconnect"),
    "window_code_failed": _("code SMS text message call wrong expired too many attempts"),
    "window_qr_invalid": _("QR code scan camera invalid"),
    "window_app_update": _("update version old"),
    "window_app_too_new": _("not eligible more activity"),
    "window_region": _("country region not supported"),
    "window_business_grey": _("portfolio grey greyed out own business cannot choose"),
    "window_limit": _("limit maximum too many numbers accounts"),
    "window_login": _("two-factor authentication new device password log in"),
    "window_captcha": _("captcha robot"),
    "window_slow_down": _("too many tries rate limit wait"),
    "window_restricted": _("restricted disabled policy"),
    "window_fault": _("something went wrong try again later unknown error"),
    "window_customers_full": _("can't onboard customers at the moment"),
    "window_app_not_ready": _("permission app review"),
}
"""What Meta's window may call it, beside the words of the catalogue: only for finding it."""


@dataclass(frozen=True, slots=True)
class Error:
    """One entry: a reason of the catalogue with the codes that mean it, Meta's numbers first."""

    reason: reasons.Reason
    codes: tuple[str, ...]

    @property
    def code(self) -> str:
        """The code that is told when the customer picks the entry by its words."""
        return self.codes[0]

    @property
    def words(self) -> str:
        """What finds it beside the words that are seen: each code, and then some more words."""
        return " | ".join([*self.codes, str(_WORDS.get(self.reason.code, ""))])

    @property
    def who(self) -> Any:
        """Who must act, in words."""
        return reasons.WHO_LABELS[self.reason.who]


@dataclass(frozen=True, slots=True)
class Group:
    """Errors that belong together, under one heading."""

    key: str
    title: Any
    errors: tuple[Error, ...]


def groups() -> list[Group]:
    """All that Meta's window can show, the likeliest first."""
    return [
        Group(key, title, tuple(Error(reasons.REASONS[each], _codes(each)) for each in members))
        for key, title, members in GROUPS
    ]


def _codes(reason: str) -> tuple[str, ...]:
    return tuple(code for code, means in codes.WINDOW.items() if means == reason)
