"""One envelope for all errors: `{"error": {code, message, remedy?, who?, fields?, request_id}}`."""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from onboarding.services import RefusedError


class Conflict(exceptions.APIException):
    """The request does not fit the state."""

    status_code = status.HTTP_409_CONFLICT


class KeyRefusedError(exceptions.AuthenticationFailed):
    """The same words for a key that is unknown, wrong, revoked or expired."""

    default_code = "key_refused"
    default_detail = gettext_lazy("This API key is not accepted.")


class KeyInAddressError(exceptions.APIException):
    """Addresses are written into logs by everything on their way."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "key_in_address"
    default_detail = gettext_lazy("An API key does not belong into an address.")


class ScopeMissingError(exceptions.PermissionDenied):
    """The key may not do this."""

    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        text = gettext_lazy("This key lacks the scope %(scope)s.")
        super().__init__(text % {"scope": scope})


class TooLargeError(exceptions.APIException):
    """The body is longer than the server reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = gettext_lazy("The body is too large.")


class BadKeyError(exceptions.APIException):
    """The `Idempotency-Key` cannot be one."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "idempotency_key_invalid"
    default_detail = gettext_lazy("An Idempotency-Key has 1 to 255 printable ASCII characters.")


class KeyReusedError(exceptions.APIException):
    """The `Idempotency-Key` belongs to another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = gettext_lazy("This Idempotency-Key was used for another request.")


class UnderWayError(exceptions.APIException):
    """The first request with this `Idempotency-Key` has not been answered yet."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_under_way"
    default_detail = gettext_lazy("The first request with this Idempotency-Key is under way.")
    wait = 1  # becomes Retry-After


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
            _("Check the address; it may belong to somebody else's company."),
            "customer",
        ),
        "invalid": (_("Correct the fields named below and send it again."), "customer"),
        "csrf_failed": (_("Reload the page and try again."), "customer"),
        "not_authenticated": (_("Sign in, or open your signup link again."), "customer"),
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
    body: dict[str, Any] = {"code": code, "message": _message(error, response.data)}
    if remedy:
        body |= {"remedy": remedy, "who": who}
    if isinstance(error, exceptions.ValidationError):
        body["fields"] = response.data
    body["request_id"] = getattr(context["request"], "id", "")
    response.data = {"error": body}
    return response


def _message(error: Exception, data: Any) -> str:
    if isinstance(error, exceptions.ValidationError):
        return _("Some of what was sent cannot be used.")
    if isinstance(error, Http404):
        return _("There is nothing here.")
    detail = data.get("detail") if isinstance(data, dict) else data
    return str(detail or error)
