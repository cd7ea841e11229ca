"""The partner's accent colour, and the text colour that is readable on it."""

import re

from django.conf import settings

DEFAULT = "#0b6bcb"


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of #rrggbb."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two #rrggbb colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """Black or white, whichever can be read better on the colour."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, colour))


def accent() -> str:
    """PARTNER_ACCENT; an unusable one falls back to the default."""
    colour = settings.PARTNER_ACCENT
    return colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else DEFAULT
