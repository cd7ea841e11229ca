"""The site, with addresses at which it breaks: the error pages come the way that they really do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import path
from redis import RedisError

from config.urls import handler500 as handler500
from config.urls import urlpatterns as urls_of_the_site

FAULTS: dict[int, Exception] = {
    400: SuspiciousOperation("made for a test"),
    403: PermissionDenied("made for a test"),
    500: RuntimeError("made for a test"),
    503: RedisError("made for a test"),
}


def fails(_: HttpRequest, status: int) -> HttpResponse:
    raise FAULTS[status]


def form_without_token(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        '<!doctype html><html lang="en"><title>A form</title><main><h1>A form</h1>'
        '<form method="post"><button>Send</button></form></main></html>'
    )


urlpatterns = [
    path("broken/<int:status>/", fails),
    path("broken/form/", form_without_token),
    *urls_of_the_site,
]
