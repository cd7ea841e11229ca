"""Letters about a login (django-allauth's), on the same paper as all others.

allauth renders a subject and a text; the HTML is made of that text: an address that the letter is
about becomes a button, a code stands large, everything else is a paragraph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.letters import letter, one_line

BUTTONS: dict[str, Promise] = {
    "password_reset_url": _("Choose a new password"),
    "signup_url": _("Create an account"),
}
"""What is known of a letter that is an address to go to, and what its button says."""


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph. `kind`: text, code, or link with the `label` of its button."""

    kind: str
    text: str
    label: str | Promise = ""


def letter_of(prefix: str, email: str, context: Mapping[str, Any]) -> EmailMultiAlternatives:
    """The letter of allauth's templates `prefix`_subject.txt and `prefix`_message.txt."""
    language = _language(context)
    partner = {"name": one_line(settings.PARTNER_NAME)}
    told = {**context, "partner": partner, "signup_open": settings.TENANT_SELF_SIGNUP}
    with translation.override(language):
        subject = render_to_string(f"{prefix}_subject.txt", told)
        body = render_to_string(f"{prefix}_message.txt", told).strip()
    words = {"body": body, "parts": _parts(body, context)}
    return letter("login", subject, words, language=language, to=[email])


def _language(context: Mapping[str, Any]) -> str:
    """The person's own where it is known, else that of the page that they are at."""
    own = getattr(context.get("user"), "language", "")
    return str(own or translation.get_language() or settings.LANGUAGE_CODE)


def _parts(body: str, context: Mapping[str, Any]) -> list[Part]:
    labels = {context[name]: label for name, label in BUTTONS.items() if context.get(name)}
    found = []
    for text in filter(None, map(str.strip, body.split("\n\n"))):
        if text in labels:
            found.append(Part("link", text, labels[text]))
        else:
            found.append(Part("code" if text == context.get("code") else "text", text))
    return found
