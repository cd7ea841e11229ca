"""Who may call the API: the partner's backend with a key, a guest with a signup link, a member.

Guests and members come by cookie and need the CSRF token; a key comes in a header and needs none.
"""

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from onboarding import guests
from onboarding.api.refusals import KeyInAddressError, KeyRefusedError
from tenants.access import Asker
from tenants.keys import bearer
from tenants.models.key import KEY


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY`, before any cookie. A key anywhere in the address is refused."""

    def authenticate(self, request: Request) -> tuple[Asker, None] | None:
        if any(KEY.search(text) for text in request.query_params.urlencode().split("&")):
            raise KeyInAddressError
        if bearer(request._request) is None:
            return None
        asker = guests.asker_of(request._request)  # found at the entrance
        if asker is None or not asker.is_key:
            raise KeyRefusedError
        return asker, None

    def authenticate_header(self, request: Request) -> str:
        """Makes "not signed in" a 401: the first class's word counts."""
        return 'Bearer realm="api"'


class Undecided(exceptions.NotAuthenticated):
    """Signed in and holding a signup link: neither counts until one was chosen."""

    default_code = "undecided"
    default_detail = _("You are signed in and have opened a signup link: choose whom to act as.")


class LinkEnded(exceptions.NotAuthenticated):
    """A guest whose link was revoked. A 401, so the page keeps what it holds for a newer link."""

    default_code = "link_ended"
    default_detail = _(
        "This link has been ended. Open the newest link that you were sent, or ask your partner "
        "for one. What was begun goes on."
    )


class LinkReplaced(LinkEnded):
    """The same, and a newer link for the same number is open."""

    default_code = "link_replaced"
    default_detail = _(
        "A newer signup link has taken the place of this one. Open the newest link that you were "
        "sent. What was begun goes on."
    )


class GuestAuthentication(SessionAuthentication):
    """The guest cookie of a signup link. Who is signed in too has to choose first, by 401."""

    def authenticate(self, request: Request) -> tuple[Asker, None] | None:
        try:
            asker = guests.asker_of(request._request)
        except guests.UndecidedError:
            raise Undecided from None
        if asker is None and (ended := guests.ended_link(request._request)):
            raise LinkReplaced if ended.is_replaced else LinkEnded
        if asker is None or not asker.is_guest:
            return None
        self.enforce_csrf(request)
        return asker, None


class MemberAuthentication(BaseAuthentication):
    """A signed-in user, seen as the member of their tenants."""

    def authenticate(self, request: Request) -> tuple[Asker, None] | None:
        asker = guests.asker_of(request._request)
        if asker is None or asker.user is None:
            return None
        SessionAuthentication().enforce_csrf(request)
        return asker, None


class KeyScheme(OpenApiAuthenticationExtension):
    """How the API's documentation names the header."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        about = "An API key of the partner's, `onb_…`: `Authorization: Bearer KEY`."
        return {"type": "http", "scheme": "bearer", "description": about}


class _CookieScheme(OpenApiAuthenticationExtension):
    """How the API's documentation names a cookie."""

    cookie = ""

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": self.cookie}


class GuestScheme(_CookieScheme):
    target_class = GuestAuthentication
    name = "signupLink"
    cookie = guests.COOKIE


class MemberScheme(_CookieScheme):
    target_class = MemberAuthentication
    name = "session"
    cookie = settings.SESSION_COOKIE_NAME
