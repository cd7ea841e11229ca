"""The one thing that can be set up from here: our webhook endpoint at YCloud."""

from __future__ import annotations

import time

from django.conf import settings

from onboarding import codes, events, journal, quota, ycloud, ycloud_accounts
from onboarding.models import ProviderCall, WebhookSecret
from onboarding.reasons import REASONS
from tenants import audit
from ycloud_client import APIError, WebhookEndpoint, YCloudError

Kind = ProviderCall.Kind

DESCRIPTION = "WhatsApp onboarding"
ALL_SECONDS = 16.0
"""Of all YCloud accounts: one that hangs must not keep the page from being shown."""


class CannotInstallError(Exception):
    """The endpoint could not be installed; the text says why and what to do."""


def webhook_url() -> str:
    """Where YCloud is to send the events of the account at hand."""
    own = ycloud_accounts.now().address
    return f"{settings.SITE_URL}/webhooks/ycloud/{own}{own and '/'}"


def remedy(error: YCloudError) -> str:
    """What to do about an error of YCloud's, from the catalogue."""
    reason = REASONS[codes.reason_for(error)]
    return " ".join(str(line) for line in reason.remedy)


def _endpoint() -> WebhookEndpoint | None:
    """Our endpoint at YCloud, found by its address; read before anything is made twice."""
    url = webhook_url()
    page = ycloud.look_up(
        quota.Lane.PAGE, Kind.LIST_ENDPOINTS, "", lambda c: c.list_webhook_endpoints()
    )
    return next((each for each in page.items if each.url == url), None)


def install_webhook(actor: str = "command") -> str:
    """Register our endpoint with exactly the events that we handle and keep its secret, encrypted;
    at each YCloud account in use.

    May run again and again: an endpoint of our address is brought up to date, not made twice.
    Returns what was done. Raises CannotInstallError, when it has been tried at each.
    """
    done, failed, until = [], [], time.monotonic() + ALL_SECONDS
    for account in ycloud_accounts.active():
        name = "" if account.id is None else f"{account.name}: "
        if time.monotonic() > until:
            failed.append(f"{name}not tried, others took too long: run it again.")
            continue
        with ycloud_accounts.using(account):
            try:
                done.append(f"{name}{_install(actor)}")
            except CannotInstallError as error:
                failed.append(f"{name}{error}")
    if failed:
        raise CannotInstallError(" ".join([*failed, *done]))
    return " ".join(done)


def _install(actor: str) -> str:
    try:
        done = _installed(_endpoint())
    except journal.UnderWayError:
        raise CannotInstallError(
            "Somebody else is installing it: try again in two minutes."
        ) from None
    except YCloudError as error:
        again = " Run it again: it looks first." if codes.may_have_happened(error) else ""
        told = error.message if isinstance(error, APIError) and error.message else str(error)
        raise CannotInstallError(f"YCloud said: {told}. {remedy(error)}{again}") from None
    audit.record(actor, "webhook.installed", after={"url": webhook_url()})
    return done


def _installed(found: WebhookEndpoint | None) -> str:
    if found is None:
        made = _act(lambda c: c.create_webhook_endpoint(
            webhook_url(), events.wanted(), description=DESCRIPTION, status="active"
        ))  # fmt: skip
        return _kept(made, "Installed")
    known = WebhookSecret.objects.filter(endpoint_id=found.id).exists()
    endpoint_id = found.id
    updated = _act(
        lambda c: c.update_webhook_endpoint(
            endpoint_id, enabled_events=events.wanted(), status="active"
        )
    )
    if known:
        return f"Brought up to date: {webhook_url()} ({endpoint_id})."
    secret = updated.secret or found.secret
    if not secret:
        updated = _act(lambda c: c.rotate_webhook_secret(endpoint_id))
    return _kept(updated, "Taken over", secret)


def _act(call: ycloud.Call[WebhookEndpoint]) -> WebhookEndpoint:
    return ycloud.install(Kind.INSTALL_ENDPOINT, webhook_url()[-80:], call)


def _kept(made: WebhookEndpoint, done: str, secret: str | None = None) -> str:
    secret = secret or made.secret
    if not secret:
        raise CannotInstallError(
            f"YCloud did not show the secret of {made.id}: copy it from its console "
            "(Developers, Webhooks) into YCLOUD_WEBHOOK_SECRETS, or the account's own."
        )
    WebhookSecret.objects.update_or_create(
        endpoint_id=made.id,
        defaults={
            "url": webhook_url(),
            "secret": secret,
            "ycloud_account_id": ycloud_accounts.now().id,
        },
    )
    told = f"{done}: {webhook_url()} ({made.id}). Its secret is stored encrypted."
    return told if settings.HTTPS else f"{told} YCloud advises https, which SITE_URL is not."
