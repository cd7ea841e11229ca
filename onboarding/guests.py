"""The guest that a signup link lets in: a cookie of its own, checked against the link each time.

It is no login and never becomes one: no session, nothing but the link's id and a signature.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from onboarding.models import SignupLink
from tenants import access
from tenants.access import Asker

COOKIE = "signup_guest"
LIFE_SECONDS = 30 * 86_400
_SALT = "onboarding.guest"


def let_in(response: HttpResponseBase, link: SignupLink) -> None:
    """Give the guest cookie for this link."""
    response.set_cookie(
        COOKIE,
        signing.dumps(link.public_id.hex, salt=_SALT),
        max_age=LIFE_SECONDS,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )


def let_out(response: HttpResponseBase) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, samesite="Lax")


def link_of(request: HttpRequest) -> SignupLink | None:
    """The link that let this browser in, or None: no cookie, forged, too old, or revoked."""
    cookie = request.COOKIES.get(COOKIE)
    if not cookie:
        return None
    try:
        public_id = signing.loads(cookie, salt=_SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature:
        return None
    return SignupLink.objects.filter(public_id=public_id, revoked_at__isnull=True).first()


def asker_of(request: HttpRequest) -> Asker | None:
    """Who is asking: the guest of a link before the signed-in member; None for neither.

    Found once a request. It reads only what is there before a tenant is known.
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
