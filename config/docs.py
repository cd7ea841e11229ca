"""The API's documentation page, from self-hosted assets under the strict policy."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI over /api/schema/."""
    return render(request, "api_docs.html")
