"""Our clock against those of others: signatures are good for 300 s, Meta's code lives 30 s."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from onboarding.doctor import http
from onboarding.doctor.finding import Finding, error, ok, unknown, warning

WARN_SECONDS = 5.0
WRONG_SECONDS = 60.0


def judged(code: str, whose: str, skew: float | None) -> Finding:
    """The finding about one clock; `skew`: seconds that it is ahead of ours."""
    if skew is None:
        what = _("%(whose)s tells no time.") % {"whose": whose}
        return unknown(code, what, _("Look at this machine's clock by hand (timedatectl)."))
    told = {"seconds": f"{abs(skew):.0f}", "whose": whose}
    if abs(skew) <= WARN_SECONDS:
        return ok(code, _("Our clock and that of %(whose)s agree.") % told)
    if skew > 0:
        what = _("Our clock is %(seconds)s s behind that of %(whose)s.") % told
    else:
        what = _("Our clock is %(seconds)s s ahead of that of %(whose)s.") % told
    fix = _("Have this machine's clock set by NTP (timedatectl set-ntp true).")
    why = _("A signature older than 300 s is refused, and Meta's code lives 30 s.")
    make = error if abs(skew) > WRONG_SECONDS else warning
    return make(code, what, fix, why=why)


def ycloud() -> Iterator[Finding]:
    """By the Date of any answer of YCloud's; no key is sent."""
    yield _of("ycloud_clock", "YCloud", settings.YCLOUD_API_BASE_URL)


def meta() -> Iterator[Finding]:
    """By the Date of any answer of Graph's."""
    yield _of("meta_clock", "Meta", settings.META_GRAPH_BASE_URL)


def _of(code: str, whose: str, url: str) -> Finding:
    parts = urlsplit(url)
    try:
        return judged(code, whose, http.ask("GET", f"{parts.scheme}://{parts.netloc}/").skew)
    except http.NoAnswerError as failed:
        what = _("%(whose)s does not answer from here: %(error)s") % {
            "whose": whose, "error": failed,
        }  # fmt: skip
        return unknown(code, what, _("Look whether this machine may reach it."))


def database() -> Iterator[Finding]:
    """By PostgreSQL's clock: due times are compared with it."""
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        (told,) = cursor.fetchone()
    yield judged("database_clock", "PostgreSQL", float(told) - (before + time.time()) / 2)
