"""The *Set-up* page: what `doctor` found last, the list to tick, and the webhook's button.

It is quick because it shows the last result; “Check again” takes the looks within the request,
which doctor bounds (30 s at the very most).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import doctor
from onboarding.doctor import Finding, Group, Level, dashboard
from onboarding.doctor.dashboard import Item
from onboarding.models import SetupTick

KEY = "setup_findings"
KEPT_SECONDS = 30 * 24 * 3600

VIEW, CHANGE = "onboarding.view_setup", "onboarding.change_setup"

GROUPS: dict[Group, str | Promise] = {
    Group.META: _("Meta"),
    Group.SITE: _("The site as it is served"),
    Group.YCLOUD: _("YCloud"),
    Group.WEBHOOK: _("YCloud's webhook"),
    Group.WORKERS: _("Workers and Redis"),
    Group.DATABASE: _("Database and staff"),
    Group.MAIL: _("Mail"),
    Group.PARTNER: _("You, the partner"),
}
LEVELS: dict[Level, tuple[str | Promise, str]] = {
    # The word, and the theme's icon: never a colour alone.
    Level.ERROR: (_("Error"), "error"),
    Level.WARNING: (_("Warning"), "warning"),
    Level.UNKNOWN: (_("Unknown"), "help"),
    Level.TODO: (_("To do"), "radio_button_unchecked"),
    Level.OK: (_("Well"), "check_circle"),
}
WHO: dict[str, str | Promise] = {
    doctor.OPERATOR: _("whoever runs this installation"),
    doctor.PARTNER: _("whoever administers your Meta app and YCloud account"),
    dashboard.YCLOUD: _("YCloud"),
}


def page(request: HttpRequest) -> HttpResponse:
    """Show it; a POST is one of its buttons."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    if request.method == "POST":
        return _pressed(request)
    return _shown(request, *_last())


def _pressed(request: HttpRequest) -> HttpResponse:
    act = request.POST.get("act", "")
    if act == "check":
        found, at = _looked()
        if not _keep(found, at):
            return _shown(request, found, at)  # nowhere to keep it: shown at once
        return redirect("admin-setup")
    if not request.user.has_perm(CHANGE):
        raise PermissionDenied
    if act == "install":
        _install(request)
    elif act in ("tick", "untick"):
        _tick(act, request)
        return redirect(f"{reverse('admin-setup')}#by-hand")
    else:
        raise BadRequest("no such button")
    return redirect("admin-setup")


def _install(request: HttpRequest) -> None:
    try:
        done = doctor.install_webhook(request.user.get_username())
    except doctor.CannotInstallError as error:
        messages.error(request, str(error))
        return
    messages.success(request, done)
    found, at = _last()
    if at is not None:  # the rest is as old as it was
        others = [each for each in found if each.group != Group.WEBHOOK]
        _keep([*others, *_without_ticks(doctor.examine([Group.WEBHOOK]))], at)


def _tick(act: str, request: HttpRequest) -> None:
    do = dashboard.tick if act == "tick" else dashboard.untick
    try:
        do(request.POST.get("code", ""), request.user.get_username())
    except dashboard.UnknownItemError:
        raise BadRequest("no such item") from None


def _looked() -> tuple[list[Finding], datetime]:
    return _without_ticks(doctor.examine()), timezone.now()


def _without_ticks(found: list[Finding]) -> list[Finding]:
    """The list to tick is read fresh each time."""
    return [each for each in found if not each.code.startswith(dashboard.PREFIX)]


def _keep(found: list[Finding], at: datetime) -> bool:
    """Keep the result for all of staff; False when there is nowhere to keep it."""
    try:
        cache.set(KEY, (at.isoformat(), [asdict(each) for each in found]), KEPT_SECONDS)
    except redis.RedisError:
        return False
    return True


def _last() -> tuple[list[Finding], datetime | None]:
    """The last result and its time; nothing where there is none, or one of another release."""
    try:
        at, kept = cache.get(KEY) or ("", [])
        return [Finding(**each) for each in kept], datetime.fromisoformat(at) if at else None
    except (redis.RedisError, TypeError, ValueError):
        return [], None


def _shown(request: HttpRequest, found: list[Finding], at: datetime | None) -> HttpResponse:
    ticked = dashboard.ticks()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": gettext("Set-up"),
        "looked_at": at,
        "sandbox": bool(settings.SANDBOX_ORIGIN),
        "counts": [_count(found, level) for level in LEVELS],
        "groups": [_group(group, found) for group in GROUPS if at],
        "items": [_item(item, ticked.get(item.code)) for item in dashboard.ITEMS],
        "ticked": len(ticked.keys() & dashboard.CODES),
        "may_change": request.user.has_perm(CHANGE),
        "webhook_url": doctor.webhook_url(),
    }
    response = render(request, "admin/setup.html", context)
    response["Cache-Control"] = "no-store, private"
    return response


def _count(found: list[Finding], level: Level) -> dict[str, Any]:
    label, icon = LEVELS[level]
    n = sum(each.level == level for each in found)
    return {"level": level, "label": label, "icon": icon, "n": n}


def _group(group: Group, found: list[Finding]) -> dict[str, Any]:
    """What needs somebody first, worst on top; what is well folded away."""
    mine = [each for each in found if each.group == group]
    worst = list(LEVELS)
    open_ones = sorted(
        (each for each in mine if each.level != Level.OK), key=lambda each: worst.index(each.level)
    )
    return {
        "code": group,
        "title": GROUPS[group],
        "counts": [count for count in (_count(mine, level) for level in LEVELS) if count["n"]],
        "open": [_finding(each) for each in open_ones],
        "well": [each for each in mine if each.level == Level.OK],
    }


def _finding(each: Finding) -> dict[str, Any]:
    label, icon = LEVELS[Level(each.level)]
    who = WHO.get(each.who, each.who)
    return {"told": each, "label": label, "icon": icon, "who": who}


def _item(item: Item, by: SetupTick | None) -> dict[str, Any]:
    return {"item": item, "by": by, "where": str(item.where), "value": item.value()}
