"""What is kept for a while only, and is deleted then: RETENTION_DAYS, or less where it says so.

Onboardings and their timelines stay; so do acts that are open or belong to an attempt that is
under way (they say what must not be repeated), and events of accounts whose numbers are lost
(they say why).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from onboarding.models import (
    IdempotentAnswer,
    LinkOpening,
    MailAddress,
    MetaToken,
    Notice,
    OutboundEvent,
    PhoneNumber,
    ProviderCall,
    SignupLink,
    StaffLetter,
    WebhookEndpoint,
    WebhookEvent,
)
from onboarding.models.idempotency import LIFE
from onboarding.states import FINAL, OPEN, State

BATCH = 1000
UNCONFIRMED = timedelta(days=7)
"""An address that nobody confirmed is kept so long."""

PAST_OWNER = OPEN - {State.SIGNED_UP, State.AWAITING_ACCOUNT, State.NEEDS_ATTENTION}


def forget() -> int:
    """Delete what is too old, in small steps; how many rows."""
    now = timezone.now()
    before = now - timedelta(days=settings.RETENTION_DAYS)
    WebhookEndpoint.objects.filter(previous_until__lt=now).update(
        previous_secret="", previous_until=None
    )
    # Links that ended long ago forget whom they were mailed to and what opened them.
    SignupLink.objects.filter(expires_at__lt=before).exclude(email="").update(email="")
    old = (
        _calls(before),
        _events(before),
        OutboundEvent.objects.filter(at__lt=before),
        LinkOpening.objects.filter(at__lt=before),
        _tokens_of_no_use(),
        IdempotentAnswer.objects.filter(created_at__lt=now - LIFE),
        Notice.objects.filter(created_at__lt=before),
        StaffLetter.objects.filter(began_at__lt=before).exclude(_lasts),
        *_addresses(now, before),
    )
    return sum(_deleted(rows) for rows in old)


_lasts = Q(kind=StaffLetter.Kind.ALERT, ended_at__isnull=True)


def _addresses(now: Any, before: Any) -> tuple[QuerySet[MailAddress], ...]:
    """Those that nobody confirmed, and those of attempts that ended long ago.

    An address that said no without ever having said yes stays as long as its attempt may go on: it
    is what keeps further letters away from it. One whose attempt connected a number that is still
    watched stays too: where a tenant has no owner, nobody else is told that the number is lost.
    """
    unconfirmed = MailAddress.objects.filter(
        confirmed_at__isnull=True, off_at__isnull=True, created_at__lt=now - UNCONFIRMED
    )
    ended = MailAddress.objects.filter(
        onboarding__state__in=FINAL | {State.CANCELLED}, onboarding__updated_at__lt=before
    ).exclude(
        onboarding__state=State.CONNECTED, onboarding__number__next_look_at__isnull=False,
        onboarding__number__tenant=F("tenant"),
    )  # fmt: skip
    return unconfirmed, ended


def _calls(before: Any) -> QuerySet[ProviderCall]:
    under_way = Q(kind__in=ProviderCall.ACTS, onboarding__state__in=PAST_OWNER)
    calls = ProviderCall.objects.filter(at__lt=before).exclude(outcome=ProviderCall.Outcome.OPEN)
    return calls.exclude(under_way)


def _events(before: Any) -> QuerySet[WebhookEvent]:
    lost = PhoneNumber.objects.exclude(health="").values("business_account__waba_id")
    return WebhookEvent.objects.filter(received_at__lt=before).exclude(waba_id__in=lost)


def _tokens_of_no_use() -> QuerySet[MetaToken]:
    """All of them where META_KEEP_TOKEN is off; else those of attempts that ended in nothing."""
    if not settings.META_KEEP_TOKEN:
        return MetaToken.objects.all()
    return MetaToken.objects.filter(onboarding__state__in=(State.CANCELLED, State.REJECTED))


def _deleted(rows: QuerySet[Any]) -> int:
    """Batches keep each transaction, and its locks, short."""
    count = 0
    while batch := list(rows.values_list("pk", flat=True)[:BATCH]):
        count += rows.model._default_manager.filter(pk__in=batch).delete()[0]
    return count
