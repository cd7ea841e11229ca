"""The guest that a signup link lets in: a cookie of its own, checked against the link each time.

It is no login, never becomes one and never joins one. Who holds the cookie and is signed in too
is asked whom to act as (`/s/choose/`); until then they are neither. The choice of the link is kept
in the cookie with a mark of the very session it was made in, so that another login asks again.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare, salted_hmac

from onboarding.models import SignupLink
from tenants import access, languages
from tenants.access import Asker

COOKIE = "signup_guest"
LIFE_SECONDS = 30 * 86_400
"""A guest who came in while the link was open may watch for so long, also after it expired: a
name review takes a week. Beginning another attempt needs a link that has not expired
(`services.start`), and revoking ends all of it at once."""

_SALT = "onboarding.guest"

HANDOVER = "h."
"""How the token of a hand-over begins, which lets another browser in as guest of the same link."""
HANDOVER_SECONDS = 15 * 60
_HANDOVERS = signing.TimestampSigner(salt="onboarding.handover")

LETTER = "l."
"""How that of a letter to a guest begins: it has no end but the link's."""
_LETTERS = signing.Signer(salt="onboarding.letter")


class HandoverEndedError(Exception):
    """It was one of ours, and its quarter of an hour is over."""


class UndecidedError(Exception):
    """Signed in and holding a link: nobody has said yet whom to act as."""


def let_in(response: HttpResponseBase, link: SignupLink, chosen_in: str = "") -> None:
    """Give the guest cookie for this link; it replaces that of another link.

    `chosen_in`: the mark of the session whose person chose to act with the link instead.
    """
    response.set_cookie(
        COOKIE,
        signing.dumps([link.public_id.hex, chosen_in], salt=_SALT),
        max_age=LIFE_SECONDS,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )


def speak(response: HttpResponseBase, language: str) -> None:
    """The pages speak the link's language to the guest, who may choose another."""
    response.set_cookie(
        languages.LINK_COOKIE, language, max_age=LIFE_SECONDS,
        httponly=True, secure=settings.HTTPS, samesite="Lax",
    )  # fmt: skip


def let_out(response: HttpResponseBase) -> None:
    """Take the cookies back."""
    response.delete_cookie(COOKIE, samesite="Lax")
    response.delete_cookie(languages.LINK_COOKIE, samesite="Lax")


def handover_of(link: SignupLink, onboarding: UUID | None = None) -> str:
    """A token that opens `/s/<token>/` for another browser, for a while and as long as the link.

    Sealed, not kept: it tells the link's public id, so the link's own token is never needed.
    """
    return HANDOVER + _HANDOVERS.sign(_told(link, onboarding))


def way_in_of_letter(link: SignupLink, onboarding: UUID) -> str:
    """The same for a letter to a guest's confirmed address: it opens as long as the link does."""
    return LETTER + _LETTERS.sign(_told(link, onboarding))


def _told(link: SignupLink, onboarding: UUID | None) -> str:
    told = link.public_id.bytes + (onboarding.bytes if onboarding else b"")
    return urlsafe_b64encode(told).decode().rstrip("=")


def handed_over(token: str) -> tuple[UUID | None, UUID | None]:
    """The link and the onboarding of a hand-over or a letter; (None, None): none of ours.

    Raises HandoverEndedError.
    """
    try:
        if token.startswith(LETTER):
            text = _LETTERS.unsign(token.removeprefix(LETTER))
        elif token.startswith(HANDOVER):
            text = _HANDOVERS.unsign(token.removeprefix(HANDOVER), max_age=HANDOVER_SECONDS)
        else:
            return None, None
        told = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except signing.SignatureExpired:
        raise HandoverEndedError from None
    except (signing.BadSignature, binascii.Error):
        return None, None
    return UUID(bytes=told[:16]), UUID(bytes=told[16:]) if told[16:] else None


def mark_of(request: HttpRequest) -> str:
    """A mark of this login's session; another login, of whomever, has another one."""
    key = request.session.session_key or ""
    return salted_hmac(_SALT, key).hexdigest()[:32] if key else ""


def held_link(request: HttpRequest) -> SignupLink | None:
    """The link whose cookie this browser holds, whomever it acts as.

    None: no cookie, forged, too old, or the link was revoked.
    """
    link = _held(request)[0]
    return None if link is None or link.is_revoked else link


def ended_link(request: HttpRequest) -> SignupLink | None:
    """The link that let this browser in and was revoked since, perhaps for a newer one."""
    link = _held(request)[0]
    return link if link is not None and link.is_revoked else None


def _held(request: HttpRequest) -> tuple[SignupLink | None, str]:
    cookie = request.COOKIES.get(COOKIE)
    if not cookie:
        return None, ""
    try:
        kept = signing.loads(cookie, salt=_SALT, max_age=LIFE_SECONDS)
        public_id, chosen_in = kept if isinstance(kept, list) else (kept, "")
    except (signing.BadSignature, ValueError):
        return None, ""
    return SignupLink.objects.filter(public_id=public_id).first(), chosen_in


def link_of(request: HttpRequest) -> SignupLink | None:
    """The link that this browser acts with, or None.

    Raises UndecidedError where somebody is signed in as well and has not chosen the link.
    """
    link, chosen_in = _held(request)
    if link is None or link.is_revoked:
        return None
    chosen = bool(chosen_in) and constant_time_compare(chosen_in, mark_of(request))
    if request.user.is_authenticated and not chosen:
        raise UndecidedError
    return link


def asker_of(request: HttpRequest) -> Asker | None:
    """Who is asking: the guest of a link or the signed-in member; None for neither.

    Found once a request; reads only what is there before a tenant is known. Raises UndecidedError
    for both at once; `AskWhom` turns it into the question.
    """
    if not hasattr(request, "asker"):
        request.asker = _found(request)  # type: ignore[attr-defined]
    asker: Asker | None = request.asker  # type: ignore[attr-defined]
    return asker


def _found(request: HttpRequest) -> Asker | None:
    link = link_of(request)
    if link is not None:
        return access.guest(link.tenant_id, link.pk)
    if request.user.is_authenticated:
        return access.member(request.user)
    return None


class AskWhom:
    """Middleware: whoever has to choose whom to act as is led to the choice."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> Any:
        return redirect("choose-whom") if isinstance(error, UndecidedError) else None
