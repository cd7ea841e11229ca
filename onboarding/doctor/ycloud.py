"""YCloud: the key, the balance, our share of the quota, and the webhook as YCloud has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from onboarding import events, quota, ycloud, ycloud_accounts
from onboarding.doctor.finding import (
    PARTNER,
    Finding,
    Group,
    error,
    of_account,
    ok,
    unknown,
    warning,
)
from onboarding.doctor.install import ALL_SECONDS, remedy, webhook_url
from onboarding.models import ProviderCall, WebhookSecret
from onboarding.vitals import Balance
from ycloud_client import AuthenticationError, Page, WebhookEndpoint, YCloudError

Kind = ProviderCall.Kind
ASK_SECONDS = 8.0


def account() -> Iterator[Finding]:
    """Of each YCloud account two reads at once: our key, what is left to spend, our endpoint."""
    until = time.monotonic() + ALL_SECONDS
    for each in ycloud_accounts.active():
        with ycloud_accounts.using(each):
            found = list(_account() if time.monotonic() < until else _not_asked())
        yield from of_account(each, found)


def _not_asked() -> Iterator[Finding]:
    what = _("It was not asked: others took too long to answer.")
    yield unknown("ycloud", what, _("Look again."))


def _key_name() -> str:
    return _("its key") if ycloud_accounts.now().id is not None else "YCLOUD_API_KEY"


def _account() -> Iterator[Finding]:
    if not ycloud_accounts.now().api_key:
        fix = _("Make a key in YCloud's console (Developers) and set %(key)s.")
        what = _("%(key)s is not set.")
        told = {"key": _key_name()}
        yield error("ycloud_key", what % told, fix % told, who=PARTNER)
        return
    wanted: list[tuple[Kind, str, ycloud.Call[Any]]] = [
        (Kind.LIST_ENDPOINTS, "", lambda c: c.list_webhook_endpoints()),
        (Kind.BALANCE, "", lambda c: c.retrieve_balance()),
    ]
    endpoints, balance = ycloud.look_up_all(quota.Lane.PAGE, *wanted, seconds=ASK_SECONDS)
    yield from _key(endpoints)
    if not isinstance(balance, YCloudError):
        yield _balance(Balance(balance.amount, balance.currency, timezone.now()))
    elif not isinstance(endpoints, YCloudError):
        what = _("The balance could not be read: %(error)s") % {"error": balance}
        yield unknown("balance", what, remedy(balance))
    if isinstance(endpoints, Page):
        for found in _webhook(endpoints):
            yield replace(found, group=Group.WEBHOOK)


def _key(answer: object) -> Iterator[Finding]:
    if not isinstance(answer, YCloudError):
        yield ok("ycloud", _("YCloud answers and accepts our key."))
    elif isinstance(answer, AuthenticationError):
        what = _("YCloud refuses %(key)s: %(error)s") % {"error": answer, "key": _key_name()}
        fix = _("Copy the key anew from YCloud's console (Developers), or make another one.")
        yield error("ycloud", what, fix, who=PARTNER)
    else:
        what = _("YCloud could not be asked: %(error)s") % {"error": answer}
        yield error("ycloud", what, remedy(answer))


def _balance(balance: Balance) -> Finding:
    told = {"amount": f"{balance.amount:.2f}", "currency": balance.currency}
    if not balance.is_low:
        return ok("balance", _("The balance at YCloud is %(amount)s %(currency)s.") % told)
    make = error if balance.amount <= 0 else warning
    return make(
        "balance", _("The balance at YCloud is only %(amount)s %(currency)s.") % told,
        _("Top it up in YCloud's console, and switch auto-recharge on there."),
        why=_("At zero every customer's number stops."), who=PARTNER,
    )  # fmt: skip


def share() -> Iterator[Finding]:
    """Calls of the last hour against our share of each account's quota."""
    for each in ycloud_accounts.active():
        with ycloud_accounts.using(each):
            found = list(_share(each.per_hour))
        yield from of_account(each, found)


def _share(most: int) -> Iterator[Finding]:
    used = quota.used_in_the_hour()
    what = _("%(used)d of %(most)d calls in the last hour; background looks x %(factor)s.") % {
        "used": used, "most": most, "factor": f"{quota.pressure():.2f}",
    }  # fmt: skip
    if used < most:
        yield ok("quota", what)
        return
    fix = _("Raise YCLOUD_QUOTA_PER_HOUR, or the account's own, if YCloud allows more.")
    yield warning("quota", what, fix, why=_("New numbers wait until the hour has passed."))


# --- The webhook, as YCloud has it --------------------------------------------------------------


def _install() -> str:
    return _("Run `manage.py doctor --install-webhook`, or press “Install the webhook” here.")


def _webhook(page: Page[WebhookEndpoint]) -> list[Finding]:
    ours = next((each for each in page.items if each.url == webhook_url()), None)
    if ours is None:
        what = _("YCloud has no endpoint for %(url)s.") % {"url": webhook_url()}
        why = _("Nothing is pushed: numbers are found by looking alone, later.")
        return [error("webhook", what, _install(), why=why, value=webhook_url())]
    found = [_events(ours), _active(ours), _secret(ours)]
    return [each for each in found if not each.is_well] or [
        ok(
            "webhook", _("YCloud sends %(n)d kinds of events here.") % {"n": len(events.wanted())},
            value=webhook_url(),
        )
    ]  # fmt: skip


def _events(ours: WebhookEndpoint) -> Finding:
    missing = sorted(set(events.wanted()) - set(ours.enabled_events))
    more = sorted(set(ours.enabled_events) - set(events.wanted()))
    if missing:
        what = _("Not sent: %(events)s.") % {"events": ", ".join(missing)}
        return error("webhook_events", what, _install())
    if more:
        what = _("Sent for nothing: %(events)s.") % {"events": ", ".join(more)}
        return warning("webhook_events", what, _install())
    return ok("webhook_events", _("The events are right."))


def _active(ours: WebhookEndpoint) -> Finding:
    if ours.status in (None, "active"):
        return ok("webhook_status", _("The endpoint is active."))
    what = _("The endpoint is “%(status)s”: YCloud sends nothing.") % {"status": ours.status}
    fix = _("Mend what made it fail; then: %(install)s") % {"install": _install()}
    return error("webhook_status", what, fix)


def _secret(ours: WebhookEndpoint) -> Finding:
    stored = WebhookSecret.objects.filter(endpoint_id=ours.id).exists()
    sender = ycloud_accounts.sender(ycloud_accounts.now().address)
    if stored or (sender is not None and sender.entered):
        return ok("webhook_secret", _("There is a secret to check signatures with."))
    what = _("No secret is known here: every event is refused.")
    return error("webhook_secret", what, _install())
