"""Whether the outside is set up as the product needs it, and the one thing it can set up itself.

So far: our webhook endpoint at YCloud, its events and its secret, whether Meta's grant can be
proven, our share of the quota, the database (that it forgets nothing and keeps tenants apart), and
the partner's own endpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from onboarding import codes, events, proof, quota, tombstones, ycloud
from onboarding.models import ProviderCall, WebhookSecret
from onboarding.models import WebhookEndpoint as Endpoint
from onboarding.reasons import REASONS
from ycloud_client import APIError, WebhookEndpoint, YCloudError

Kind = ProviderCall.Kind

DESCRIPTION = "WhatsApp onboarding"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where all is well."""

    code: str
    what: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        return not self.remedy


class CannotInstallError(Exception):
    """The endpoint could not be installed; the text says why and what to do."""


def webhook_url() -> str:
    """Where YCloud is to send its events."""
    return f"{settings.SITE_URL}/webhooks/ycloud/"


def examine() -> list[Finding]:
    """Look at everything; raises nothing of YCloud's."""
    try:
        outside = _webhook()
    except YCloudError as error:
        outside = [Finding("ycloud", f"YCloud could not be asked: {error}", _remedy(error))]
    return [*outside, _proof(), _quota(), _durability(), _wall(), *_tombstones(), *_outbound()]


def _webhook() -> list[Finding]:
    ours = _endpoint()
    install = "Run `manage.py doctor --install-webhook`."
    if ours is None:
        return [Finding("webhook", f"YCloud has no endpoint for {webhook_url()}.", install)]
    found = [_events(ours, install), _active(ours, install), _secret(ours, install)]
    return [each for each in found if not each.is_well] or [
        Finding("webhook", f"YCloud sends {len(events.wanted())} kinds of events here.")
    ]


def _events(ours: WebhookEndpoint, install: str) -> Finding:
    missing = sorted(set(events.wanted()) - set(ours.enabled_events))
    more = sorted(set(ours.enabled_events) - set(events.wanted()))
    if missing:
        return Finding("webhook_events", f"Not sent: {', '.join(missing)}.", install)
    if more:
        return Finding("webhook_events", f"Sent for nothing: {', '.join(more)}.", install)
    return Finding("webhook_events", "The events are right.")


def _active(ours: WebhookEndpoint, install: str) -> Finding:
    if ours.status in (None, "active"):
        return Finding("webhook_status", "The endpoint is active.")
    told = f"The endpoint is {ours.status!r}: YCloud sends nothing."
    return Finding("webhook_status", told, f"Mend what made it fail; then: {install}")


def _secret(ours: WebhookEndpoint, install: str) -> Finding:
    stored = WebhookSecret.objects.filter(endpoint_id=ours.id).exists()
    if stored or settings.YCLOUD_WEBHOOK_SECRETS:
        return Finding("webhook_secret", "There is a secret to check signatures with.")
    return Finding("webhook_secret", "No secret is known here: every event is refused.", install)


def _proof() -> Finding:
    """Nobody asks Meta here: only whether it could be asked, and what is done without."""
    if settings.META_APP_SECRET or settings.ONBOARDING_UNPROVEN_IS_SET:
        return Finding("proof", proof.of_partner())
    remedy = "Set META_APP_SECRET, or decide with ONBOARDING_UNPROVEN=continue|review|stop."
    return Finding("proof", proof.of_partner(), remedy)


def _quota() -> Finding:
    used, most = quota.used_in_the_hour(), settings.YCLOUD_QUOTA_PER_HOUR
    told = f"{used} of {most} calls in the last hour; background looks x {quota.pressure():.2f}."
    if used < most:
        return Finding("quota", told)
    return Finding("quota", told, "Raise YCLOUD_QUOTA_PER_HOUR if YCloud allows more.")


def _durability() -> Finding:
    """An intent that a crash of the database forgets cannot keep an act from being repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
        commit, fsync = cursor.fetchone()
    if commit != "off" and fsync == "on":
        return Finding("durability", "What the database has committed survives its crash.")
    told = f"PostgreSQL runs with synchronous_commit={commit} and fsync={fsync}."
    remedy = "Switch both on: after a crash an act could be repeated that nobody remembers."
    return Finding("durability", told, remedy)


def _wall() -> Finding:
    """The app's role is bound by row-level security and cannot switch it off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolbypassrls, EXISTS (SELECT 1 FROM pg_tables WHERE "
            "tablename = 'onboarding_onboarding' AND tableowner = current_user) "
            "FROM pg_roles WHERE rolname = current_user"
        )
        unbound, owns = cursor.fetchone()
    if not unbound and not owns:
        return Finding("wall", "PostgreSQL keeps tenants apart for the app's role.")
    told = (
        "The app's database role is not bound by row-level security."
        if unbound
        else "The app's database role owns the tables, so it could switch their walls off."
    )
    remedy = "Use a role of its own in DATABASE_URL (deploy/roles.sh); migrate as the owner."
    return Finding("wall", told, remedy)


def _outbound() -> list[Finding]:
    """The partner's own endpoints; silent where there are none."""
    endpoints = list(Endpoint.objects.all())
    found = [_of_endpoint(each) for each in endpoints]
    if settings.OUTBOUND_ALLOW_PRIVATE and not settings.SANDBOX_ORIGIN and endpoints:
        told = "Webhook endpoints may be at private addresses (OUTBOUND_ALLOW_PRIVATE)."
        found.append(Finding("outbound_private", told))
    return found


def _of_endpoint(endpoint: Endpoint) -> Finding:
    name = f"Our webhooks to {endpoint}"
    if not endpoint.enabled and endpoint.disabled_reason != Endpoint.Disabled.BY_STAFF:
        told = f"{name} are off: {endpoint.get_disabled_reason_display()}."
        return Finding("outbound", told, "Mend the receiver, then switch it on in the admin.")
    if not endpoint.signing_secrets:
        told = f"{name} cannot be signed: the secret was encrypted with a key that is gone."
        return Finding("outbound", told, "Put the key back into FIELD_ENCRYPTION_KEYS, or rotate.")
    if endpoint.enabled and endpoint.failing_since:
        told = f"{name} have failed since {endpoint.failing_since:%Y-%m-%d %H:%M}."
        return Finding("outbound", told, "Look at Deliveries in the admin: each try is there.")
    return Finding("outbound", f"{name} are {'taken' if endpoint.enabled else 'off by choice'}.")


def _tombstones() -> list[Finding]:
    """Silent while nothing was ever erased."""
    if tombstones.can_be_read():
        return []
    told = "The key of the tombstones cannot be opened: events about erased tenants are kept again."
    return [Finding("tombstones", told, "Put the old key back into FIELD_ENCRYPTION_KEYS.")]


def _remedy(error: YCloudError) -> str:
    reason = REASONS[codes.reason_for(error)]
    return " ".join(str(line) for line in reason.remedy)


def _endpoint() -> WebhookEndpoint | None:
    """Our endpoint at YCloud, found by its address; read before anything is made twice."""
    url = webhook_url()
    page = ycloud.look_up(
        quota.Lane.PAGE, Kind.LIST_ENDPOINTS, "", lambda c: c.list_webhook_endpoints()
    )
    return next((each for each in page.items if each.url == url), None)


def install_webhook() -> str:
    """Register our endpoint with exactly the events that we handle and keep its secret, encrypted.

    May run again and again: an endpoint of our address is brought up to date, not made twice.
    Returns what was done. Raises CannotInstallError.
    """
    try:
        return _installed(_endpoint())
    except ycloud.UnderWayError:
        raise CannotInstallError(
            "Somebody else is installing it: try again in two minutes."
        ) from None
    except YCloudError as error:
        again = " Run it again: it looks first." if codes.may_have_happened(error) else ""
        told = error.message if isinstance(error, APIError) and error.message else str(error)
        raise CannotInstallError(f"YCloud said: {told}. {_remedy(error)}{again}") from None


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
            "(Developers, Webhooks) into YCLOUD_WEBHOOK_SECRETS."
        )
    WebhookSecret.objects.update_or_create(
        endpoint_id=made.id, defaults={"url": webhook_url(), "secret": secret}
    )
    told = f"{done}: {webhook_url()} ({made.id}). Its secret is stored encrypted."
    return told if settings.HTTPS else f"{told} YCloud advises https, which SITE_URL is not."
