"""What a fault of ours looks like: the API's envelope for programs, a page for people."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.defaults import server_error as page


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Nothing about the fault itself is told; the log has it."""
    if not request.path.startswith("/api/"):
        return page(request)
    error = {
        "code": "internal",
        "message": _("Something went wrong on our side. What you handed over before is kept."),
        "remedy": _("Try again in a minute; then tell your partner the request id."),
        "who": "partner",
        "request_id": getattr(request, "id", ""),
    }
    return JsonResponse({"error": error}, status=500)
