"""How the machine itself is: balance, Meta's cap, queues, beat, webhooks. Read, never written by.

Desk, doctor and metrics show the same figures from here. Each answers None, or nothing, where what
it asks (Redis, mostly) does not answer: a page about trouble must not fail of it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from onboarding import quota, ycloud, ycloud_accounts
from onboarding.models import Onboarding, ProviderCall, WebhookEvent, WhatsAppBusinessAccount
from ycloud_client import YCloudError

logger = logging.getLogger(__name__)

BALANCES_SECONDS = 60.0
BALANCE_KEPT = int(timedelta(days=1).total_seconds())
_BALANCE, _BEAT = "balance", "beat_alive"
CAP_SPAN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Balance:
    """What YCloud said of the prepaid balance, and when."""

    amount: float
    currency: str
    at: datetime

    @property
    def is_low(self) -> bool:
        """Below YCLOUD_BALANCE_WARNING: at zero every customer's number stops."""
        return self.amount < settings.YCLOUD_BALANCE_WARNING


def read_balance() -> Balance | None:
    """Ask YCloud, on the lowest lane, and keep the answer; None when it did not answer.

    Of the YCloud account at hand, like `balance`.
    """
    try:
        told = ycloud.look_up(
            quota.Lane.HEALTH, ProviderCall.Kind.BALANCE, "", lambda c: c.retrieve_balance()
        )
    except YCloudError as error:
        logger.warning("the balance could not be read: %s", error)
        return None
    found = Balance(told.amount, told.currency, timezone.now())
    key = ycloud_accounts.now().suffix(_BALANCE)
    cache.set(key, (found.amount, found.currency, found.at.isoformat()), BALANCE_KEPT)
    return found


def read_balances() -> bool:
    """Ask for that of each YCloud account in use; whether all answered.

    Where YCloud hangs the rest waits for the next time: a task has two minutes.
    """
    until, answered = time.monotonic() + BALANCES_SECONDS, True
    for account in ycloud_accounts.active():
        if time.monotonic() > until:
            return False
        with ycloud_accounts.using(account):
            answered = read_balance() is not None and answered
    return answered


def balance() -> Balance | None:
    """The last reading, at most a day old; None when there is none."""
    kept = _cached(ycloud_accounts.now().suffix(_BALANCE))
    if not isinstance(kept, tuple):
        return None
    amount, currency, at = kept
    return Balance(amount, currency, datetime.fromisoformat(at))


def calls_of_the_hour() -> dict[int | None, int]:
    """How many calls of the last hour each YCloud account's quota counts, by the journal."""
    counted = ProviderCall.objects.filter(quota.counts_now()).order_by()
    return dict(counted.values_list("ycloud_account").annotate(calls=Count("pk")))


@dataclass(frozen=True, slots=True)
class NewCustomers:
    """WABAs that came here in the last 7 days, against what Meta lets this partner take."""

    used: int
    most: int

    @property
    def is_near(self) -> bool:
        """From four fifths of the cap on, somebody should know."""
        return self.used >= self.most * 0.8


def is_new() -> Q:
    """Accounts that Meta's cap counts now."""
    return Q(created_at__gt=timezone.now() - CAP_SPAN)


def new_customers() -> NewCustomers:
    """Meta counts new businesses in a rolling 7 days (10, after its review 200)."""
    used = WhatsAppBusinessAccount.objects.filter(is_new()).count()
    return NewCustomers(used, settings.META_NEW_CUSTOMERS_PER_7_DAYS)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that should have been taken by now, and for how long the oldest waits (seconds)."""

    rows: int
    oldest_seconds: float


def is_overdue(now: datetime | None = None) -> Q:
    """Onboardings that are due and that no worker holds."""
    now = now or timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return free & Q(next_look_at__lte=now)


def overdue() -> Waiting:
    """How many onboardings are due and held by no worker."""
    now = timezone.now()
    due = Onboarding.objects.filter(is_overdue(now))
    return _waiting(due.aggregate(rows=Count("pk"), oldest=Min("next_look_at")), now)


def unapplied_webhooks() -> Waiting:
    """Stored events that no worker has applied yet."""
    waiting = WebhookEvent.objects.filter(applied_at__isnull=True)
    return _waiting(waiting.aggregate(rows=Count("pk"), oldest=Min("received_at")), timezone.now())


def _waiting(found: dict[str, object], now: datetime) -> Waiting:
    oldest, rows = found["oldest"], found["rows"]
    seconds = (now - oldest).total_seconds() if isinstance(oldest, datetime) else 0.0
    return Waiting(int(str(rows)), seconds)


@dataclass(frozen=True, slots=True)
class WebhookDelay:
    """Of the last hour: how many came, the last one, and seconds from YCloud's clock to ours."""

    events: int
    last_at: datetime | None
    p50_seconds: float | None
    p95_seconds: float | None


def came_lately() -> Q:
    """Events of the last hour."""
    return Q(received_at__gt=timezone.now() - timedelta(hours=1))


def webhook_delay() -> WebhookDelay:
    """`last_at` is of any time; the rest of the last hour."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP "
            "(ORDER BY extract(epoch FROM received_at - sent_at)) "
            "FROM onboarding_webhookevent WHERE received_at > %s",
            [timezone.now() - timedelta(hours=1)],
        )
        events, delays = cursor.fetchone()
    newest = WebhookEvent.objects.order_by("-received_at").values_list("received_at", flat=True)
    p50, p95 = delays or (None, None)
    return WebhookDelay(events, newest.first(), p50, p95)


def queue_lengths() -> dict[str, int] | None:
    """Messages that wait in each of Celery's queues."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        ) as broker:
            return {name: int(str(broker.llen(name))) for name in settings.WORKER_QUEUES}
    except redis.RedisError:
        return None


def beat_seconds() -> float | None:
    """Since a worker last ran what beat sent; None when that is over 30 s ago, or unknown."""
    at = _cached(_BEAT)
    if not isinstance(at, str):
        return None
    return (timezone.now() - datetime.fromisoformat(at)).total_seconds()


def _cached(key: str) -> object:
    try:
        return cache.get(key)
    except redis.RedisError:
        return None
