"""The list to tick: what no program can see in the consoles of Meta and YCloud.

From Meta's and YCloud's set-up pages and what integrators met with (read Feb to Nov 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import launch
from onboarding.doctor.finding import PARTNER, Finding, ok, todo
from onboarding.models import SetupTick
from onboarding.models.onboarding import ConnectionMode
from tenants import audit

Text = str | Promise
PREFIX = "tick_"
YCLOUD = "ycloud"
"""Who has to act: YCloud's people."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. `value`: what has to be entered there, exactly."""

    code: str
    title: Text
    where: Text
    why: Text
    value: Callable[[], str] = str
    who: str = PARTNER


LOGIN = _("App Dashboard, Facebook Login for Business, Settings, Client OAuth settings.")
REVIEW = _("App Dashboard, App Review, Permissions and features.")
NOT_TOGGLED = _("Meta's window says “JSSDK Option is Not Toggled”, or does not open.")
NO_LOGIN = _("Meta's window opens with an error instead of a login.")


def _switch(code: str, title: Text, why: Text) -> Item:
    return Item(code, title, LOGIN, why)


def _config_id(mode: str) -> Callable[[], str]:
    return lambda: str(settings.META_CONFIG_ID[mode])


ITEMS: tuple[Item, ...] = (
    _switch("client_oauth", _("“Client OAuth login” is on"), NO_LOGIN),
    _switch("web_oauth", _("“Web OAuth login” is on"), NO_LOGIN),
    _switch("enforce_https", _("“Enforce HTTPS” is on"), _("Meta demands it of live apps.")),
    _switch("embedded_browser", _("“Embedded Browser OAuth Login” is on"), NO_LOGIN),
    _switch(
        "strict_mode", _("“Use Strict Mode for redirect URIs” is on"),
        _("Codes could be sent to other addresses than yours."),
    ),
    _switch("javascript_sdk", _("“Login with the JavaScript SDK” is on"), NOT_TOGGLED),
    Item(
        "allowed_domain", _("The domain is in “Allowed Domains for the JavaScript SDK”"), LOGIN,
        _("Meta's window says “JSSDK Unknown Host domain”."),
        lambda: f"{settings.SITE_URL}/",
    ),
    Item(
        "redirect_site", _("The site is in “Valid OAuth Redirect URIs”"), LOGIN,
        _("Meta's window says “URL blocked”. Each domain has to be in both lists."),
        lambda: f"{settings.SITE_URL}/",
    ),
    Item(
        "redirect_return", _("The way back is in “Valid OAuth Redirect URIs”"), LOGIN,
        _(
            "“Continue in this tab” comes back there, or Meta says “URL blocked”. In strict mode "
            "the whole address counts, to the last slash."
        ),
        launch.return_address,
    ),
    Item(
        "app_domain", _("The host is in “App domains”"), _("App Dashboard, App settings, Basic."),
        _("Meta's window says “Can't load URL”."),
        lambda: urlsplit(settings.SITE_URL).hostname or "",
    ),
    Item(
        "configuration", _("The configuration is of the type “WhatsApp Embedded Signup”"),
        _(
            "Facebook Login for Business, Configurations, Create from template: “WhatsApp Embedded "
            "Signup Configuration With 60 Expiration Token”; for v4 pick the products there."
        ),
        _("Another type gives a token instead of a code, and no number."),
        _config_id(ConnectionMode.BUSINESS_PLATFORM),
    ),
    Item(
        "configuration_business_app",
        _("So is the one for numbers that stay in the WhatsApp Business app"),
        _("Facebook Login for Business, Configurations."),
        _("The way of coexistence ends with an error."),
        _config_id(ConnectionMode.BUSINESS_APP),
    ),
    Item(
        "app_live", _("The app is “Live”"), _("App Dashboard, the switch at the top."),
        _("Only people with a role in the app get through; others see “Feature unavailable”."),
    ),
    Item(
        "business_verified", _("The business is verified"),
        _("Meta Business Suite, Security centre."),
        _("Without it Meta allows 10 new customers in 7 days and no advanced access."),
    ),
    Item(
        "tech_provider", _("The registration as Tech Provider is finished"),
        _("App Dashboard, WhatsApp, Quickstart."),
        _("Meta's window says that you “cannot onboard customers right now”."),
    ),
    Item(
        "access_management", _("Advanced access to whatsapp_business_management"), REVIEW,
        _("Meta's window shows error 2655111."), lambda: "whatsapp_business_management",
    ),
    Item(
        "access_messaging", _("Advanced access to whatsapp_business_messaging"), REVIEW,
        _("Meta's window shows error 2655111."), lambda: "whatsapp_business_messaging",
    ),
    Item(
        "access_profile", _("Advanced access to public_profile"), REVIEW,
        _("People outside the business see “Feature unavailable”."), lambda: "public_profile",
    ),
    Item(
        "solution_active", _("The partner solution with YCloud is “Active”"),
        _("App Dashboard, WhatsApp, Partner solutions."),
        _("Until YCloud has accepted it, every customer sees an error."),
        lambda: str(settings.META_SOLUTION_ID[ConnectionMode.BUSINESS_PLATFORM]),
    ),
    Item(
        "solution_messages",
        _("In the solution “Send messages and make calls” is “Only my partner”"),
        _("App Dashboard, WhatsApp, Partner solutions; it cannot be changed afterwards."),
        _("Otherwise YCloud cannot send for the customer."),
    ),
    Item(
        "ycloud_partner", _("YCloud has set your account up as a Technical Development Partner"),
        _("Ask YCloud's team."),
        _("Binds are refused, and no payment method is attached."), who=YCLOUD,
    ),
    Item(
        "ycloud_recharge", _("Auto-recharge is on at YCloud"), _("YCloud's console, Billing."),
        _("At a balance of zero every customer's number stops."),
    ),
    Item(
        "own_number", _("A number of your own went the whole way"), _("The signup page."),
        _("Better you meet what is missing than your first customer."),
    ),
)  # fmt: skip
"""In the order in which they are set up."""

CODES = frozenset(item.code for item in ITEMS)


class UnknownItemError(Exception):
    """No item of the list has this code."""


def ticks() -> dict[str, SetupTick]:
    """What is ticked, by its code."""
    return {tick.code: tick for tick in SetupTick.objects.all()}


def tick(code: str, actor: str) -> None:
    """Somebody looked and found it right. Raises UnknownItemError."""
    _known(code)
    with transaction.atomic():
        made, is_new = SetupTick.objects.get_or_create(code=code, defaults={"ticked_by": actor})
        if is_new:
            audit.record(actor, "setup.ticked", made, after={"code": code})


def untick(code: str, actor: str) -> None:
    """It is not right any more. Raises UnknownItemError."""
    _known(code)
    with transaction.atomic():
        row = SetupTick.objects.select_for_update().filter(code=code).first()
        if row is not None:
            audit.record(actor, "setup.unticked", row, before={"code": code})
            row.delete()


def _known(code: str) -> None:
    if code not in CODES:
        raise UnknownItemError(code)


def look() -> Iterator[Finding]:
    """Each item: well when it is ticked, else still to be done."""
    ticked = ticks()
    for item in ITEMS:
        yield of(item, ticked.get(item.code))


def of(item: Item, by: SetupTick | None) -> Finding:
    """The finding about one item."""
    code, title = f"{PREFIX}{item.code}", str(item.title)
    if by is None:
        return todo(
            code, gettext("To confirm: %(title)s.") % {"title": title}, str(item.where),
            why=str(item.why), who=item.who, value=item.value(),
        )  # fmt: skip
    what = gettext("%(title)s (%(who)s, %(day)s).") % {
        "title": title, "who": by.ticked_by, "day": timezone.localdate(by.ticked_at).isoformat(),
    }  # fmt: skip
    return ok(code, what, why=str(item.why), who=item.who, value=item.value())
