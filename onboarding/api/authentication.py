"""Who may call the API: a guest with a signup link, or a signed-in member. Both with CSRF."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from onboarding import guests
from tenants.access import Asker


class Undecided(exceptions.NotAuthenticated):
    """Signed in and holding a signup link: neither counts until one was chosen."""

    default_code = "undecided"
    default_detail = _("You are signed in and have opened a signup link: choose whom to act as.")


class GuestAuthentication(SessionAuthentication):
    """The guest cookie of a signup link. Who is signed in too has to choose first, by 401."""

    def authenticate(self, request: Request) -> tuple[Asker, None] | None:
        try:
            asker = guests.asker_of(request._request)
        except guests.UndecidedError:
            raise Undecided from None
        if asker is None or not asker.is_guest:
            return None
        self.enforce_csrf(request)
        return asker, None

    def authenticate_header(self, request: Request) -> str:
        """Makes "not signed in" a 401: the first class's word counts."""
        return "Session"


class MemberAuthentication(BaseAuthentication):
    """A signed-in user, seen as the member of their tenants."""

    def authenticate(self, request: Request) -> tuple[Asker, None] | None:
        asker = guests.asker_of(request._request)
        if asker is None or asker.user is None:
            return None
        SessionAuthentication().enforce_csrf(request)
        return asker, None


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
