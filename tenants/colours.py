"""The partner's accent colour, what is readable on it, and its shades for our pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

DEFAULT = "#0b6bcb"

LIGHT = ("#ffffff", "#f5f6f8", "#eef3f9", "#e6f4ec", "#fdf3df", "#fdecea")
DARK = ("#191d22", "#0f1215", "#1d2731", "#14301f", "#33270f", "#3a1917")
"""The grounds of the pages in static/base.css: card, page and notes."""

TEXT, EDGE = 4.5, 3.0
"""What WCAG 2.2 asks of text (1.4.3), and of borders, icons and focus rings (1.4.11)."""


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


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent in one scheme. `edge` (borders, rings, icons) and `text` (links) are the partner's
    colour itself where it can be seen there, else its nearest shade that can. `fill` (buttons) is
    the colour, unless nobody could tell it from the page: a white one on white becomes black.
    """

    fill: str
    on_fill: str
    edge: str
    on_edge: str
    text: str


def accent_on(colour: str, grounds: Sequence[str]) -> Accent:
    """The accent for pages with these grounds."""
    lost = min(_distance(colour, ground) for ground in grounds[:2]) < DISTINCT
    fill = readable_on(grounds[0]) if lost else colour
    edge = shade(colour, grounds, EDGE)
    return Accent(fill, readable_on(fill), edge, readable_on(edge), shade(colour, grounds, TEXT))


DISTINCT = 48
"""Of 255, in the channel that differs most."""


def _distance(one: str, other: str) -> int:
    """How far two colours are apart, hue included, which contrast does not know."""
    return max(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in (1, 3, 5))


def shade(colour: str, grounds: Sequence[str], ratio: float) -> str:
    """The colour, moved as little as needed towards black or white to stand out from each ground.

    Towards whichever end can be reached: all grounds of a scheme are light, or all are dark.
    """
    end = readable_on(grounds[0])
    for step in range(STEPS + 1):
        moved = _mix(colour, end, step / STEPS)
        if all(contrast(moved, ground) >= ratio for ground in grounds):
            return moved
    return end


STEPS = 40


def _mix(one: str, other: str, share: float) -> str:
    """#rrggbb between two, `share` of the way from one to the other."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
