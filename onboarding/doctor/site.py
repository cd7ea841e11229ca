"""The site as it is served: address, certificate, and the headers that the signup page lives by.

The page is asked for at SITE_URL, through whatever stands before us. Where that does not answer
from here, this process is asked itself, and the finding says so: a proxy may still change things.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.utils.translation import gettext as _

from onboarding.doctor import clock, http
from onboarding.doctor.csp import policy
from onboarding.doctor.finding import Finding, Level, error, for_live, ok, warning

PAGE = "/connect/"
OPENER = "same-origin-allow-popups"
COOP = "Cross-Origin-Opener-Policy"


def address() -> Iterator[Finding]:
    """SITE_URL: https, a public name, and one that is answered here."""
    told = {"url": settings.SITE_URL}
    fix = _("Set SITE_URL to the public https address of the signup pages.")
    if settings.HTTPS:
        yield ok("site_https", _("SITE_URL is %(url)s.") % told)
    else:
        what = _("SITE_URL is %(url)s: Meta's SDK works on https pages only.") % told
        yield for_live("site_https", what, fix)
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not _is_public(host):
        what = _("%(host)s is not a public address.") % {"host": host}
        why = _("Neither customers nor YCloud's webhooks reach it.")
        yield for_live("site_public", what, fix, why=why)
    yield _hosts(host)


def _is_public(host: str) -> bool:
    """Whether any address of the name is public; a name that cannot be looked up passes here."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        told = [str(each[4][0]) for each in socket.getaddrinfo(host, None)]
    except OSError:
        return True
    return any(ipaddress.ip_address(each.partition("%")[0]).is_global for each in told)


def _hosts(host: str) -> Finding:
    allowed = settings.ALLOWED_HOSTS
    told = {"hosts": ", ".join(allowed), "host": host}
    if "*" in allowed:
        what = _("ALLOWED_HOSTS lets any host name in.")
        return warning("allowed_hosts", what, _("Set it to %(host)s.") % told)
    if not any(host == each or (each[:1] == "." and host.endswith(each)) for each in allowed):
        what = _("%(host)s, the host of SITE_URL, is not in ALLOWED_HOSTS (%(hosts)s).") % told
        why = _("Every request to it is answered with 400.")
        return error("allowed_hosts", what, _("Add %(host)s.") % told, why=why)
    return ok("allowed_hosts", _("Answered are: %(hosts)s.") % told)


def debug() -> Iterator[Finding]:
    """DEBUG shows settings and code to whoever finds an error."""
    if settings.DEBUG:
        yield error(
            "debug", _("DEBUG is on."), _("Switch it off: errors show settings to anybody.")
        )


def proxies() -> Iterator[Finding]:
    """TRUSTED_PROXIES names no whole internet."""
    for each in settings.TRUSTED_PROXIES:
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            what = _("TRUSTED_PROXIES names “%(each)s”, which is no address.") % {"each": each}
            yield error("trusted_proxies", what, _("Name addresses or networks (10.0.0.0/24)."))
            continue
        if network.prefixlen == 0:
            what = _("TRUSTED_PROXIES trusts every address (%(each)s).") % {"each": each}
            why = _("Anybody can claim any address of origin, and so pass the limits.")
            yield error("trusted_proxies", what, _("Name your proxies alone."), why=why)


def served() -> Iterator[Finding]:
    """The signup page through SITE_URL, and its headers one by one."""
    url = f"{settings.SITE_URL}{PAGE}"
    try:
        seen = http.ask("GET", url)
    except http.NoAnswerError as failed:
        yield _unreached(failed)
        if not failed.is_certificate:
            yield from _headers(_as_this_process_would(url), here=True)
        return
    if _is_loop(seen, url):
        yield _loop()
        return
    if seen.status not in (200, 302):
        what = _("%(url)s answers with status %(status)d.") % {"url": url, "status": seen.status}
        yield error("site_reachable", what, _("Look what answers there: is it this site?"))
        return
    yield ok("site_reachable", _("%(url)s answers.") % {"url": url})
    yield from _headers(seen, here=False)
    yield _clock(seen)


def _unreached(failed: http.NoAnswerError) -> Finding:
    told = {"url": settings.SITE_URL, "error": failed}
    if failed.is_certificate:
        what = _("The certificate of %(url)s is not valid: %(error)s") % told
        fix = _("Renew it, with the whole chain, for this very name.")
        return error("certificate", what, fix, why=_("Browsers and YCloud refuse the site."))
    what = _("%(url)s does not answer from here: %(error)s") % told
    fix = _("Look whether name and proxy are right; from outside, if this machine cannot know.")
    why = _("The rest is as this process would serve it; a proxy may change it.")
    return for_live("site_reachable", what, fix, level=Level.WARNING, why=why)


def _as_this_process_would(url: str) -> http.Seen:
    return http.ask("GET", url, transport=httpx.WSGITransport(app=WSGIHandler()))


def _is_loop(seen: http.Seen, url: str) -> bool:
    """Redirected to itself: it takes a request that came by https for one by http."""
    return seen.status in (301, 302, 307, 308) and seen.headers.get("Location", "") == url


def _loop() -> Finding:
    return error(
        "forwarded_proto",
        _("The site redirects %(url)s to itself, for ever.") % {"url": settings.SITE_URL},
        _(
            "Have the proxy send X-Forwarded-Proto, and name the proxy's address in "
            "TRUSTED_PROXIES: headers of anybody else count for nothing."
        ),
        why=_("The app does not learn that the request came by https."),
    )


def _headers(seen: http.Seen, *, here: bool) -> Iterator[Finding]:
    by = _("as this process would serve it") if here else _("as served")
    yield _coop(seen.each(COOP), by)
    yield policy(seen.each("Content-Security-Policy"), by)
    if settings.HTTPS and not here:
        yield _hsts(seen.each("Strict-Transport-Security"))


def _coop(values: list[str], by: str) -> Finding:
    """Meta's window must keep its opener, or neither message nor code comes back."""
    told = {"by": by, "value": " | ".join(values), "wanted": OPENER}
    why = _("The browser cuts Meta's window from our page: no message and no code come back.")
    fix = _("Have the proxy leave %(header)s as the app sends it.") % {"header": COOP}
    if not values:
        what = _("The signup page has no Cross-Origin-Opener-Policy (%(by)s).") % told
        return warning("coop", what, fix, why=_("It works, but something strips our headers."))
    if values != [OPENER]:
        what = _("Cross-Origin-Opener-Policy is “%(value)s” (%(by)s), not “%(wanted)s”.") % told
        return error("coop", what, fix, why=why)
    return ok("coop", _("Cross-Origin-Opener-Policy is %(value)s (%(by)s).") % told)


def _hsts(values: list[str]) -> Finding:
    age = re.search(r"max-age=([0-9]+)", values[0]) if len(values) == 1 else None
    if age and int(age[1]) > 0:
        return ok("hsts", _("Browsers are told to use https only (HSTS)."))
    what = _("Strict-Transport-Security is missing, empty or sent twice.")
    return warning("hsts", what, _("Have the proxy leave the app's header alone."))


def _clock(seen: http.Seen) -> Finding:
    return clock.judged("site_clock", _("the site's own server"), seen.skew)


def plain() -> Iterator[Finding]:
    """http:// leads to https://, where the site is https at the usual port."""
    parts = urlsplit(settings.SITE_URL)
    if settings.HTTPS and parts.port is None:
        yield from redirects(f"http://{parts.netloc}{PAGE}")


def redirects(url: str) -> Iterator[Finding]:
    """Whether this address leads to https; nothing there at all is as good."""
    try:
        seen = http.ask("GET", url)
    except http.NoAnswerError:
        yield ok("redirect", _("Nothing answers at http://, so nothing is sent in the open."))
        return
    if seen.headers.get("Location", "").startswith("https://"):
        yield ok("redirect", _("http:// leads to https://."))
        return
    what = _("%(url)s is answered in the open (status %(status)d).") % {
        "url": url, "status": seen.status,
    }  # fmt: skip
    yield error("redirect", what, _("Have the proxy redirect http to https."))


def healthz() -> Iterator[Finding]:
    """The probe that load balancers ask, by the name from outside."""
    url = f"{settings.SITE_URL}/healthz"
    try:
        seen = http.ask("GET", url)
    except http.NoAnswerError:
        return  # told already, with more to it
    if seen.status == 200 and seen.body == b"ok\n":
        yield ok("healthz", _("%(url)s says ok.") % {"url": url})
        return
    what = _("%(url)s answers with status %(status)d, and not with our “ok”.") % {
        "url": url, "status": seen.status,
    }  # fmt: skip
    yield error("healthz", what, _("Look what answers there: is it this site?"))
