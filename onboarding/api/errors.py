"""One envelope for all errors: `{"error": {code, message, remedy?, who?, fields?, request_id}}`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from onboarding.services import RefusedError


class Conflict(exceptions.APIException):
    """The request does not fit the state."""

    status_code = status.HTTP_409_CONFLICT


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
        "undecided": (_("Open /s/choose/ and choose."), "customer"),
        "link_expired": (_("Ask your partner for a new link."), "customer"),
        "not_now": (_("Reload the page to see where it stands."), "customer"),
        "not_offered": (_("Choose one of the entries offered on the page."), "customer"),
        "throttled": (_("Wait a moment and try again."), "customer"),
    }
    return remedies.get(code, ("", ""))


def envelope(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None (a fault of ours) becomes Django's 500."""
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
