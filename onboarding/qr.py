"""An address as a QR code, drawn by the page itself: nobody else learns the address."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode

QUIET = 4
"""Modules of white around it; scanners want them (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template puts into an SVG: its side in modules, and the path of the dark ones."""

    side: int
    path: str


def picture(address: str) -> Picture:
    """The QR code of an address. The whole of it is lines, one for each run of dark modules."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_L, border=QUIET)
    code.add_data(address)
    rows = code.get_matrix()
    runs = [
        f"M{x} {y}h{width}v1h-{width}z"
        for y, row in enumerate(rows)
        for x, width in _runs(row)
    ]  # fmt: skip
    return Picture(len(rows), "".join(runs))


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Where dark modules begin, and how many stand side by side."""
    found: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and found and sum(found[-1]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((x, 1))
    return found
