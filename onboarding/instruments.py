"""What is counted and timed while it happens, and what the log says about it. One line a place.

Every label comes from a closed set (states, reasons, kinds, lanes, tasks): never a tenant, a
number, an id, an address or a text of somebody's. Gauges are read at each scrape (`gauges.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter, Histogram
from structlog.contextvars import bind_contextvars

from onboarding.models import Onboarding, ProviderCall
from onboarding.models.onboarding import ConnectionMode
from onboarding.reasons import REASONS
from onboarding.states import OPEN, WORKING, State
from ycloud_client import YCloudError

log = structlog.get_logger(__name__)

NONE, OTHER = "none", "other"

FUNNEL = (
    "started", "launched", "signed_up", "linked", "registering", "connecting", "connected",
)  # fmt: skip
"""The funnel, in order; `launched` is the click that opened Meta's window."""

QUICK = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SLOW = (15, 30, 60, 120, 300, 900, 3600, 6 * 3600, 86_400, 3 * 86_400, 7 * 86_400)
LATE = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

transitions_total = Counter(
    "onboarding_transitions", "Moves of onboardings, by where to and why", ["to", "reason"]
)
milestones_total = Counter(
    "onboarding_milestones",
    "Onboardings that came so far for the first time, by the kind of signup",
    ["milestone", "mode"],
)
launch_to_connected = Histogram(
    "onboarding_launch_to_connected_seconds",
    "From the click that opened Meta's window to the connected number",
    ["mode"], buckets=SLOW,
)  # fmt: skip
step_seconds = Histogram(
    "onboarding_step_seconds",
    "One step of the worker's with one onboarding, by the state it began in and how it ended",
    ["state", "outcome"], buckets=QUICK,
)  # fmt: skip
call_seconds = Histogram(
    "onboarding_ycloud_call_seconds",
    "Calls to YCloud, by what was asked and how the answer counts",
    ["kind", "outcome"], buckets=QUICK,
)  # fmt: skip
answers_total = Counter(
    "onboarding_ycloud_answers",
    "Answers of YCloud by status (401, 403 and 429 by themselves; none: no answer)",
    ["kind", "status"],
)
exchange_seconds = Histogram(
    "onboarding_meta_exchange_seconds",
    "Exchanges of a code at Meta, by how they ended",
    ["outcome"], buckets=QUICK,
)  # fmt: skip
quota_refusals_total = Counter(
    "onboarding_quota_refusals", "Calls that waited because their lane had no room", ["lane"]
)
swept_total = Counter("onboarding_swept", "Due onboardings that the sweep handed out")
sweeps_total = Counter("onboarding_sweeps", "Runs of the sweep")
webhooks_total = Counter(
    "onboarding_webhooks", "Webhooks of YCloud's that came in, by what became of them", ["outcome"]
)
webhook_delay = Histogram(
    "onboarding_webhook_delay_seconds",
    "From YCloud's clock to ours, for webhooks that came for the first time",
    buckets=LATE,
)
outbound_total = Counter(
    "onboarding_outbound_tries",
    "Tries to deliver a webhook to the partner, by outcome",
    ["outcome"],
)
task_seconds = Histogram(
    "onboarding_task_seconds", "Tasks of the workers, by name and how they ended",
    ["task", "outcome"], buckets=QUICK,
)  # fmt: skip

STEP_OUTCOMES = (
    "moved", "waits", "needs_attention", "cancelled", "connected", "overtaken", "failed",
)  # fmt: skip
WEBHOOK_OUTCOMES = ("stored", "repeated", "bad_signature", "bad_body", "no_secret")
OUTBOUND_OUTCOMES = ("delivered", "will_repeat", "given_up")
TASK_OUTCOMES = ("success", "failure", "retry", OTHER)
STATUSES = ("2xx", "3xx", "401", "403", "429", "4xx", "5xx", NONE)

_calls: ContextVar[list[str] | None] = ContextVar("calls", default=None)
"""The calls of the step under way: a list, which threads with a copy of the context share."""


def seen(row: Onboarding) -> None:
    """From here on this request's or task's log lines name the onboarding and its tenant."""
    bind_contextvars(onboarding=str(row.public_id), tenant=row.tenant.slug)


def moved(row: Onboarding, came_from: str, *, is_first: bool) -> None:
    """Count a move, and a milestone that was reached for the first time, once it is committed.

    Called after the move's audit row, in the same transaction: what is rolled back never was.
    `is_first`: it passed something for the first time, so it was never in this state before;
    else its audit rows are asked.
    """
    to, reason, mode = str(row.state), reason_label(row.reason), _mode(row)
    is_new = to != came_from and to in FUNNEL
    first = is_new and (is_first or _is_first(row, to))
    launched, ended = row.launched_at, timezone.now()

    def count() -> None:
        transitions_total.labels(to, reason).inc()
        if first:
            milestones_total.labels(to, mode).inc()
        if first and to == State.CONNECTED and launched is not None:
            launch_to_connected.labels(mode).observe((ended - launched).total_seconds())

    transaction.on_commit(count)


def _is_first(row: Onboarding, to: str) -> bool:
    """Whether the move into this state that has just been written is the only one."""
    if to == State.CONNECTED:
        return True  # nothing leads out of it
    return row.transitions.filter(to_state=to).count() == 1


def launched(row: Onboarding, before: datetime | None) -> None:
    """Count the click of an attempt that was not launched before."""
    if before is None:
        mode = _mode(row)
        transaction.on_commit(lambda: milestones_total.labels("launched", mode).inc())


def _mode(row: Onboarding) -> str:
    return row.connection_mode if row.connection_mode in ConnectionMode else OTHER


def reason_label(reason: str) -> str:
    """A code of the catalogue; what is in none (an old release's) is `other`."""
    return reason if reason in REASONS else OTHER if reason else NONE


@contextmanager
def step(row: Onboarding) -> Iterator[None]:
    """Time one step and log one line at its end; the row says where it went."""
    seen(row)
    began, came_from, calls = time.monotonic(), str(row.state), list[str]()
    held = _calls.set(calls)
    outcome = "failed"
    try:
        yield
        outcome = _outcome(row, came_from)
    except Exception as error:
        outcome = "overtaken" if type(error).__name__ == "OvertakenError" else "failed"
        raise
    finally:
        _calls.reset(held)
        took = time.monotonic() - began
        step_seconds.labels(came_from, outcome).observe(took)
        log.info(
            "step", from_state=came_from, to_state=str(row.state), reason=row.reason,
            outcome=outcome, calls=",".join(calls), duration_ms=round(took * 1000),
        )  # fmt: skip


def _outcome(row: Onboarding, came_from: str) -> str:
    if row.state in (State.CONNECTED, State.NEEDS_ATTENTION, State.CANCELLED):
        return str(row.state)
    return "moved" if row.state != came_from and row.state in WORKING else "waits"


def called(call: ProviderCall) -> None:
    """Count a call to YCloud by its row in the journal, and log one line: never a query or body."""
    kind, outcome = str(call.kind), str(call.outcome)
    if call.took_ms is not None:
        call_seconds.labels(kind, outcome).observe(call.took_ms / 1000)
        answers_total.labels(kind, status_label(call.status)).inc()
    told = _calls.get()
    if told is not None:
        told.append(kind)
    log.info(
        "ycloud call", kind=kind, outcome=outcome, status=call.status, took_ms=call.took_ms,
        provider_request=call.request_id,
    )  # fmt: skip


def status_label(status: int | None) -> str:
    """A status by itself where it says whom to call, else its class."""
    if status is None:
        return NONE
    known = str(status)
    group = f"{status // 100}xx"
    return known if known in STATUSES else group if group in STATUSES else NONE


def exchanged(call: ProviderCall) -> None:
    """Count an exchange of a code at Meta by its row in the journal."""
    outcome = str(call.outcome)
    exchange_seconds.labels(outcome).observe((call.took_ms or 0) / 1000)
    log.info("meta exchange", outcome=outcome, took_ms=call.took_ms)


def counts_refusals(take: Callable[[Any], None]) -> Callable[[Any], None]:
    """For the quota's door: count the calls of each lane that have to wait."""

    @wraps(take)
    def counted(lane: Any) -> None:
        try:
            take(lane)
        except YCloudError:
            quota_refusals_total.labels(str(lane)).inc()
            raise

    return counted


def swept(rows: int) -> None:
    """A run of the sweep handed out so many rows."""
    sweeps_total.inc()
    swept_total.inc(rows)


def webhook_came(outcome: str, sent_at: datetime | None = None) -> None:
    """Count a webhook of YCloud's, and how late a new one is; after the commit."""

    def count() -> None:
        webhooks_total.labels(outcome).inc()
        if sent_at is not None:
            webhook_delay.observe(max((timezone.now() - sent_at).total_seconds(), 0.0))

    transaction.on_commit(count)


def outbound_tried(standing: str) -> None:
    """Count a try to deliver by the standing that its delivery has now."""
    outcome = "will_repeat" if standing == "waiting" else str(standing)
    transaction.on_commit(lambda: outbound_total.labels(outcome).inc())


def task_ended(name: str, state: str, seconds: float) -> None:
    """Time a task of ours; `state` is Celery's word."""
    short = name.removeprefix("onboarding.tasks.") if name.startswith("onboarding.") else OTHER
    outcome = state.lower() if state.lower() in TASK_OUTCOMES else OTHER
    task_seconds.labels(short, outcome).observe(seconds)


def _begin_at_zero() -> None:
    """What alarms look at is there from the start: a first refusal is an increase of one."""
    for outcome in WEBHOOK_OUTCOMES:
        webhooks_total.labels(outcome)
    for outcome in OUTBOUND_OUTCOMES:
        outbound_total.labels(outcome)
    for state in OPEN:
        transitions_total.labels(str(state), NONE)
    for mode in ConnectionMode:
        for milestone in FUNNEL:
            milestones_total.labels(milestone, str(mode))


_begin_at_zero()
