"""One envelope for all errors: `{"error": {code, message, remedy?, who?, fields?, request_id}}`."""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from onboarding.api.refusals import Conflict
from onboarding.services import RefusedError

_MALFORMED = (SuspiciousOperation, BadRequest, MultiPartParserError)
"""Django's words for a request that makes no sense; REST framework knows only its own."""


def _code_of(error: Exception) -> str:
    if isinstance(error, Http404 | exceptions.NotFound):
        return "not_found"
    if isinstance(error, exceptions.ValidationError):
        return "invalid"
    if isinstance(error, exceptions.PermissionDenied) and "CSRF" in str(error.detail):
        return "csrf_failed"
    if isinstance(error, PermissionDenied):
        return "permission_denied"
    return str(getattr(error, "default_code", "error"))


def _remedy(code: str) -> tuple[str, str]:
    remedies = {
        "not_found": (
            _("Check the address and the tenant that you named; it may be somebody else's."),
            "customer",
        ),
        "invalid": (_("Correct the fields named below and send it again."), "customer"),
        "csrf_failed": (_("Reload the page and try again."), "customer"),
        "not_authenticated": (_("Sign in, or open your signup link again."), "customer"),
        "undecided": (_("Open /s/choose/ and choose."), "customer"),
        "link_expired": (_("Ask your partner for a new link."), "customer"),
        "not_now": (_("Reload the page to see where it stands."), "customer"),
        "not_offered": (_("Choose one of the entries offered on the page."), "customer"),
        "throttled": (_("Wait as long as Retry-After says and try again."), "customer"),
        "parse_error": (_("Send JSON as UTF-8."), "customer"),
        "unsupported_media_type": (_("Send JSON: Content-Type: application/json."), "customer"),
        "key_refused": (
            _("Check the header “Authorization: Bearer KEY”, or have a new key made."),
            "partner",
        ),
        "key_in_address": (
            _("Revoke this key: logs hold it now. Send the new one in the header Authorization."),
            "partner",
        ),
        "scope_missing": (_("Have a key made with this scope."), "partner"),
        "idempotency_key_reused": (_("Use a new key for a new request."), "partner"),
        "idempotency_under_way": (_("Send it again after Retry-After seconds."), "partner"),
        "slug_taken": (_("Choose another slug, or leave it out."), "partner"),
        "external_id_taken": (_("Look for the tenant that has it: ?external_id=."), "partner"),
    }
    return remedies.get(code, ("", ""))


def envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None (a fault of ours) becomes Django's 500."""
    if isinstance(error, _MALFORMED):
        error = exceptions.ParseError()
    refused = error if isinstance(error, RefusedError) else None
    response = exception_handler(Conflict(str(refused)) if refused else error, context)
    if response is None:
        return None
    code = refused.code if refused else _code_of(error)
    remedy, who = _remedy(code)
    message = _("The page has to be loaded anew first.") if code == "csrf_failed" else None
    body: dict[str, Any] = {"code": code, "message": message or _message(error, response.data)}
    if remedy:
        body |= {"remedy": remedy, "who": who}
    if isinstance(error, exceptions.ValidationError):
        body["fields"] = _flat(response.data)
    body["request_id"] = getattr(context["request"], "id", "")
    response.data = {"error": body}
    return response


def _flat(told: Any) -> Any:
    """What is wrong by name; of what lies inside another field by both: `prefill.country`."""
    if not isinstance(told, dict):
        return told
    flat: dict[str, Any] = {}
    for name, texts in told.items():
        if not isinstance(texts, dict):
            flat[str(name)] = texts
            continue
        for inner, of_inner in _flat(texts).items():
            is_whole = inner == api_settings.NON_FIELD_ERRORS_KEY
            flat[str(name) if is_whole else f"{name}.{inner}"] = of_inner
    return flat


def _message(error: Exception, data: Any) -> str:
    if isinstance(error, exceptions.ValidationError):
        return _("Some of what was sent cannot be used.")
    if isinstance(error, Http404):
        return _("There is nothing here.")
    detail = data.get("detail") if isinstance(data, dict) else data
    return str(detail or error)
