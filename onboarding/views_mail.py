"""What the links in letters open: confirming an address, and switching letters off.

Mail programs and scanners open links, so opening changes nothing: the token leaves the address for
the session at once, and a button on the next page does it. The exception is asked for by RFC 8058:
a mail program POSTs to the address of `List-Unsubscribe` itself, without cookies or a login.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from onboarding import mail_addresses
from tenants import throttle
from tenants.address import client_address
from tenants.private import private, secret
from tenants.tokens import token_hash

CONFIRM, STOP = "mail_confirm", "mail_stop"
"""Where the session keeps which address it is about; never the token."""


@csrf_exempt
@never_cache
def open_confirmation(request: HttpRequest, token: str) -> HttpResponseBase:
    """The address in the letter that asks: kept in the session, and left at once."""
    if request.method not in ("GET", "HEAD"):
        return secret(HttpResponse(status=405, headers={"Allow": "GET, HEAD"}))
    if too_many := _too_many(request):
        return secret(too_many)
    address = mail_addresses.waiting_for(token)
    if address is None:
        return secret(render(request, "mail_unknown.html", {"word": "confirm"}, status=404))
    request.session[CONFIRM] = [address.tenant_id, token_hash(token)]
    return secret(redirect("mail-confirm"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest) -> HttpResponseBase:
    """The question without its token. GET changes nothing; POST confirms, once."""
    tenant_id, hashed = request.session.get(CONFIRM) or (0, "")
    address = mail_addresses.held(tenant_id, hashed)
    if address is None:
        return private(render(request, "mail_unknown.html", {"word": "confirm"}, status=404))
    shown = {"email": address.email, "tenant": address.tenant}
    if request.method != "POST":
        return private(render(request, "mail_confirm.html", shown))
    done = mail_addresses.confirm(tenant_id, hashed)
    request.session.pop(CONFIRM, None)
    if not done:  # another window was first
        return redirect("mail-confirm")
    return private(render(request, "mail_confirm.html", {**shown, "done": True}))


@csrf_exempt
@never_cache
def open_stop(request: HttpRequest, token: str) -> HttpResponseBase:
    """The address that ends letters: GET leads to the button, POST is a mail program's one click.

    No CSRF token and no login, by design: the signed token names the address and nothing else can
    be done with it.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        return secret(HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"}))
    if too_many := _too_many(request):
        return secret(too_many)
    named = mail_addresses.named_by(token)
    if request.method == "POST":
        done = named is not None and mail_addresses.stop(*named)
        return secret(HttpResponse(status=200 if done else 404, content_type="text/plain"))
    if named is None or mail_addresses.to_stop(*named) is None:
        return secret(render(request, "mail_unknown.html", {"word": "stop"}, status=404))
    request.session[STOP] = list(named)
    return secret(redirect("mail-stop"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def stop(request: HttpRequest) -> HttpResponseBase:
    """The button that ends letters to the address that the session holds."""
    tenant_id, pk = request.session.get(STOP) or (0, 0)
    address = mail_addresses.to_stop(tenant_id, pk)
    if address is None:
        return private(render(request, "mail_unknown.html", {"word": "stop"}, status=404))
    shown = {"email": address.email, "tenant": address.tenant, "done": request.method == "POST"}
    if request.method == "POST":
        mail_addresses.stop(tenant_id, pk)
        request.session.pop(STOP, None)
    return private(render(request, "mail_stop.html", shown))


def _too_many(request: HttpRequest) -> HttpResponse | None:
    rate = f"{settings.LINK_OPENINGS_PER_MINUTE}/minute"
    return throttle.page_limit(request, "link-address", client_address(request), rate)
