"""What a signup link opens, the choice whom to act as, and the owners' page of links."""

from __future__ import annotations

import ipaddress
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import guests, services
from onboarding.link_forms import LinkForm
from onboarding.models import SignupLink
from onboarding.progress import display_number
from tenants import access, languages, shown_once, throttle, walls
from tenants.address import client_address
from tenants.models import Membership, Tenant
from tenants.private import private, secret

# --- Opening -------------------------------------------------------------------------------------


@csrf_exempt
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """A signup link: lets the guest in and leaves the token's address at once.

    Who is signed in already is asked first; the newer link replaces the one held before.
    (No decorator of Django's refuses a POST here: it would log the address.)
    """
    if request.method not in ("GET", "HEAD"):
        return secret(HttpResponse(status=405, headers={"Allow": "GET, HEAD"}))
    address = client_address(request)
    rate = f"{settings.LINK_OPENINGS_PER_MINUTE}/minute"
    if too_many := throttle.page_limit(request, "link-address", address, rate):
        return secret(too_many)
    try:
        handed, onboarding = guests.handed_over(token)
    except guests.HandoverEndedError:
        return secret(render(request, "handover_ended.html", status=410))
    link = services.open_link(
        token, handed=handed, method=request.method or "",
        agent=request.headers.get("User-Agent", ""), network=network_of(address),
    )  # fmt: skip
    if link is None:
        return secret(render(request, "link_unknown.html", status=404))
    if link.standing == "expired" and handed and guests.held_link(request) == link:
        return secret(redirect(_signup_of(onboarding)))  # a guest already, who goes on watching
    if link.standing != "open":
        told = {"is_replaced": link.is_replaced}
        return secret(render(request, f"link_{link.standing}.html", told, status=410))
    signed_in = request.user.is_authenticated
    response = redirect("choose-whom" if signed_in else _signup_of(onboarding))
    guests.let_in(response, link)
    _speak(response, link, languages.known(request.GET.get("lang")))
    return secret(response)


def _signup_of(onboarding: UUID | None) -> str:
    query = f"?onboarding={onboarding}" if onboarding else ""
    return f"{reverse('connect')}{query}"


def _speak(response: HttpResponseBase, link: SignupLink, asked: str) -> None:
    """The pages speak the language that the address asked for (`?lang=`), else the letter's."""
    with walls.seeing([link.tenant_id]):
        wanted = asked or link.language or link.tenant.language
    if wanted:
        guests.speak(response, wanted)
    else:
        response.delete_cookie(languages.LINK_COOKIE, samesite="Lax")


def network_of(address: str) -> str:
    """203.0.113.7 -> 203.0.113.0/24: the network, which is nobody's in person."""
    found = _address(address)
    if found is None:
        return ""
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


# --- Whom to act as ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ensure_csrf_cookie
def choose_whom(request: HttpRequest) -> HttpResponseBase:
    """Signed in and holding a link: as whom? The page acts for neither until it is said."""
    link = guests.held_link(request)
    if link is None or not request.user.is_authenticated:
        return redirect("connect")
    if request.method != "POST":
        with walls.seeing([link.tenant_id]):
            return private(render(request, "choose_whom.html", {"link": link}))
    whom = request.POST.get("whom")
    if whom not in ("self", "link"):
        return redirect("choose-whom")
    response = redirect("connect")
    if whom == "self":
        guests.let_out(response)
    else:
        guests.let_in(response, link, chosen_in=guests.mark_of(request))
    return private(response)


@require_POST
def leave_link(request: HttpRequest) -> HttpResponseBase:
    """The guest goes: the cookie is taken back."""
    response = redirect("home")
    guests.let_out(response)
    return response


# --- The owners' page ----------------------------------------------------------------------------

SHOWN = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def company_links(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The tenant's links: members look, owners make new ones. An address is shown once."""
    tenant, is_owner = _company(request, slug)
    form = LinkForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not is_owner:
            raise PermissionDenied
        rate = f"{settings.LINKS_PER_HOUR}/hour"
        if too_many := throttle.page_limit(request, "links-tenant", str(tenant.pk), rate):
            return too_many
        if form.is_valid():
            _make(request, tenant, form)
            return redirect("company-links", slug)
    links = SignupLink.objects.for_tenant(tenant)
    rows = links.order_by("-created_at")[:SHOWN]
    told = shown_once.take(request, "link") or {}
    ended = links.filter(pk__in=told.get("ended", [])).order_by("-created_at")
    shown = {
        "tenant": tenant,
        "is_owner": is_owner,
        "form": form,
        "made": links.filter(pk=told["key"]).first() if told and is_owner else None,
        "address": told.get("address"),
        "ended": [{**_listed(link), "under_way": services.under_way(link)} for link in ended],
        "links": [_listed(link) for link in rows],
    }
    return private(render(request, "company/links.html", shown))


def _make(request: HttpRequest, tenant: Tenant, form: LinkForm) -> None:
    """The link, kept for the page that shows its address and which earlier ones it ended."""
    made, token = services.create_link(
        tenant, actor="customer", created_by=access.signed_in(request), **form.asked()
    )
    # One that had expired is told of only where somebody goes on with what it began.
    ended = [old.pk for old in made.ended if not old.is_expired or services.under_way(old)]
    address = f"{settings.SITE_URL}/s/{token}/"
    shown_once.keep(request, "link", address=address, key=made.pk, ended=ended)


@login_required
@require_POST
def revoke_company_link(request: HttpRequest, slug: str, public_id: UUID) -> HttpResponseBase:
    """An owner ends a link of their company."""
    tenant, is_owner = _company(request, slug)
    link = get_object_or_404(SignupLink.objects.for_tenant(tenant), public_id=public_id)
    if not is_owner:
        raise PermissionDenied
    services.revoke_link(link, "customer")
    messages.success(request, gettext("The link has been ended. Whoever used it is out."))
    return redirect("company-links", slug)


def _company(request: HttpRequest, slug: str) -> tuple[Tenant, bool]:
    """The tenant of the address and whether its owner asks. Raises Http404 for a foreign one.

    The login alone counts: a link opens its tenant's signup and nothing else.
    """
    user = access.signed_in(request)
    tenant = access.tenant_for(access.member(user), slug)
    roles = Membership.objects.filter(user=user, tenant=tenant)
    return tenant, roles.filter(role=Membership.Role.OWNER).exists()


def _listed(link: SignupLink) -> dict[str, object]:
    return {
        "public_id": link.public_id,
        "standing": link.standing,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "by_owner": link.made_by == SignupLink.MadeBy.OWNER,
        "number": display_number(link.expected_number),
        "email": link.email,
        "mail": link.mail,
        "mail_label": link.get_mail_display(),
        "times_opened": link.times_opened,
        "opened_at": link.opened_at,
    }
