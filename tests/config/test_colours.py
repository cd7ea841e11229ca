"""The design system's colours: the partner's accent, however odd, and our own tokens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from tenants.colours import DARK, LIGHT, accent_on, contrast

HOSTILE = ["#ffff00", "#000000", "#ffffff", "#777777", "#0b6bcb", "#00ff00", "#0000ff", "#ff0000",
           "#191d22", "#f5f6f8", "#767676", "#123456", "#fedcba"]  # fmt: skip
SCHEMES = {"light": LIGHT, "dark": DARK}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("colour", HOSTILE)
def test_any_accent_can_be_read_as_a_link_and_seen_as_a_ring(colour: str, scheme: str) -> None:
    shown = accent_on(colour, SCHEMES[scheme])
    for ground in SCHEMES[scheme]:
        assert contrast(shown.text, ground) >= 4.5, ground
        assert contrast(shown.edge, ground) >= 3, ground
    assert contrast(shown.edge, shown.on_edge) >= 4.5
    assert contrast(shown.fill, shown.on_fill) >= 4.5


def test_an_accent_that_is_seen_well_stays_the_partners_own() -> None:
    assert accent_on("#0b6bcb", LIGHT).edge == "#0b6bcb"
    assert accent_on("#0b6bcb", LIGHT).text == "#0b6bcb"
    assert accent_on("#ffdd00", DARK).text == "#ffdd00"


def test_a_button_in_the_pages_own_colour_is_turned_round() -> None:
    assert accent_on("#ffffff", LIGHT).fill == "#000000"
    assert accent_on("#000000", DARK).fill == "#ffffff"
    assert accent_on("#ffffff", DARK).fill == "#ffffff"
    assert accent_on("#ffff00", LIGHT).fill == "#ffff00"


def test_the_stylesheet_has_the_fill_and_a_pair_for_each_scheme(
    client: Client, settings: Any
) -> None:
    settings.PARTNER_ACCENT = "#ffff00"
    css = client.get("/theme.css").content.decode()
    assert "--brand:#ffff00;--on-brand:#000000" in css
    light, dark = accent_on("#ffff00", LIGHT), accent_on("#ffff00", DARK)
    assert css.count(f"--accent-text:{light.text}") == 1
    assert css.count(f"--accent-text:{dark.text}") == 2  # the system's choice, and the switch


# --- Our own tokens -------------------------------------------------------------------------------

BASE = (Path(configured.BASE_DIR) / "static/base.css").read_text()


def tokens(scheme: str) -> dict[str, str]:
    """The colours of one scheme."""
    start = r":root \{" if scheme == "light" else r':root\[data-theme="dark"\] \{'
    block = re.search(start + r"(.*?)\n\}", BASE, re.DOTALL)
    assert block
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block[1]))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_grounds_are_those_that_the_accent_is_computed_for(scheme: str) -> None:
    told = tokens(scheme)
    names = ("card", "ground", "wait-soft", "done-soft", "act-soft", "stop-soft")
    assert tuple(told[name] for name in names) == SCHEMES[scheme]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_text_can_be_read_on_each_ground(scheme: str) -> None:
    told = tokens(scheme)
    for ground in SCHEMES[scheme]:
        for name in ("text", "quiet"):
            assert contrast(told[name], ground) >= 4.5, (name, ground)
    for name in ("done", "act", "stop"):
        for ground in (told[f"{name}-soft"], told["card"], told["ground"]):
            assert contrast(told[name], ground) >= 4.5, (name, ground)
    assert contrast(told["stop"], told["card"]) >= 4.5  # a button's fill and its text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_edge_of_a_field_is_seen(scheme: str) -> None:
    told = tokens(scheme)
    for ground in ("card", "ground", "wait-soft"):
        assert contrast(told["edge"], told[ground]) >= 3, ground


def test_both_ways_to_the_dark_have_the_same_tokens() -> None:
    system = re.search(r"prefers-color-scheme: dark\) \{ :root[^{]*\{(.*?)\n\}", BASE, re.DOTALL)
    switch = re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', BASE, re.DOTALL)
    assert system
    assert switch
    assert system[1].split() == switch[1].split()


STYLES = [path for path in (Path(configured.BASE_DIR) / "static").glob("*.css")
          if not path.name.startswith(("admin", "api_docs", "setup", "sheet"))]  # fmt: skip


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_our_pages_css_knows_no_left_and_right(path: Path) -> None:
    physical = r"\b(?:margin|padding|border|inset)-(?:left|right)\b|(?:^|[{;]\s*)(?:left|right)\s*:"
    assert not re.findall(physical, path.read_text())


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_our_pages_css_has_no_colours_but_the_tokens(path: Path) -> None:
    if path.name == "base.css":
        return
    found = [c for c in re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[ ;,)])", path.read_text())
             if c.lower() not in ("#fff", "#000")]  # fmt: skip
    assert found == []


def test_the_design_system_stays_small() -> None:
    assert len(BASE.encode()) <= 12_900
