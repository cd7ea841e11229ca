"""The partner's accent colour as a stylesheet, with the text colour that is readable on it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tenants.colours import accent, contrast, readable_on

__all__ = ["contrast", "readable_on", "theme_css"]


@require_safe
@cache_control(public=True, max_age=300)
def theme_css(request: HttpRequest) -> HttpResponse:
    """`--accent` and `--on-accent`; an unusable PARTNER_ACCENT falls back to the default."""
    colour = accent()
    body = f":root{{--accent:{colour};--on-accent:{readable_on(colour)}}}\n"
    return HttpResponse(body, content_type="text/css; charset=utf-8")
