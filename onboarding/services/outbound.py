"""The partner's webhook endpoints: made, changed, switched, rotated; deliveries sent again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import outbound, outbound_events, tasks
from onboarding.models import Delivery, WebhookEndpoint
from onboarding.models.outbound import new_secret
from onboarding.services.errors import RefusedError
from tenants import audit
from tenants.models import Tenant, User

BOTH_SIGN = timedelta(hours=24)
"""How long the old secret signs beside the new one."""

Standing = Delivery.Standing


def create_endpoint(
    url: str, *, actor: str, description: str = "", event_types: Iterable[str] = (),
    only_tenant: Tenant | None = None, created_by: User | None = None,
) -> tuple[WebhookEndpoint, str]:  # fmt: skip
    """A new endpoint and its secret, which is shown this once. Raises RefusedError."""
    secret = new_secret()
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.create(
            url=_checked(url),
            description=description,
            secret=secret,
            event_types=_known(event_types),
            only_tenant=only_tenant,
            created_by=created_by,
        )
        audit.record(actor, "webhook_endpoint.created", endpoint, after=_shown(endpoint))
    return endpoint, secret


def change_endpoint(
    endpoint: WebhookEndpoint, actor: str, *, url: str, description: str,
    event_types: Iterable[str], only_tenant: Tenant | None,
) -> WebhookEndpoint:  # fmt: skip
    """Another address, other events. What waits goes to the new address. Raises RefusedError."""
    wanted = {
        "url": _checked(url),
        "description": description,
        "event_types": _known(event_types),
        "only_tenant": only_tenant,
    }
    with transaction.atomic():
        endpoint = _lock(endpoint)
        before = _shown(endpoint)
        for name, value in wanted.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(wanted))
        _drop_unwanted(endpoint)
        after = _shown(endpoint)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            audit.record(
                actor, "webhook_endpoint.changed", endpoint,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )  # fmt: skip
    return endpoint


def _drop_unwanted(endpoint: WebhookEndpoint) -> None:
    """What waits and is not for this endpoint any more: another tenant's, or of another kind."""
    waiting = endpoint.deliveries.filter(standing=Standing.WAITING).select_related("event")
    unwanted = [row.pk for row in waiting if not outbound.wants(endpoint, row.event)]
    endpoint.deliveries.filter(pk__in=unwanted).update(
        standing=Standing.GIVEN_UP, last_error=str(_("not for this endpoint now"))
    )


def rotate_secret(endpoint: WebhookEndpoint, actor: str) -> str:
    """A new secret, shown this once; the old one signs beside it for 24 hours."""
    secret = new_secret()
    with transaction.atomic():
        endpoint = _lock(endpoint)
        endpoint.previous_secret, endpoint.secret = endpoint.secret, secret
        endpoint.previous_until = timezone.now() + BOTH_SIGN
        endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
        until = endpoint.previous_until.isoformat()
        audit.record(actor, "webhook_endpoint.rotated", endpoint, after={"old_until": until})
    return secret


def end_old_secret(endpoint: WebhookEndpoint, actor: str) -> None:
    """The old secret leaked, or is in no use any more: it signs nothing from now on."""
    with transaction.atomic():
        endpoint = _lock(endpoint)
        if not endpoint.previous_secret:
            raise RefusedError("not_now", _("It has no old secret."))
        endpoint.previous_secret, endpoint.previous_until = "", None
        endpoint.save(update_fields=["previous_secret", "previous_until"])
        audit.record(actor, "webhook_endpoint.old_secret_ended", endpoint)


def enable_endpoint(endpoint: WebhookEndpoint, actor: str, *, with_missed: bool = False) -> int:
    """Send to it again; what waited for it goes on. Raises RefusedError for a private address.

    `with_missed`: what happened since it was switched off too; returns how many events.
    """
    _checked(endpoint.url)
    with transaction.atomic():
        endpoint = _lock(endpoint)
        if endpoint.enabled:
            raise RefusedError("not_now", _("It is on already."))
        missed = outbound.missed_by(endpoint) if with_missed else []
        Delivery.objects.bulk_create(
            [Delivery(event=event, endpoint=endpoint) for event in missed], ignore_conflicts=True
        )
        before = {"reason": endpoint.disabled_reason}
        endpoint.enabled, endpoint.disabled_reason, endpoint.disabled_at = True, "", None
        endpoint.failing_since = endpoint.quiet_until = None
        endpoint.save(update_fields=_SWITCH)
        after = {"missed": len(missed)}
        audit.record(actor, "webhook_endpoint.enabled", endpoint, before=before, after=after)
        tasks.request_delivery()
    return len(missed)


_SWITCH = ["enabled", "disabled_reason", "disabled_at", "failing_since", "quiet_until"]


def disable_endpoint(endpoint: WebhookEndpoint, actor: str) -> None:
    """Send nothing to it until it is switched on again."""
    with transaction.atomic():
        endpoint = _lock(endpoint)
        if not endpoint.enabled:
            raise RefusedError("not_now", _("It is off already."))
        endpoint.enabled, endpoint.disabled_at = False, timezone.now()
        endpoint.disabled_reason = WebhookEndpoint.Disabled.BY_STAFF
        endpoint.save(update_fields=["enabled", "disabled_reason", "disabled_at"])
        audit.record(actor, "webhook_endpoint.disabled", endpoint)


def delete_endpoint(endpoint: WebhookEndpoint, actor: str) -> None:
    """With its deliveries; the events stay."""
    with transaction.atomic():
        audit.record(actor, "webhook_endpoint.deleted", endpoint, before=_shown(endpoint))
        endpoint.delete()


def send_test(endpoint: WebhookEndpoint, actor: str) -> Delivery:
    """Send it a `webhook.test`. Raises RefusedError while it is off."""
    with transaction.atomic():
        endpoint = _lock(endpoint)
        if not endpoint.enabled:
            raise RefusedError("not_now", _("It is off: switch it on first."))
        event = outbound_events.test_event()
        delivery = Delivery.objects.create(event=event, endpoint=endpoint)
        audit.record(actor, "webhook_endpoint.tested", endpoint, after={"event": event.public_id})
    return delivery


def resend(delivery: Delivery, actor: str) -> Delivery:
    """Try it again at once, whatever became of it, with the same webhook-id. Raises RefusedError.

    If it fails the waits begin anew.
    """
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
        if not delivery.endpoint.enabled:
            raise RefusedError("not_now", _("Its endpoint is off: switch it on first."))
        if not outbound.wants(delivery.endpoint, delivery.event):
            raise RefusedError("not_now", _("Its endpoint is not told of this any more."))
        if delivery.claimed_until is not None and delivery.claimed_until > timezone.now():
            raise RefusedError("not_now", _("It is being sent right now."))
        before = {"standing": delivery.standing, "attempts": delivery.attempts}
        Delivery.objects.filter(pk=delivery.pk).update(
            standing=Standing.WAITING, tries=0, next_try_at=timezone.now(), claimed_until=None,
            delivered_at=None,
        )  # fmt: skip
        audit.record(
            actor, "delivery.resent", delivery, tenant=delivery.event.tenant,
            before=before, after={"event": delivery.event.public_id},
        )  # fmt: skip
        tasks.request_delivery()
    delivery.refresh_from_db()
    return delivery


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True).get(pk=endpoint.pk)


def _checked(url: str) -> str:
    try:
        return outbound.check(url)
    except outbound.RefusedAddressError as refused:
        raise RefusedError("address_refused", str(refused)) from None


def _known(event_types: Iterable[str]) -> list[str]:
    chosen = list(event_types)
    if unknown := sorted(set(chosen) - set(outbound_events.EVENTS)):
        told = _("No such event: %(names)s") % {"names": ", ".join(unknown)}
        raise RefusedError("unknown_event", told)
    return chosen


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    """What the audit keeps of it. Not the query of its address, which may hold a key."""
    return {
        "url": str(endpoint),
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "only_tenant": endpoint.only_tenant.slug if endpoint.only_tenant else None,
    }
