"""How things stand at this moment, for `/metrics`: read from the database and Redis at a scrape.

A fixed number of queries, each over an index or a group of few rows, cut off after STATEMENT
and kept for KEPT_SECONDS, so that scraping cannot hurt. What cannot be read is left out, and
`onboarding_readable` says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from onboarding import instruments, queues, quota, vitals, ycloud_accounts
from onboarding.models import (
    Delivery,
    Notice,
    Onboarding,
    PhoneNumber,
    SignupLink,
    Standing,
    WebhookEndpoint,
    WebhookEvent,
)
from onboarding.states import OPEN, State
from tenants import walls

logger = logging.getLogger(__name__)

KEPT_SECONDS = 5.0
PATIENCE_SECONDS = 3.0
STATEMENT = "2s"
"""Longest time of one statement."""

PARTS = ("onboardings", "webhooks", "outbound", "mails", "quota", "lag", "queues")
UNSURE = "unsure"


class Gauges:
    """A collector of prometheus-client's: what it answers is a few seconds old at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterator[Metric]:
        # Two scrapes at once read once; a reading that hangs holds up no second thread.
        if self._lock.acquire(timeout=PATIENCE_SECONDS):
            try:
                if time.monotonic() >= self._until:
                    self._kept = list(_read())
                    self._until = time.monotonic() + KEPT_SECONDS
            finally:
                self._lock.release()
        return iter(self._kept)

    def forget(self) -> None:
        """Read anew at the next scrape."""
        self._until = 0.0


def _read() -> Iterator[Metric]:
    readable = _gauge("readable", "Whether this part could be read at this scrape", "part")
    for part in PARTS:
        found: list[Metric] = []
        try:
            with _quickly():
                found = list(_READERS[part]())
        except (DatabaseError, redis.RedisError) as error:
            logger.warning("metrics: %s cannot be read: %s", part, type(error).__name__)
        readable.add_metric([part], 1.0 if found else 0.0)
        yield from found
    yield readable


@contextmanager
def _quickly() -> Iterator[None]:
    """In one transaction that sees all rows, with a limit on each of its statements."""
    with walls.seeing_everything("metrics: counts alone"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT])
        yield


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"onboarding_{name}", told, labels=labels)


def _one(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"onboarding_{name}", told, value=value)


def _by_reason(name: str, told: str, rows: Iterable[tuple[str, int]]) -> GaugeMetricFamily:
    found: dict[str, int] = {}
    for reason, many in rows:
        label = instruments.reason_label(reason)
        found[label] = found.get(label, 0) + many
    gauge = _gauge(name, told, "reason")
    for label, many in sorted(found.items()):
        gauge.add_metric([label], many)
    return gauge


def _age(moment: datetime | None) -> float:
    return max((timezone.now() - moment).total_seconds(), 0.0) if moment else 0.0


def _onboardings() -> Iterator[Metric]:
    groups = list(
        Onboarding.objects.order_by()
        .values_list("state", "reason")
        .annotate(rows=Count("pk"), oldest=Min("state_changed_at"))
    )
    count = _gauge("onboardings", "Onboardings in each state", "state")
    oldest = _gauge("state_oldest_seconds", "How long the oldest one is in its state", "state")
    for state in State:
        rows = [(n, at) for name, _, n, at in groups if name == state]
        count.add_metric([state], sum(n for n, _ in rows))
        if state in OPEN or state == State.STARTED:
            oldest.add_metric([state], _age(min((at for _, at in rows), default=None)))
    stuck = [(reason, n) for state, reason, n, _ in groups if state in OPEN and reason]
    yield from (count, oldest)
    yield _by_reason("stuck", "Open onboardings that wait, by the reason", stuck)
    due = vitals.overdue()
    yield _one("overdue", "Onboardings that are due and that no worker holds", due.rows)
    yield _one("overdue_oldest_seconds", "How long the oldest of them waits", due.oldest_seconds)
    ill = PhoneNumber.objects.exclude(health="").order_by()
    health = ill.values_list("health").annotate(rows=Count("pk"))
    yield _by_reason("numbers_unwell", "Connected numbers that lost their health", health)
    new = vitals.new_customers()
    yield _one("new_customers", "New WABAs of the last 7 days", new.used)
    yield _one("new_customers_limit", "How many Meta lets this partner take in 7 days", new.most)


def _webhooks() -> Iterator[Metric]:
    waiting = vitals.unapplied_webhooks()
    yield _one("webhooks_unapplied", "Stored webhooks that no worker has applied", waiting.rows)
    yield _one(
        "webhooks_unapplied_oldest_seconds", "How long the oldest waits", waiting.oldest_seconds
    )
    newest = WebhookEvent.objects.order_by("-received_at").values_list("received_at", flat=True)
    last = newest.first()
    if last is not None:
        yield _one("webhook_last_timestamp_seconds", "When the last webhook came", last.timestamp())


def _outbound() -> Iterator[Metric]:
    waiting = Delivery.objects.filter(standing=Delivery.Standing.WAITING, endpoint__enabled=True)
    found = waiting.aggregate(rows=Count("pk"), due=Min("next_try_at"))
    yield _one("outbound_waiting", "Deliveries to the partner that wait for a try", found["rows"])
    lag = _age(found["due"])
    yield _one("outbound_lag_seconds", "How long the oldest of them is overdue", lag)
    ends = WebhookEndpoint.objects.aggregate(
        failing=Count("pk", filter=Q(enabled=True, failing_since__isnull=False)),
        well=Count("pk", filter=Q(enabled=True, failing_since__isnull=True)),
        switched_off=Count("pk", filter=Q(enabled=False, disabled_reason__in=("gone", "failing"))),
    )
    endpoints = _gauge("outbound_endpoints", "Webhook endpoints of the partner", "standing")
    for standing, rows in ends.items():
        endpoints.add_metric([standing], rows)
    yield endpoints


def _mails() -> Iterator[Metric]:
    # Due ones of customers: what is put off waits for its time, and staff's for the digest.
    due = Notice.objects.filter(standing=Standing.WAITING, due_at__lte=timezone.now())
    notices = due.exclude(audience=Notice.Audience.STAFF).aggregate(
        waiting=Count("pk"), oldest=Min("due_at")
    )
    unsure = Notice.objects.filter(
        letter__isnull=False, standing__in=(Standing.SENDING, Standing.FAILED)
    )
    mail = SignupLink.Mail
    links = SignupLink.objects.filter(mail__in=(mail.WAITING, mail.SENDING, mail.FAILED)).aggregate(
        waiting=Count("pk", filter=Q(mail__in=(mail.WAITING, mail.SENDING))),
        failed=Count("pk", filter=Q(mail=mail.FAILED)),
        oldest=Min("created_at", filter=Q(mail__in=(mail.WAITING, mail.SENDING))),
    )
    mails = _gauge("mails", "Mails that are not out; unsure: may have been sent", "standing")
    mails.add_metric(["waiting"], notices["waiting"] + links["waiting"])
    mails.add_metric([UNSURE], unsure.count())
    mails.add_metric(["failed"], links["failed"])
    yield mails
    oldest = min((at for at in (notices["oldest"], links["oldest"]) if at), default=None)
    yield _one("mails_oldest_seconds", "How long the oldest mail is due", _age(oldest))


def _quota() -> Iterator[Metric]:
    """Of each YCloud account in use, by its slug: `ycloud_accounts.MOST` of them at most."""
    by = "ycloud_account"
    used = _gauge("quota_used", "Calls to YCloud in the last hour, by the journal", by)
    limit = _gauge("quota_limit", "Our share of YCloud's calls an hour", by)
    pressure = _gauge("quota_pressure", "By how much background looks are stretched", by)
    closed = _gauge("quota_closed_seconds", "For how long no call is made", by)
    balance = _gauge("balance", "The balance at YCloud, in its currency", by)
    calls = vitals.calls_of_the_hour()
    for account in ycloud_accounts.active():
        with ycloud_accounts.using(account):
            used.add_metric([account.slug], calls.get(account.id, 0))
            limit.add_metric([account.slug], account.per_hour)
            pressure.add_metric([account.slug], quota.pressure())
            closed.add_metric([account.slug], quota.closed_seconds())
            if (found := vitals.balance()) is not None:
                balance.add_metric([account.slug], found.amount)
    yield from (used, limit, pressure, closed)
    if balance.samples:
        yield balance
        yield _one(
            "balance_warning",
            "Below this balance staff are warned",
            settings.YCLOUD_BALANCE_WARNING,
        )


def _lag() -> Iterator[Metric]:
    lag = _gauge("queue_lag_seconds", "How long the oldest due work of a queue waits", "queue")
    for name, seconds in queues.lags().items():
        lag.add_metric([name], seconds)
    yield lag


def _queues() -> Iterator[Metric]:
    lengths = vitals.queue_lengths()
    if lengths is None:
        raise redis.ConnectionError
    queue = _gauge("queue_messages", "Messages that wait in Celery's queues", "queue")
    for name, waiting in lengths.items():
        queue.add_metric([name], waiting)
    yield queue
    beat = vitals.beat_seconds()
    alive = _one("beat_alive", "Whether beat sent and a worker ran something", beat is not None)
    yield alive
    if beat is not None:
        yield _one("beat_age_seconds", "Since a worker last ran what beat sent", beat)


_READERS: dict[str, Callable[[], Iterator[Metric]]] = {
    "onboardings": _onboardings,
    "webhooks": _webhooks,
    "outbound": _outbound,
    "mails": _mails,
    "quota": _quota,
    "lag": _lag,
    "queues": _queues,
}
