"""The catalogues of translations: gathered from the source, compiled, checked.

    python -m devstack.translations extract|compile|check

English is written in the source and needs no catalogue. Needs Babel and no settings, so that it
works before anything is set up.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "locale"

PLURALS = {
    "zh_Hans": (1, "0"),
    "es": (2, "(n != 1)"),
    "pt_BR": (2, "(n > 1)"),
    "id": (1, "0"),
    "ar": (
        6,
        "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 "
        ": 5)",
    ),
}
"""Language -> how many plural forms it has, and which one `n` takes.

CLDR gives es and pt_BR a third for whole millions, which nothing here counts.
"""


def po_file(language: str) -> Path:
    """Where a language is translated."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"
