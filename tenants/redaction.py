"""Secrets out of any text that is kept or shown to operators: logs, error reports, the journal.

Two nets: the values of our own secret settings, wherever they stand, and the shapes of secrets that
pass through (keys, codes, tokens, passwords, addresses with a token in them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, Iterable, Mapping
from functools import cache
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

HIDDEN = "[hidden]"
SHORTEST = 8
"""A shorter value of a setting is not looked for: it would hide ordinary words."""

SECRET_PREFIXES = (
    "/s/", "/invitation/", "/connect/return/", "/accounts/password/reset/key/",
    "/accounts/confirm-email/", "/mail/confirm/", "/mail/stop/",
)  # fmt: skip
"""Addresses whose tail is a secret. The proxy's log has the same list (deploy/Caddyfile)."""

_SECRET_NAME = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD)S?(_|$)")
_NAMES = (
    "authorization|proxy-authorization|x-api-key|cookie|set-cookie|ycloud-signature|"
    "webhook-signature|x-csrftoken|csrfmiddlewaretoken|csrftoken|sessionid|signup_guest|"
    "access_token|input_token|client_secret|app_secret|api_key|apikey|password\\d?|"
    "oldpassword|secret|token"
)
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # An address whose tail is a secret: /s/<token>/ and its like.
    (
        ("/",),
        re.compile(rf"({'|'.join(SECRET_PREFIXES)})(?!leave/|choose/)[^\s\"'/?]{{12,}}"),
        rf"\1{HIDDEN}",
    ),
    # `name: value`, `name=value`, `"name": "value"`, in logs, queries, forms and JSON.
    (
        (":", "="),
        re.compile(
            rf"(?i)([\"']?\b(?:{_NAMES})[\"']?\s*[:=]\s*[\"']?)"
            r"((?:bearer|basic|token)\s+)?(?!\[hidden\])[^\s\"'&,;}\]]{4,}"
        ),
        rf"\1{HIDDEN}",
    ),
    (("bearer",), re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{8,}"), f"Bearer {HIDDEN}"),
    # A code of Meta's window: long, unlike an error's code.
    (
        ("code",),
        re.compile(r"(?i)([\"']?\bcode[\"']?\s*[:=]\s*[\"']?)[A-Za-z0-9_#-]{20,}"),
        rf"\1{HIDDEN}",
    ),
    (("aq",), re.compile(r"\bAQ[A-Za-z0-9_-]{30,}"), HIDDEN),
    (("eaa",), re.compile(r"\bEAA[A-Za-z0-9]{20,}"), HIDDEN),  # an access token of Meta's
    (("dlg_",), re.compile(r"\bdlg_[A-Za-z0-9_-]{16,}"), HIDDEN),  # the `state` of Meta's dialog
    (("whsec_",), re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{8,}"), HIDDEN),
    # A key to our API.
    (("onb_",), re.compile(r"\bonb_[A-Za-z0-9]{4,}[._-][A-Za-z0-9_-]{16,}"), HIDDEN),
    # A password in an address.
    (("://",), re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), rf"\1{HIDDEN}@"),
)
"""What must be in the text (lower case) for the shape to be looked for at all, the shape, what is
put there instead. Log lines are many, and most of their texts can hold none of these.
"""

_BY_NAME = re.compile(rf"(?i)^({_NAMES}|code)$")
_PEOPLE = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[mail]"),
    (re.compile(r"(?<![\w-])\+\d[\d ()-]{6,18}\d"), "[number]"),
)


def redact(text: str) -> str:
    """The text without secrets."""
    for value in _values():
        text = text.replace(value, HIDDEN)
    lower = text.lower()
    for needles, shape, instead in _SHAPES:
        if any(needle in lower for needle in needles):
            text = shape.sub(instead, text)
    return text


def redact_all(value: Any, of: Callable[[str], str] = redact) -> Any:
    """Every text in a structure without secrets; what is named like a secret is one, whole.

    `of` cleans a text. What is neither text, number, list nor mapping becomes its cleaned repr.
    """
    if isinstance(value, str):
        return of(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(k): HIDDEN if _is_kept_back(k, v) else redact_all(v, of)
                for k, v in value.items()}  # fmt: skip
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_all(each, of) for each in value]
    return of(repr(value))


def _is_kept_back(name: object, value: object) -> bool:
    """A `code` is Meta's only when it is long; short ones are codes of errors."""
    if not value or not _BY_NAME.match(str(name)):
        return False
    return str(name).lower() != "code" or len(str(value)) >= 20


def redact_people(text: str) -> str:
    """The text without secrets, mail addresses and phone numbers: for what leaves the house."""
    text = redact(text)
    for shape, instead in _PEOPLE:
        text = shape.sub(instead, text)
    return text


@cache
def _values() -> tuple[str, ...]:
    """The secrets that the settings hold, longest first; none while there are no settings."""
    try:
        settings.SECRET_KEY  # noqa: B018 - loads them
    except ImproperlyConfigured:
        return ()
    found = set(_flat(getattr(settings, name) for name in dir(settings) if _is_secret(name)))
    for address in (settings.REDIS_URL, getattr(settings, "EMAIL_URL", "")):
        found.add(unquote(urlsplit(address).password or ""))
    found |= {database.get("PASSWORD") or "" for database in settings.DATABASES.values()}
    return tuple(sorted((v for v in found if len(v) >= SHORTEST), key=len, reverse=True))


def _is_secret(name: str) -> bool:
    return name.isupper() and bool(_SECRET_NAME.search(name))


def _flat(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from _flat(value)


@receiver(setting_changed)
def _forget_values(**_: Any) -> None:
    _values.cache_clear()


class ReportFilter(SafeExceptionReporterFilter):
    """Error reports (Django's, by mail): no posted value, no local variable, no secret setting."""

    hidden_settings = re.compile("API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|_URL", re.I)

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST if request else (), self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        return redact(cleansed) if isinstance(cleansed, str) else cleansed
