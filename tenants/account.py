"""One's own account: where everything about the login is found, and the sessions."""

from __future__ import annotations

from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tenants import second_factor
from tenants.access import signed_in
from tenants.models import Membership


@login_required
@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """The login's parts, each with its page, and one's companies."""
    user = signed_in(request)
    mine = Membership.objects.filter(user=user).select_related("tenant")
    shown = {
        "memberships": mine.order_by("tenant__name"),
        "has_second_factor": second_factor.has_second_factor(user),
    }
    return render(request, "account/index.html", shown)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; POST ends one session, or all the others."""
    user = signed_in(request)
    if request.method != "POST":
        listed = UserSession.objects.purge_and_list(user)
        listed.sort(key=lambda each: (not each.is_current(), -each.created_at.timestamp()))
        for each in listed:
            each.browser = browser_of(each.user_agent)
        return render(request, "usersessions/usersession_list.html", {"sessions": listed})
    chosen = request.POST.get("session", "")
    if chosen.isdecimal():
        end_sessions(request, [get_object_or_404(UserSession, user=user, pk=int(chosen))])
    else:
        end_other_sessions(request, user)
    if request.user.is_authenticated:
        messages.success(request, gettext("Signed out there."))
    return redirect("usersessions_list")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def letters(request: HttpRequest) -> HttpResponse:
    """Which letters one gets."""
    user = signed_in(request)
    if request.method != "POST":
        return render(request, "account/letters.html", {})
    user.wants_letters = request.POST.get("letters") == "on"
    if user.is_staff:
        user.wants_digests = request.POST.get("digests") == "on"
    user.save(update_fields=["wants_letters", "wants_digests"])
    messages.success(request, gettext("Saved."))
    return redirect("account_letters")


BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox": "Firefox", "Chrome": "Chrome",
            "Safari": "Safari"}  # fmt: skip
SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows",
           "Mac OS": "macOS", "Linux": "Linux"}  # fmt: skip


def browser_of(user_agent: str) -> str:
    """What people call it, "Firefox, Windows"; the beginning of the raw word where it is new."""
    named = [
        next((name for part, name in known.items() if part in user_agent), "")
        for known in (BROWSERS, SYSTEMS)  # the order matters: each Edge also says Chrome
    ]
    return ", ".join(filter(None, named)) or user_agent[:40] or "?"
