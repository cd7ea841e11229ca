"""The sandbox's own pages and their parts, as files beside this module."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
PAGES = {"/": "panel.html", "/dialog": "dialog.html", "/sdk.js": "sdk.js"}


def asset(path: str) -> tuple[bytes, str, dict[str, str]] | None:
    """Content, type and headers of a page or of a part of one; None: there is nothing here."""
    name = PAGES.get(path) or path.removeprefix("/assets/")
    file = ASSETS / name
    if "/" in name or not file.is_file():
        return None
    # Like Meta's own: pages load it with crossorigin="anonymous".
    shared = {"Access-Control-Allow-Origin": "*"} if name == "sdk.js" else {}
    return file.read_bytes(), TYPES[file.suffix], shared
