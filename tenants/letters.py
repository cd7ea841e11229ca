"""Letters: text and HTML of one kind, in one language, on the partner's paper.

Each kind has two templates, `mail/KIND.txt` and `mail/KIND.html`; both extend `mail/base`. What
people have named themselves comes in as one line without control characters, so that a name makes
no header, no second line and, escaped by the template, no HTML.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from tenants import colours, languages

LONGEST = 120
"""Of a name in a letter or its subject."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text after them: a name could disguise what follows it."""


def one_line(text: object, longest: int = LONGEST) -> str:
    """The text without line breaks, control characters and turning marks, cut if it is long."""
    clean = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in str(text)
        if c not in _TURNING
    )
    line = " ".join(clean.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def letter(
    kind: str,
    subject: str,
    words: Mapping[str, Any],
    *,
    language: str = "",
    to: Sequence[str] = (),
    bcc: Sequence[str] = (),
    message: uuid.UUID | None = None,
    stop_url: str = "",
    server: Any = None,
) -> EmailMultiAlternatives:
    """The letter, ready to be sent.

    `subject` may hold a lazy translation; it is read in the letter's language like the templates.
    `message`: what its Message-ID is made of. `stop_url`: where one click ends letters like it
    (RFC 8058); also shown at its foot.
    """
    with translation.override(language or settings.LANGUAGE_CODE):
        told = {**_paper(), "subject": one_line(subject, 200), "stop_url": stop_url, **words}
        text = render_to_string(f"mail/{kind}.txt", told)
        html = render_to_string(f"mail/{kind}.html", told)
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    headers["Message-ID"] = f"<{(message or uuid.uuid4()).hex}@{_host()}>"
    if stop_url:
        headers["List-Unsubscribe"] = f"<{stop_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made = EmailMultiAlternatives(
        told["subject"],
        _tidy(text),
        settings.DEFAULT_FROM_EMAIL,
        list(to),
        bcc=list(bcc),
        headers=headers,
        reply_to=[settings.MAIL_REPLY_TO] if settings.MAIL_REPLY_TO else None,
        connection=server,
    )
    made.attach_alternative(html, "text/html")
    return made


def _paper() -> dict[str, Any]:
    """What every letter knows: whose it is."""
    accent = colours.accent()
    turned = translation.get_language_bidi()
    logo = settings.PARTNER_LOGO
    return {
        "partner": one_line(settings.PARTNER_NAME),
        "logo": f"{settings.SITE_URL}{logo}" if logo.startswith("/") else logo,
        "accent": accent,
        "on_accent": colours.readable_on(accent),
        "language_tag": languages.tag(translation.get_language() or settings.LANGUAGE_CODE),
        # For the text alone, which has no <bdi>: around numbers and references.
        "ltr": "\u2066" if turned else "",
        "pop": "\u2069" if turned else "",
    }


def _host() -> str:
    """The host of our own address, for Message-IDs."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _tidy(text: str) -> str:
    """At most one blank line in a row, none at the ends: templates leave more."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for before, line in zip(["x", *lines], lines, strict=False) if line or before]
    return "\n".join(kept) + "\n"
