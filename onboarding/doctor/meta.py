"""Meta: the ids, the signup version, the SDK, the app's secret, and the cap on new customers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from onboarding import launch, meta, proof, vitals
from onboarding.doctor import http
from onboarding.doctor.finding import (
    PARTNER,
    Finding,
    Level,
    error,
    for_live,
    ok,
    unknown,
    warning,
)
from onboarding.models.onboarding import ConnectionMode

ENDED: dict[str, date] = {
    # Meta, versions page, 21 May 2026: v2 "until 15 October 2026", v3 "October 2026", v4 open.
    "v2": date(2026, 10, 15),
    "v3": date(2026, 10, 31),
}
OLDEST_SDK = 22
"""Of Meta's and YCloud's samples (Nov 2026); older Graph versions end first."""

SECRET_SECONDS = 8.0


def sandbox() -> Iterator[Finding]:
    """Whether both sides are the stand-in."""
    if not settings.SANDBOX_ORIGIN:
        yield ok("sandbox", _("The real Meta and the real YCloud are in use."))
        return
    yield for_live(
        "sandbox",
        _("Both sides are the sandbox: Meta's window and YCloud are stand-ins."),
        _(
            "To go live set META_APP_ID and YCLOUD_API_KEY; the sandbox is off then. Follow "
            "docs/setup.md: what is still to be done is marked on this page."
        ),
        why=_("No real number can be connected with it."),
    )


def ids() -> Iterator[Finding]:
    """App, configuration and solution, of both ways to connect."""
    yield _id("META_APP_ID", settings.META_APP_ID, _("App Dashboard, App settings, Basic."))
    for mode in ConnectionMode.values:
        name = _of_mode("META_CONFIG_ID", mode)
        where = _("Facebook Login for Business, Configurations: Create from template.")
        yield _id(name, settings.META_CONFIG_ID[mode], where)
    for mode in ConnectionMode.values:
        yield _solution(_of_mode("META_SOLUTION_ID", mode), settings.META_SOLUTION_ID[mode])


def _of_mode(name: str, mode: str) -> str:
    return name if mode == ConnectionMode.BUSINESS_PLATFORM else f"{name}_BUSINESS_APP"


def _id(name: str, value: str, where: str) -> Finding:
    code = name.lower()
    why = _("Without it Meta's window cannot be opened.")
    remedy = _("Set %(name)s. %(where)s") % {"name": name, "where": where}
    if not value:
        return error(code, _("%(name)s is not set.") % {"name": name}, remedy, why=why)
    told = {"name": name, "value": value}
    if not (value.isascii() and value.isdigit()):
        what = _("%(name)s is “%(value)s”: Meta's ids are digits only.") % told
        return error(code, what, remedy, why=why)
    if name != "META_APP_ID" and value == settings.META_APP_ID:
        what = _("%(name)s is the id of the app itself.") % told
        return error(code, what, remedy, why=why)
    if not 10 <= len(value) <= 20:
        what = _("%(name)s is %(value)s: Meta's ids have about 15 digits.") % told
        return warning(code, what, remedy, why=why)
    return ok(code, _("%(name)s is %(value)s.") % told)


def _solution(name: str, value: str) -> Finding:
    where = _("App Dashboard, WhatsApp, Partner solutions.")
    if value:
        return _id(name, value, where)
    return for_live(
        name.lower(),
        _("%(name)s is not set.") % {"name": name},
        _("Set %(name)s. %(where)s") % {"name": name, "where": where},
        why=_("The customer's account is not shared with YCloud and Meta asks them for a card."),
    )


def signup_version() -> Iterator[Finding]:
    """Of each way to connect, and whether Meta still offers it."""
    for mode in ConnectionMode.values:
        name = _of_mode("META_SIGNUP_VERSION", mode)
        yield _version(name, settings.META_SIGNUP_VERSION[mode])


def _version(name: str, version: str) -> Finding:
    told = {"name": name, "version": version}
    code, ends = name.lower(), ENDED.get(version)
    if ends is None:
        implies = _("%(name)s is %(version)s: the products come from the configuration.") % told
        return ok(code, implies)
    remedy = (
        _(
            "Make a new configuration for v4 (Facebook Login for Business, Configurations), put "
            "its id into META_CONFIG_ID and set %(name)s=v4."
        )
        % told
    )
    why = _("After that day Meta's window may open with an error, or not at all.")
    told["day"] = ends.isoformat()
    if timezone.localdate() > ends:
        what = _("%(name)s is %(version)s, which Meta ended on %(day)s.") % told
        return error(code, what, remedy, why=why, who=PARTNER)
    what = _("%(name)s is %(version)s, which Meta ends on %(day)s.") % told
    return warning(code, what, remedy, why=why, who=PARTNER)


def sdk_version() -> Iterator[Finding]:
    """`META_SDK_VERSION` and `META_GRAPH_VERSION`."""
    for name in ("META_SDK_VERSION", "META_GRAPH_VERSION"):
        value = getattr(settings, name)
        told = {"name": name, "value": value, "oldest": f"v{OLDEST_SDK}.0"}
        written = re.fullmatch(r"v([0-9]{1,3})\.[0-9]", value)
        remedy = _("Set %(name)s to %(oldest)s or newer.") % told
        if written is None:
            what = _("%(name)s is “%(value)s”: versions look like %(oldest)s.") % told
            yield error(name.lower(), what, remedy)
        elif int(written[1]) < OLDEST_SDK:
            what = _("%(name)s is %(value)s, older than %(oldest)s.") % told
            yield warning(
                name.lower(), what, remedy, why=_("Meta ends old versions after two years.")
            )
        else:
            yield ok(name.lower(), _("%(name)s is %(value)s.") % told)


def sdk() -> Iterator[Finding]:
    """The script that opens Meta's window: its address, and what is there."""
    url = settings.META_SDK_URL
    remedy = _("Unset META_SDK_URL, so that Meta's own address is used.")
    if urlsplit(url).scheme != "https" and not settings.SANDBOX_ORIGIN:
        what = _("META_SDK_URL is %(url)s, which is not https.") % {"url": url}
        yield error("meta_sdk_https", what, remedy)
    try:
        seen = http.ask("GET", url)
    except http.NoAnswerError as failed:
        what = _("Meta's SDK could not be loaded from here: %(error)s") % {"error": failed}
        yield warning(
            "meta_sdk_url", what,
            _("Look whether this machine may reach it; customers' browsers have to."),
            why=_("Without the SDK the button on the page stays off."),
        )  # fmt: skip
        return
    told = {"url": url, "status": seen.status, "kind": seen.headers.get("Content-Type", "?")}
    if seen.status != 200:
        what = _("Meta's SDK at %(url)s answers with status %(status)s.") % told
        yield error("meta_sdk_url", what, remedy)
    elif "javascript" not in told["kind"] or seen.body.lstrip()[:1] == b"<":
        what = _("What is at %(url)s is no script (%(kind)s).") % told
        yield error("meta_sdk_url", what, remedy)
    else:
        yield ok("meta_sdk_url", _("Meta's SDK is loaded from %(url)s.") % told)


def dialog() -> Iterator[Finding]:
    """*Continue in this tab*: whether it is offered, and where Meta leads back to."""
    url = settings.META_DIALOG_URL
    if urlsplit(url).scheme != "https" and not settings.SANDBOX_ORIGIN:
        what = _("META_DIALOG_URL is %(url)s, which is not https.") % {"url": url}
        remedy = _("Unset META_DIALOG_URL, so that Meta's own address is used.")
        yield error("meta_dialog_url", what, remedy)
        return
    back = launch.return_address()
    if launch.offers_dialog():
        what = _("“Continue in this tab” is offered; Meta leads back to %(back)s.")
        yield ok("meta_dialog", what % {"back": back}, value=back)
        return
    yield for_live(
        "meta_dialog", _("“Continue in this tab” is not offered."),
        _("Set META_APP_SECRET and what else is missing here."), level=Level.WARNING,
        why=_("Where Meta's window or script cannot work, customers need another browser."),
    )  # fmt: skip


def app_secret() -> Iterator[Finding]:
    """Graph is asked with the app's own token, which travels in a header, never in an address."""
    if not settings.META_APP_SECRET or not settings.META_APP_ID:
        return
    remedy = _("Copy the app secret anew: App Dashboard, App settings, Basic.")
    why = _("With a wrong secret no grant can be read: every connection stays unproven.")
    try:
        meta.check_app(SECRET_SECONDS)
    except meta.RefusedError as refused:
        what = _("Meta refuses META_APP_ID with META_APP_SECRET (error %(code)s).") % {
            "code": refused
        }
        yield error("meta_app_secret", what, remedy, why=why)
    except meta.NoAnswerError:
        what = _("META_APP_SECRET is set; Meta's Graph did not answer, so it is not checked.")
        look = _("Look whether this machine may reach META_GRAPH_BASE_URL.")
        yield unknown("meta_app_secret", what, look, why=why)
    else:
        yield ok("meta_app_secret", _("Meta accepts the app's secret."))


def proven() -> Iterator[Finding]:
    """Nobody is asked here: only whether grants can be read, and what is done without."""
    if settings.META_APP_SECRET or settings.ONBOARDING_UNPROVEN_IS_SET:
        yield ok("proof", proof.of_partner())
        return
    yield error(
        "proof", proof.of_partner(),
        _("Set META_APP_SECRET, or decide with ONBOARDING_UNPROVEN=continue|review|stop."),
        who=PARTNER,
    )  # fmt: skip


def cap() -> Iterator[Finding]:
    """Meta's limit on new customers, against what was used of it."""
    new = vitals.new_customers()
    what = _("%(used)d of %(most)d new customers in the last 7 days.") % {
        "used": new.used, "most": new.most,
    }  # fmt: skip
    if not new.is_near:
        yield ok("new_customers", what)
        return
    yield warning(
        "new_customers", what,
        _(
            "Ask Meta for more (business verification and app review: 200), then set "
            "META_NEW_CUSTOMERS_PER_7_DAYS."
        ),
        why=_("Over the cap Meta's window refuses new customers."), who=PARTNER,
    )  # fmt: skip
