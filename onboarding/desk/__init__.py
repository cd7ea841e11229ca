"""The partner's desk, the first page of the admin: who is stuck, why, and what to do.

`figures` counts, this draws: every figure leads to the list of the rows that it counts. What
stands still now is counted as the page is asked for; the way to connected once a minute (`tally`).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from onboarding import figures, tally
from onboarding.desk import machine, sections
from onboarding.desk.links import Links, may
from onboarding.models import Onboarding

DAYS = 30
"""The window of the funnel when none is asked for."""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """UNFOLD's DASHBOARD_CALLBACK: what `templates/admin/index.html` draws."""
    context["title"] = _("Desk")
    context["may_look"] = may(request, "view", "onboardings")
    if context["may_look"]:
        context["desk"] = _desk(request, Links(request))
    return context


def _desk(request: HttpRequest, links: Links) -> dict[str, Any]:
    standings = figures.standings()
    signs = machine.signs(links)
    found: dict[str, Any] = {
        "now": timezone.localtime(),
        "signs": signs,
        "alarms": [sign for sign in signs if sign.tone == "stop"],
        "is_empty": not standings and not Onboarding.objects.exists(),
    }
    if found["is_empty"]:
        return found | {"first_steps": sections.first_steps(links)}
    days, kept = _days(request), tally.latest()
    unwell = figures.unwell()
    return found | {
        "tiles": sections.tiles(links, standings, unwell),
        "stuck": sections.stuck(links),
        "open": sections.open_states(links, standings),
        "bands": sections.BAND_LABELS,
        "others": sections.other_states(links, kept.states),
        "unwell": sections.unwell(links, unwell),
        "days": days,
        "tabs": sections.tabs(days),
        "funnel": sections.funnel(links, kept.funnels[days], days),
        "steps": sections.lost_steps(links, kept.lost_steps[days], days),
        "took": sections.took(links, kept.took[days], days),
        "counted_at": timezone.localtime(kept.at),
    }


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in figures.WINDOWS if str(days) == asked), DAYS)
