"""A time in a sentence: the exact one in the markup, told as the page's script likes it."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SHAPES = {
    "relative": "SHORT_DATETIME_FORMAT",
    "due": "SHORT_DATETIME_FORMAT",
    "clock": "TIME_FORMAT",
    "exact": "DATETIME_FORMAT",
    "moment": "SHORT_DATETIME_FORMAT",
    "day": "SHORT_DATE_FORMAT",
}
ZONED = ("exact",)
"""The short formats of moments name the zone themselves (config/formats)."""


@register.simple_tag
def moment(at: datetime | None, shape: str = "relative") -> SafeString | str:
    """`relative` ("5 minutes ago"), `due` (the same, but never past), `clock` ("10:42"), `day`,
    `moment` (day and hour) or `exact`.

    Without the script the server's own words. The exact time with its zone is the title of each.
    """
    if at is None:
        return ""
    local = timezone.localtime(at)
    zone = local.tzname() or ""
    text = date_format(local, SHAPES[shape])
    return format_html(
        '<time datetime="{}" title="{} {}" data-{}="">{}{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        zone,
        shape,
        text,
        f" {zone}" if shape in ZONED else "",
    )
