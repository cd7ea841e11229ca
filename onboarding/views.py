"""The signup page and its card."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from onboarding import (
    countries,
    guests,
    instruments,
    launch,
    picker,
    prefill,
    proof,
    quota,
    tell,
)  # fmt: skip
from onboarding.models import Onboarding, SignupLink
from onboarding.progress import card, display_number, listed, poll_seconds
from onboarding.services.signup import BEFORE
from onboarding.states import FINAL, State
from tenants.access import Asker, tenant_for, tenants_of

logger = logging.getLogger(__name__)

NOT_BEGUN = Q(state=State.STARTED, launched_at__isnull=True)
"""A mode was chosen and nothing more: nothing to come back to."""

LINK = "X-Signup-Link"
"""Of a card that is refused because the guest's link was ended: `ended`, or `replaced`."""

NO_ID = "00000000-0000-0000-0000-000000000000"


def _sdk_origin() -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(settings.META_SDK_URL))


def _sdk_policy() -> dict[str, list[str]]:
    """What Meta's SDK needs beyond our own policy (from working pages; Meta lists nothing)."""
    sdk = _sdk_origin()
    meta = [
        "https://www.facebook.com",
        "https://web.facebook.com",
        "https://business.facebook.com",
    ]
    sandbox = [settings.SANDBOX_ORIGIN] if settings.SANDBOX_ORIGIN else []
    return {
        "script-src": [sdk],
        "connect-src": [sdk, "https://graph.facebook.com", *meta, *sandbox],
        "frame-src": [*meta, "https://staticxx.facebook.com", *sandbox],
        "img-src": ["https://www.facebook.com"],
        "form-action": launch.dialog_origins(),
    }


@require_safe
@gzip_page
def home(request: HttpRequest) -> HttpResponseBase:
    """What this is, for people who are nobody yet; the signup for everybody else."""
    if guests.asker_of(request) is not None:
        return redirect("connect")
    return render(request, "home.html")


@require_safe
@gzip_page
@ensure_csrf_cookie
@never_cache
def connect(request: HttpRequest) -> HttpResponseBase:
    """The signup page: the question and the button, or the attempt that is under way."""
    response = csp_update(_sdk_policy())(_connect)(request)
    # Django's default `same-origin` cuts Meta's window from its opener: no message, no code
    # (tried with Django 5.2 and Chromium 156, Nov 2026). On every answer of this address, so that
    # `doctor` can look at it without signing in.
    response["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return response


def _connect(request: HttpRequest) -> HttpResponseBase:
    asker = guests.asker_of(request)
    if asker is None and (ended := guests.ended_link(request)):
        shown = {"was_let_in": True, "is_replaced": ended.is_replaced}
        return render(request, "link_revoked.html", shown, status=410)
    if asker is None:
        return redirect_to_login(request.get_full_path())
    if not asker.tenant_ids:
        return render(request, "no_tenant.html", status=403)
    named = _named(asker, request.GET.get("onboarding"))
    # The page always names the tenant that it connects: the attempt's own, where one is named.
    tenant = named.tenant if named else tenant_for(asker, request.GET.get("tenant"))
    rows = list(_rows(asker).filter(tenant=tenant).exclude(NOT_BEGUN)[:20])
    mine = [row for row in rows if not asker.is_guest or row.link_id == asker.link_id]
    row = named or _newest(mine, request.GET)
    link = SignupLink.objects.filter(pk=asker.link_id).first() if asker.link_id else None
    response = render(
        request,
        "connect.html",
        {
            "tenant": tenant,
            "tenants": tenants_of(asker),
            "sdk_origin": _sdk_origin(),
            "guest": asker.is_guest,
            "signed_in_too": asker.is_guest and request.user.is_authenticated,
            "onboarding": row,
            "card": _card_for(row, asker) if row else None,
            "others": [listed(each) for each in _others(rows, row, asker)],
            "is_unready": _is_unready(),
            "link_problem": _link_problem(link),
            "only_mode": link.connection_mode if link else "",
            "proof_note": proof.customer_note(tenant),
            "prefilled": prefill.shown(tenant),
            "expected": display_number(link.expected_number) if link else "",
            "country_notice": countries.notice(link.expected_number if link else ""),
            "error_groups": picker.groups(),
            "page_config": {
                **_page_config(tenant.slug, row),
                "waiting_for": _waiting_for(rows, asker),
            },
        },
    )
    response["X-Robots-Tag"] = "noindex"
    return response


def _card_for(row: Onboarding, asker: Asker) -> dict[str, Any]:
    return {**card(row, _rows(asker)), "tell": tell.shown(row, asker)}


def _rows(asker: Asker) -> QuerySet[Onboarding]:
    return Onboarding.objects.visible_to(asker).select_related(
        "tenant", "business_account", "number"
    )


def _named(asker: Asker, public_id: str | None) -> Onboarding | None:
    """The attempt that the address names. Raises Http404 for one that is not there for them."""
    if not public_id:
        return None
    try:
        row = get_object_or_404(_rows(asker), public_id=UUID(public_id))
    except ValueError:
        raise Http404 from None
    instruments.seen(row)
    return row


def _newest(rows: list[Onboarding], query: Any) -> Onboarding | None:
    """The newest attempt that is under way, or the newest at all; None to begin another one."""
    if "new" in query:
        return None
    ended = FINAL | {State.CANCELLED}
    return next((row for row in rows if row.state not in ended), rows[0] if rows else None)


def _waiting_for(rows: list[Onboarding], asker: Asker) -> str | None:
    """The attempt whose window the asker may still have open beside a page that was read anew."""
    user_id = asker.user.pk if asker.user else None
    for row in rows:
        is_own = row.link_id == asker.link_id and (asker.is_guest or row.started_by_id == user_id)
        if is_own and row.launched_at and row.state in BEFORE:
            return str(row.public_id)
    return None


def _others(rows: list[Onboarding], row: Onboarding | None, asker: Asker) -> list[Onboarding]:
    """Beside the one that is shown. Where one is begun it may be one of one's own that ended before
    Meta's window gave anything (`services.start`): that is no other one.
    """
    rows = _each_number_once(rows)
    if row is not None:
        return [each for each in rows if each != row]
    me = (asker.user.pk if asker.user else None, asker.link_id)
    unfinished = (State.STARTED, State.CANCELLED)
    return [
        each
        for each in rows
        if each.state not in unfinished or (each.started_by_id, each.link_id) != me
    ]


def _each_number_once(rows: list[Onboarding]) -> list[Onboarding]:
    """Newest first: what a number was connected by before it was reconnected is no other number."""
    newest: dict[int, Onboarding] = {}
    for each in rows:
        if each.number_id and each.state not in (State.CANCELLED, State.REJECTED):
            newest.setdefault(each.number_id, each)
    return [
        each
        for each in rows
        if each.state != State.CONNECTED or newest.get(each.number_id or 0, each) == each
    ]


def _link_problem(link: SignupLink | None) -> str | None:
    """What keeps the guest of an expired link from beginning another attempt."""
    if link is None or not link.is_expired:
        return None
    return gettext(
        "Your link has expired. What was begun with it goes on; to begin anew ask for a new link."
    )


def _is_unready() -> bool:
    """Whether Meta's window cannot be opened yet. Which setting is missing is for staff: the log
    has it, by the reference that the page shows.
    """
    missing = launch.missing_settings()
    if missing:
        logger.warning("the signup page is not ready: set %s", ", ".join(missing))
    return bool(missing)


def _launch_again(row: Onboarding) -> dict[str, Any] | None:
    """What opens the window of an attempt again that was launched and heard nothing of.

    With the page, because reading a page anew is no launch and is not counted as one.
    """
    waits = row.state == State.STARTED and row.launched_at and not launch.missing_settings()
    return launch.launch(row) if waits else None


def _page_config(slug: str, row: Onboarding | None) -> dict[str, Any]:
    return {
        "onboarding": str(row.public_id) if row else None,
        "state": row.state if row else None,
        "connection_mode": row.connection_mode if row else None,
        "launched_at": row.opened_at.isoformat() if row and row.opened_at else None,
        "launch": _launch_again(row) if row else None,
        "site_url": settings.SITE_URL,
        "tenant": slug,
        "api": "/api/v1/onboardings/",
        "csrf_url": "/api/v1/csrf/",
        "card_url": f"/connect/{NO_ID}/card/",
        "dialog_url": launch.dialog_path(),
        "elsewhere_url": reverse("connect-elsewhere"),
        "message_hosts": settings.META_MESSAGE_ORIGIN_HOSTS,
        "sandbox_origin": settings.SANDBOX_ORIGIN or None,
        "sdk_timeout_seconds": 10,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }


def _let_out(ended: SignupLink | None) -> HttpResponse:
    """Whoever watches a card and may no more: signed out, or by a link that was ended."""
    if ended is None:
        return HttpResponse(status=401)
    return HttpResponse(status=410, headers={LINK: "replaced" if ended.is_replaced else "ended"})


@require_safe
@gzip_page
@cache_control(private=True, no_cache=True)
def connect_card(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The attempt's card alone, for the page that watches it; 304 while nothing changed."""
    try:
        asker = guests.asker_of(request)
    except guests.UndecidedError:
        asker = None  # a fragment of a page: no place for a question
    if asker is None:
        return _let_out(guests.ended_link(request))
    row = get_object_or_404(_rows(asker), public_id=public_id)
    quota.seen_at_page(row.pk)
    # How often to ask, and what is offered, change with time alone: not only with the row.
    offered = int(tell.is_offered(row))
    etag = f'"{row.version}-{poll_seconds(row)}-{get_language()}-{offered}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        shown = _card_for(row, asker)
        response = render(request, "_card.html", {"card": shown})
        response["X-Poll-Seconds"] = str(shown["poll_seconds"])
    response["ETag"] = etag
    return response
