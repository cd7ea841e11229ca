"""In which language a request is answered, and the switch on every page.

Who says it, the first one that does: this browser (the switch), the login's profile, the signup
link, the browser's settings. Staff's desk is English always: not all of it is translated, and a
mixture is worse than a language that one can rely on.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_POST

from tenants.models import User

DESK = "/admin/"
LINK_COOKIE = "link_language"
"""What the signup link that a guest came by speaks; the guest's own choice is another cookie."""
LIFE_SECONDS = 365 * 86_400
KEPT = ("new", "next", "onboarding", "page", "tenant")
"""Of a page's query, what says which page it is."""


def known(code: str | None) -> str:
    """The code if it is one of the site's languages, else ""."""
    return code if code and code in dict(settings.LANGUAGES) else ""


def tag(code: str) -> str:
    """As BCP 47 writes it, for attributes and headers: zh-hans -> zh-Hans, pt-br -> pt-BR."""
    language, _, part = code.partition("-")
    shown = part.title() if len(part) == 4 else part.upper()
    return f"{language}-{shown}" if part else language


def of_user(user: User | None, otherwise: str = "") -> str:
    """What this person reads: by their profile, else `otherwise`, else the site's language."""
    of_profile = known(user.language) if user is not None else ""
    return of_profile or known(otherwise) or str(settings.LANGUAGE_CODE)


# --- A request ------------------------------------------------------------------------------------


def of_request(request: HttpRequest) -> str:
    """The language to answer in."""
    if request.path_info.startswith(DESK):
        return str(settings.LANGUAGE_CODE)
    return (
        known(request.GET.get("lang"))  # a page that may not carry the switch's form
        or chosen(request)
        or _of_profile(request)
        or known(request.COOKIES.get(LINK_COOKIE))
        or _of_browser(request)
        or str(settings.LANGUAGE_CODE)
    )


def chosen(request: HttpRequest) -> str:
    """What this browser chose by the switch; "" where it did not."""
    return known(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME))


def _of_profile(request: HttpRequest) -> str:
    user = request.user
    return known(user.language) if isinstance(user, User) or user.is_authenticated else ""


def _of_browser(request: HttpRequest) -> str:
    """The first of its languages that is spoken here; zh-CN is zh-hans, es-MX is es."""
    for code, _ in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        if code == "*":
            break
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return ""


class Spoken:
    """Middleware, after the one that knows who is signed in: the answer is in their language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = of_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith(("text/html", "text/plain", "application/")):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
            response.headers.setdefault("Content-Language", tag(language))
        return response


# --- The switch -----------------------------------------------------------------------------------


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The switch: kept by this browser, and by the profile of who is signed in."""
    response = redirect(_back(request))
    asked = request.POST.get("language")
    if asked == "" or known(asked):
        keep(request, response, known(asked))
    # Django's default, on the way back to the signup page, would cut an open window of Meta's off.
    response["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return response


def keep(request: HttpRequest, response: HttpResponseBase, language: str) -> None:
    """This browser, and this login if there is one, read this language from now on.

    "" takes the choice back.
    """
    if isinstance(request.user, User) and request.user.language != language:
        request.user.language = language
        request.user.save(update_fields=["language"])
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=LIFE_SECONDS,
        httponly=True, secure=settings.HTTPS, samesite="Lax",
    )  # fmt: skip


def _back(request: HttpRequest) -> str:
    """The page that the switch stood on, if it is one of ours."""
    page = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure())
    return page if ours else "/"


def _here(request: HttpRequest) -> str:
    """This page's address without what it may have been handed, such as Meta's code."""
    kept = QueryDict(mutable=True)
    for name in KEPT:
        kept.setlist(name, request.GET.getlist(name))
    query = kept.urlencode()
    return f"{request.path}?{query}" if query else request.path


def shown(request: HttpRequest) -> dict[str, object]:
    """For templates: the languages with the current one marked, and where the switch leads back.

    An address that is a secret itself (`open-…`) must not stand in a page, and browsers post no
    form from it (no-referrer makes the origin "null"), so there the switch is plain links.
    """
    current = translation.get_language() or str(settings.LANGUAGE_CODE)
    match = request.resolver_match
    is_secret = bool(match and match.url_name and match.url_name.startswith("open-"))
    return {
        "language_tag": tag(current),
        "languages": [
            {"code": code, "tag": tag(code), "name": name, "is_current": code == current}
            for code, name in settings.LANGUAGES
        ],
        "languages_by_link": is_secret,
        "language_next": _here(request),
    }
