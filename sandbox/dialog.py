"""Meta's full-page dialog: the window's screens in the customer's own tab, and the way back.

Stands in for `https://www.facebook.com/vXX.0/dialog/oauth`. It ends by an address: a code, or an
error, with the state that was brought; no message is ever posted (public reports, Nov 2026).
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox import meta
from sandbox.pages import ASSETS, TYPES
from sandbox.world import World

PATH = "/dialog/oauth"
BROUGHT = (
    "client_id", "redirect_uri", "config_id", "response_type", "override_default_response_type",
    "state", "extras",
)  # fmt: skip
DENIED = {
    "error": "access_denied", "error_code": "200", "error_description": "Permissions error",
    "error_reason": "user_denied",
}  # fmt: skip
REPORTED = {
    "error": "server_error", "error_code": "3441030",
    "error_description": "Your phone number is already registered.",
}  # fmt: skip
FAILED = {
    "error": "server_error", "error_code": "2",
    "error_description": "Something went wrong. Try again later.",
}  # fmt: skip


class BlockedError(Exception):
    """Meta shows an error on its own page and leads nowhere."""


def answer(
    world: World, method: str, sent: dict[str, str], app_origins: Iterable[str]
) -> tuple[int, bytes, str, dict[str, str]]:
    """Status, content, type and headers: the screens (GET), or the way back (POST)."""
    kind = TYPES[".html"]
    try:
        check(sent, app_origins)
    except BlockedError as error:
        return 400, _alone(str(error)), kind, {}
    if method != "POST":
        return 200, page(sent), kind, {}
    back = way_back(world, sent)
    if back is None:
        return 200, _alone("This page has stopped answering."), kind, {}
    return 303, b"", kind, {"Location": back}


def check(brought: dict[str, str], app_origins: Iterable[str]) -> None:
    """Refuse what Meta refuses before any screen. Raises BlockedError."""
    back = urlsplit(brought.get("redirect_uri", ""))
    if f"{back.scheme}://{back.netloc}" not in app_origins or back.query or back.fragment:
        raise BlockedError("URL blocked: this redirect is not in the app's list of redirect URIs.")
    if brought.get("client_id") != meta.APP_ID:
        raise BlockedError("Invalid app ID.")
    if not brought.get("config_id", "").isdigit():
        raise BlockedError("Invalid config_id.")
    asks_code = brought.get("response_type") == "code"
    if not asks_code or brought.get("override_default_response_type") != "true":
        raise BlockedError("This configuration needs response_type=code, and to say so.")
    try:
        json.loads(brought.get("extras") or "{}")
    except ValueError:
        raise BlockedError("The extras are no JSON.") from None


def page(brought: dict[str, str]) -> bytes:
    """The screens. Without JavaScript there is a form alone."""
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(brought.get(name, ""))}">'
        for name in (*BROUGHT, "scenario")
    )
    buttons = "".join(
        f'<button class="main" name="ending" value="{ending}">{text}</button>'
        for ending, text in (("finish", "Finish"), ("cancel", "Cancel"))
    )
    form = (
        f'<form id="leave" method="post" action="{PATH}">{fields}'
        f"<noscript><p>All screens at once.</p>{buttons}</noscript></form>"
    )
    whole = (ASSETS / "dialog.html").read_text()
    return whole.replace("<!-- leave -->", form).encode()


def _alone(text: str) -> bytes:
    """A page of Meta's that leads nowhere."""
    return f"<!doctype html><title>Sandbox</title><h1>{html.escape(text)}</h1>".encode()


def way_back(world: World, sent: dict[str, str]) -> str | None:
    """The address that the customer is led back to; None: the page stops answering."""
    said = _said(world, sent)
    if said is None:
        return None
    state = {"state": sent["state"]} if sent.get("state") else {}
    return f"{sent['redirect_uri']}?{urlencode({**said, **state})}#_=_"


def _said(world: World, sent: dict[str, str]) -> dict[str, str] | None:
    if sent.get("ending") == "cancel":
        return DENIED
    if sent.get("ending") == "report":
        return REPORTED
    in_app = "whatsapp_business_app_onboarding" in sent.get("extras", "")
    mode = meta.APP_MODE if in_app else "business_platform"
    scenario = sent.get("scenario", "")
    params: dict[str, Any] | None = {} if scenario else None
    picked = meta.Picked.of(sent)
    result = meta.finish(world, mode, scenario, params, sent["redirect_uri"], picked)
    if result["code"]:
        return {"code": result["code"]}
    if result["waba_id"]:
        return FAILED  # in the window the SDK says "unknown" here
    told = [json.loads(m) if isinstance(m, str) else m for m in result["messages"]]
    if not told:
        return None
    if told[0]["event"] == "ERROR":
        return FAILED
    return REPORTED if told[0]["data"].get("error_code") else DENIED
