"""What each request may see in the database: decided here, once, before any view runs.

A tenant's request (a member's or a guest's) is one transaction with their tenants' rows; staff at
the desk and, under /api/ alone, the partner's keys see everything; everybody else sees no tenant's
rows at all. See `tenants/walls.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars

from onboarding import guests
from tenants import access, walls
from tenants.access import Asker
from tenants.keys import bearer, key_of

API = "/api/"
DESK = "/admin/"
OF_PEOPLE = ("/company/", "/accounts/", "/invitation/")
"""Pages of a login alone: a signup link that the same browser holds counts for nothing there."""


class Entrance:
    """Middleware; after the ones that find out who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(DESK):
            bind_contextvars(actor_kind="staff" if _is_staff(request) else "nobody")
            with walls.seeing_everything("staff") if _is_staff(request) else walls.seeing_nothing():
                return self.get_response(request)
        asker = _asker(request)
        bind_contextvars(actor_kind=_kind(asker))
        if asker is None:
            with walls.seeing_nothing():
                return self.get_response(request)
        if asker.sees_all:
            with walls.seeing_everything("the partner's backend, by key"):
                return self.get_response(request)
        # What runs after the commit sees nothing: it is no part of the tenant's transaction.
        with walls.seeing_nothing(), walls.seeing(asker.tenant_ids):
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)  # a fault of ours leaves nothing half done
            return response


def _asker(request: HttpRequest) -> Asker | None:
    given = bearer(request)
    if given is not None and request.path_info.startswith(API):
        key = key_of(given)
        request.asker = access.partner(key) if key else None  # type: ignore[attr-defined]
        return guests.asker_of(request)
    if not request.path_info.startswith(OF_PEOPLE):
        try:
            return guests.asker_of(request)
        except guests.UndecidedError:
            return None  # the view asks again, and is answered with the question
    return access.member(request.user) if request.user.is_authenticated else None


def _kind(asker: Asker | None) -> str:
    """Who asks, for the log: never who it is."""
    if asker is None:
        return "nobody"
    return "key" if asker.is_key else "guest" if asker.is_guest else "member"


def _is_staff(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.is_staff)
