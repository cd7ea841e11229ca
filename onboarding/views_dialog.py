"""Going on elsewhere: in this tab by Meta's full-page dialog, or in another browser."""

from __future__ import annotations

import re
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from onboarding import guests, launch, qr, services
from onboarding.models import Onboarding, SignupLink
from onboarding.models.onboarding import ConnectionMode
from onboarding.services.dialog import LIFE
from onboarding.services.signup import BEFORE
from tenants import throttle
from tenants.access import Asker, tenant_for
from tenants.address import client_address
from tenants.models import Tenant
from tenants.private import private, secret
from tenants.tokens import token_hash

MODE_OF_USE = {
    "new": ConnectionMode.BUSINESS_PLATFORM,
    "app": ConnectionMode.BUSINESS_APP,
    "other": ConnectionMode.BUSINESS_PLATFORM,
}
"""What the page's question means, for browsers without JavaScript."""

ELSEWHERE_RATE = "20/minute"
"""Of one user or link: addresses to go on at in another browser."""

_CODE = re.compile(r"[\x21-\x7e]{1,4000}")


# --- Leaving for Meta's page ---------------------------------------------------------------------


@require_POST
@never_cache
def connect_dialog(request: HttpRequest) -> HttpResponseBase:
    """*Continue in this tab*: notes the launch and leads to Meta's full-page dialog."""
    asker = guests.asker_of(request)
    if asker is None:
        return redirect_to_login(reverse("connect"))
    if not launch.offers_dialog():
        raise Http404
    row = _named(asker, request.POST.get("onboarding", ""))
    tenant = row.tenant if row else tenant_for(asker, request.POST.get("tenant"))
    if too_many := _too_many_launches(request, tenant):
        return too_many
    try:
        row = row or _begun(asker, tenant, request.POST.get("use", ""))
        if row.state not in BEFORE:
            return _to_card(row)
        row, state = services.open_dialog(row, asker)
    except services.RefusedError as refused:
        messages.error(request, str(refused))
        return redirect("connect")
    response = private(_moved(launch.dialog_address(row, state)))
    response.set_cookie(
        _cookie_of(state), state, max_age=LIFE, path=launch.RETURN_PATH,
        httponly=True, secure=settings.HTTPS, samesite="Lax",
    )  # fmt: skip
    return response


def _named(asker: Asker, public_id: str) -> Onboarding | None:
    """The attempt that was posted. Raises Http404 for one that is not there for them."""
    if not public_id:
        return None
    try:
        rows = Onboarding.objects.visible_to(asker).select_related("tenant")
        return get_object_or_404(rows, public_id=UUID(public_id))
    except ValueError:
        raise Http404 from None


def _begun(asker: Asker, tenant: Tenant, use: str) -> Onboarding:
    if use not in MODE_OF_USE:
        told = gettext("Choose first how the number is used today.")
        raise services.RefusedError("use_missing", told)
    row, _made = services.start(asker, tenant, MODE_OF_USE[use])
    return row


def _too_many_launches(request: HttpRequest, tenant: Tenant) -> HttpResponse | None:
    """Counted together with those by the API."""
    rate = f"{settings.LAUNCHES_PER_MINUTE}/minute"
    return throttle.page_limit(
        request, "launch-tenant", str(tenant.pk), rate
    ) or throttle.page_limit(request, "launch-address", client_address(request), rate)


def _cookie_of(state: str) -> str:
    """A name for each state, so that two tabs do not take each other's way back."""
    return f"signup_dialog_{token_hash(state)[:8]}"


# --- Coming back ---------------------------------------------------------------------------------


@csrf_exempt
@never_cache
def connect_return(request: HttpRequest) -> HttpResponseBase:
    """Where Meta's page leads back to: keeps what it gave and leaves this address at once.

    It counts only where the cookie, the state and the attempt agree, and once. (No decorator of
    Django's refuses a POST here: it would log the address.)
    """
    if request.method != "GET":
        return secret(HttpResponse(status=405, headers={"Allow": "GET"}))
    state = request.GET.get("state", "")
    row = _came_back(request, state)
    if row is None:
        return secret(_moved(reverse("connect-lost")))
    response = _to_card(row, "#main")  # or the browser keeps Meta's own `#_=_`
    response.delete_cookie(_cookie_of(state), path=launch.RETURN_PATH, samesite="Lax")
    return secret(response)


@require_safe
@never_cache
def connect_lost(request: HttpRequest) -> HttpResponse:
    """An answer of Meta's that counts for nothing, told at an address that holds none of it."""
    return private(render(request, "dialog_lost.html"))


def _came_back(request: HttpRequest, state: str) -> Onboarding | None:
    result = _result(request.GET)
    kept = request.COOKIES.get(_cookie_of(state), "")
    if not state or not result or not constant_time_compare(kept, state):
        return None
    try:
        asker = guests.asker_of(request)
    except guests.UndecidedError:
        asker = None  # signed in meanwhile: nobody has said yet whom to act as
    return services.close_dialog(asker, state, result) if asker else None


def _result(said: QueryDict) -> dict[str, str]:
    """What Meta's address says, as the page would post it; {} for nothing at all."""
    code = said.get("code", "")
    if _CODE.fullmatch(code):
        return {"code": code, "login_status": "connected"}
    if said.get("error_reason") == "user_denied":
        return {"event": "CANCEL"}
    error = _text(said.get("error_code") or said.get("error"), 40)
    told = _text(said.get("error_description") or said.get("error_message"), 500)
    if not error:
        return {}
    return {"event": "ERROR", "error_code": error, **({"error_message": told} if told else {})}


def _text(given: str | None, most: int) -> str:
    return "".join(filter(str.isprintable, given or ""))[:most]


# --- In another browser --------------------------------------------------------------------------


@require_POST
@never_cache
def connect_elsewhere(request: HttpRequest) -> HttpResponseBase:
    """A fragment of the page: the address to go on at in another browser, to copy and to scan.

    A member signs in there; a guest gets a hand-over of their link, while the link is open.
    """
    try:
        asker = guests.asker_of(request)
    except guests.UndecidedError:
        asker = None  # a fragment of a page: no place for a question
    if asker is None:
        return HttpResponse(status=401)
    standing = throttle.hit("elsewhere", asker.pk, ELSEWHERE_RATE)
    if not standing.allowed:
        return HttpResponse(status=429, headers={"Retry-After": str(standing.reset_seconds)})
    row = _named(asker, request.POST.get("onboarding", ""))
    link = guests.held_link(request) if asker.is_guest else None
    shown: dict[str, object] = {"guest": asker.is_guest, "minutes": guests.HANDOVER_SECONDS // 60}
    if link is None or not link.is_expired:
        address = _address_elsewhere(link, row)
        shown |= {"address": address, "qr": qr.picture(address)}
    return private(render(request, "_elsewhere.html", shown))


def _address_elsewhere(link: SignupLink | None, row: Onboarding | None) -> str:
    if link is not None:
        token = guests.handover_of(link, row.public_id if row else None)
        return f"{settings.SITE_URL}/s/{token}/"
    query = f"?onboarding={row.public_id}" if row else ""
    return f"{settings.SITE_URL}{reverse('connect')}{query}"


# --- Answers -------------------------------------------------------------------------------------


def _moved(address: str) -> HttpResponseRedirect:
    """To be asked for by GET, whatever this request was."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def _to_card(row: Onboarding, place: str = "") -> HttpResponseRedirect:
    return _moved(f"{reverse('connect')}?onboarding={row.public_id}{place}")
