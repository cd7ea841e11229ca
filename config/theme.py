"""The partner's accent as a stylesheet: its fill, and its shades for light and dark pages."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tenants.colours import DARK, LIGHT, Accent, accent, accent_on, contrast, readable_on

__all__ = ["contrast", "readable_on", "theme_css"]


@require_safe
@cache_control(public=True, max_age=300)
def theme_css(request: HttpRequest) -> HttpResponse:
    """The tokens that static/base.css leaves to the partner (docs/design-system.md).

    An unusable PARTNER_ACCENT falls back to the default.
    """
    colour = accent()
    light, dark = (_tokens(accent_on(colour, grounds)) for grounds in (LIGHT, DARK))
    body = (
        f":root{{{light}}}\n"
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}\n'
        f':root[data-theme="dark"]{{{dark}}}\n'
    )
    return HttpResponse(body, content_type="text/css; charset=utf-8")


def _tokens(shades: Accent) -> str:
    fill = f"--brand:{shades.fill};--on-brand:{shades.on_fill}"
    return f"{fill};--accent:{shades.edge};--on-accent:{shades.on_edge};--accent-text:{shades.text}"
