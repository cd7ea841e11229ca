"""What a fault of ours looks like: the API's envelope for programs, a page for people."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.defaults import server_error as page


def _envelope(request: HttpRequest, status: int, **error: object) -> JsonResponse:
    told = {**error, "request_id": getattr(request, "id", "")}
    return JsonResponse({"error": told}, status=status)


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """413: the body is larger than any honest one. `limit` in bytes."""
    message = ngettext(
        "What was sent is too large: at most %(limit)d byte is taken here.",
        "What was sent is too large: at most %(limit)d bytes are taken here.",
        limit,
    ) % {"limit": limit}
    if not request.path_info.startswith("/api/"):
        return HttpResponse(f"{message}\n", status=413, content_type="text/plain; charset=utf-8")
    return _envelope(request, 413, code="too_large", message=message)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: something that this needs does not answer at the moment."""
    message = _("This is not possible for the moment. Nothing was lost; try again in a minute.")
    if request.path_info.startswith("/api/"):
        response: HttpResponse = _envelope(request, 503, code="unavailable", message=message)
    else:
        response = render(request, "503.html", status=503)
    response["Retry-After"] = "30"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Nothing about the fault itself is told; the log has it."""
    if not request.path_info.startswith("/api/"):
        return page(request)
    return _envelope(
        request,
        500,
        code="internal",
        message=_("Something went wrong on our side. What you handed over before is kept."),
        remedy=_("Try again in a minute; then tell your partner the request id."),
        who="partner",
    )
