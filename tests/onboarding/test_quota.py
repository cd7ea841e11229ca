"""One quota for all: windows, lanes, an emptied or absent Redis, what YCloud asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from onboarding import quota, schedule, tasks
from onboarding.models import Onboarding, ProviderCall
from onboarding.quota import Lane, QuotaFullError
from tenants.models import Tenant
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer
from ycloud_client import CallRecord

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _fresh(db: None, settings: Any) -> Iterator[None]:
    """An empty window (the cache is emptied before) and small limits."""
    settings.YCLOUD_QUOTA_PER_SECOND, settings.YCLOUD_QUOTA_PER_HOUR = 1000, 100
    quota.store.breaker.until = 0.0
    yield
    quota.store.breaker.until = 0.0


def room(lane: Lane, most: int = 1000) -> int:
    """How many calls the lane may make now."""
    for taken in range(most):
        try:
            quota.take(lane)
        except QuotaFullError:
            return taken
    return most


def called(number: int, *, ago: timedelta = timedelta(minutes=5), **more: Any) -> None:
    made = {"kind": "list_numbers", "target": "1", "outcome": "done", "lane": "working"} | more
    ProviderCall.objects.bulk_create(ProviderCall(**made) for _ in range(number))
    ProviderCall.objects.update(at=timezone.now() - ago)


# --- Windows and lanes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lane", "most"), [(Lane.PAGE, 100), (Lane.WORKING, 95), (Lane.WAITING, 90), (Lane.HEALTH, 80)]
)
def test_each_lane_may_fill_the_hour_up_to_its_line(lane: Lane, most: int) -> None:
    assert room(lane) == most


def test_what_the_less_urgent_may_not_use_is_left_for_the_more_urgent() -> None:
    assert [room(lane) for lane in reversed(Lane)] == [80, 10, 5, 5]


def test_a_second_has_its_own_line(settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_SECOND = 10
    assert room(Lane.PAGE) == 10
    with pytest.raises(QuotaFullError) as full:
        quota.take(Lane.PAGE)
    assert 0 < full.value.retry_after <= 1


def test_the_hour_slides_and_says_when_there_is_room_again(worker: Worker) -> None:
    assert room(Lane.PAGE) == 100
    worker.clock.shift(1800)
    with pytest.raises(QuotaFullError) as full:
        quota.take(Lane.PAGE)
    assert 1790 <= full.value.retry_after <= 1801
    worker.clock.shift(1802)
    assert room(Lane.PAGE) == 100


def test_a_refusal_is_no_act_that_may_have_happened() -> None:
    error = QuotaFullError(5)
    assert error.is_transient
    assert not error.may_have_happened


# --- An emptied or absent Redis ------------------------------------------------------------------


def test_an_emptied_redis_is_seeded_from_the_journal() -> None:
    called(60)
    assert room(Lane.PAGE) == 40


def test_what_the_journal_holds_beyond_the_hour_or_never_sent_does_not_count() -> None:
    called(30, outcome="not_sent")
    called(30, kind="exchange_code")
    called(30, ago=timedelta(minutes=61))
    ProviderCall.objects.filter(outcome="done", kind="list_numbers").update(
        at=timezone.now() - timedelta(minutes=61)
    )
    assert room(Lane.PAGE) == 100


def test_a_filled_redis_is_not_seeded_again() -> None:
    quota.take(Lane.PAGE)
    called(60)
    assert room(Lane.PAGE) == 99


def test_two_that_find_redis_empty_seed_it_once() -> None:
    called(10)
    quota.seed()
    quota.seed()
    assert room(Lane.PAGE) == 90


def test_without_redis_the_journal_is_counted_and_the_background_waits(settings: Any) -> None:
    settings.REDIS_URL = NOBODY_LISTENS
    called(84)
    quota.take(Lane.WORKING)
    called(1)
    with pytest.raises(QuotaFullError):
        quota.take(Lane.WORKING)
    quota.take(Lane.PAGE)
    called(5)
    with pytest.raises(QuotaFullError):
        quota.take(Lane.PAGE)
    for lane in (Lane.WAITING, Lane.HEALTH):
        ProviderCall.objects.all().delete()
        with pytest.raises(QuotaFullError):
            quota.take(lane)


def test_what_was_called_while_redis_was_away_counts_when_it_is_back(
    settings: Any,
) -> None:
    right = settings.REDIS_URL
    quota.take(Lane.PAGE)
    settings.REDIS_URL = NOBODY_LISTENS
    quota.take(Lane.PAGE)
    called(60)
    settings.REDIS_URL = right
    quota.store.breaker.until = 0.0
    assert room(Lane.PAGE) == 40


def test_a_redis_that_failed_is_not_asked_again_at_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(lane: Lane) -> None:
        asked.append(lane)
        raise redis.TimeoutError

    monkeypatch.setattr(quota.windows, "_take", fail)
    for _ in range(5):
        quota.take(Lane.PAGE)
    assert len(asked) == 1


def test_a_signup_goes_on_without_redis(
    api: Any, sandbox: Sandbox, worker: Worker, settings: Any
) -> None:
    settings.REDIS_URL = NOBODY_LISTENS
    customer = Customer(api, sandbox, worker)
    customer.goes_through("approve")
    assert customer.state == "connected"


# --- What YCloud asks for ------------------------------------------------------------------------


def record(**more: Any) -> CallRecord:
    return CallRecord(method="GET", path="/x", query={}, seconds=0.1, **more)


@pytest.mark.parametrize(
    ("heard", "seconds"),
    [
        ({"status": 429, "retry_after": 30.0}, 30),
        ({"status": 503, "retry_after": 12.0}, 12),
        ({"status": 200, "retry_after": 7.0}, 7),
        ({"status": 429}, 2),
        ({"status": 429, "retry_after": 99_999.0}, 3600),
        ({"status": 200, "rate_limit_remaining": "0", "rate_limit_reset": "9"}, 9),
        ({"status": 200, "rate_limit_remaining": "0;w=1", "rate_limit_reset": "4, 60"}, 4),
    ],
)
def test_a_request_to_wait_closes_the_quota_for_everybody(
    heard: dict[str, Any], seconds: float
) -> None:
    quota.heard(record(**heard))
    for lane in Lane:
        with pytest.raises(QuotaFullError) as full:
            quota.take(lane)
        assert seconds - 1 <= full.value.retry_after <= seconds


@pytest.mark.parametrize(
    "heard",
    [
        {"status": 200},
        {"status": 500},
        {"status": 200, "rate_limit_remaining": "5", "rate_limit_reset": "9"},
        {"status": 200, "rate_limit_remaining": "none", "rate_limit_reset": "soon"},
        {"status": 429, "retry_after": 30.0, "meta_code": "131056"},
    ],
)
def test_other_answers_and_metas_own_limits_close_nothing(heard: dict[str, Any]) -> None:
    quota.heard(record(**heard))
    quota.take(Lane.HEALTH)


def test_a_short_wait_does_not_cut_a_long_one() -> None:
    quota.close(60)
    quota.close(1)
    with pytest.raises(QuotaFullError) as full:
        quota.take(Lane.PAGE)
    assert full.value.retry_after > 50


def test_a_closed_quota_is_shown_as_a_wait_and_ends_by_itself(
    api: Any, sandbox: Sandbox, worker: Worker, settings: Any
) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 1
    customer = Customer(api, sandbox, worker)
    customer.goes_through("approve")
    assert customer.stop == ("signed_up", "quota_full")
    assert not sandbox.calls
    settings.YCLOUD_QUOTA_PER_HOUR = 1000
    worker.later(3700)
    assert customer.state == "connected"


def test_a_register_that_found_no_room_has_no_intent_and_costs_no_budget(
    api: Any, sandbox: Sandbox, worker: Worker, settings: Any
) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 3
    customer = Customer(api, sandbox, worker)
    customer.goes_through("approve")
    assert customer.stop == ("registering", "quota_full")
    assert not ProviderCall.objects.filter(kind="register").exists()


# --- Lanes of rows -------------------------------------------------------------------------------


def waiting(tenant: Tenant, minutes: float, state: str = "awaiting_payment") -> Onboarding:
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_platform", state=state)
    since = timezone.now() - timedelta(minutes=minutes)
    Onboarding.objects.filter(pk=row.pk).update(state_changed_at=since, next_look_at=timezone.now())
    row.refresh_from_db()
    return row


@pytest.mark.parametrize(
    ("minutes", "state", "lane"),
    [
        (1, "connecting", Lane.WORKING),
        (1, "awaiting_payment", Lane.WORKING),
        (11, "connecting", Lane.WAITING),
        (1, "needs_attention", Lane.WAITING),
    ],
)
def test_the_lane_of_a_row(tenant: Tenant, minutes: float, state: str, lane: Lane) -> None:
    assert quota.lane_of(waiting(tenant, minutes, state)) == lane


def test_a_row_that_somebody_looks_at_takes_the_page_s_lane(
    api: Any, sandbox: Sandbox, worker: Worker
) -> None:
    customer = Customer(api, sandbox, worker)
    customer.goes_through("payment_missing")
    row = Onboarding.objects.get()
    assert quota.lane_of(row) == Lane.WORKING
    customer.sees()
    assert quota.lane_of(row) == Lane.PAGE
    worker.later(10)
    assert set(ProviderCall.objects.values_list("lane", flat=True)) == {"", "working", "page"}


# --- Pressure ------------------------------------------------------------------------------------


def test_without_anybody_waiting_there_is_no_pressure() -> None:
    assert schedule.wanted_calls_an_hour() == 0
    assert tasks.measure_pressure() == 1.0
    assert quota.pressure() == 1.0


def test_the_wanted_calls_follow_from_each_row_s_own_interval(tenant: Tenant) -> None:
    waiting(tenant, 100)  # looks each 10 minutes, with two calls
    waiting(tenant, 20 * 1440)  # looks daily
    waiting(tenant, 1)  # has only begun
    assert schedule.wanted_calls_an_hour() == pytest.approx(12 + 2 / 24, rel=0.01)


def test_the_numbers_of_one_account_want_one_call(tenant: Tenant) -> None:
    from onboarding.models import WhatsAppBusinessAccount

    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="42")
    rows = [waiting(tenant, 100, "connecting") for _ in range(5)]
    from onboarding.models import PhoneNumber

    for n, row in enumerate(rows):
        number = PhoneNumber.objects.create(
            tenant=tenant, business_account=account, phone_number_id=str(n)
        )
        Onboarding.objects.filter(pk=row.pk).update(business_account=account, number=number)
    assert schedule.wanted_calls_an_hour() == pytest.approx(6, rel=0.01)


def test_too_many_wishes_stretch_every_background_interval_alike(tenant: Tenant) -> None:
    rows = [waiting(tenant, 100 + n / 100) for n in range(30)]
    factor = tasks.measure_pressure()
    assert factor == pytest.approx(30 * 12 / 90, rel=0.02)
    for minutes in (100, 2000):
        row = waiting(tenant, minutes)
        due = schedule.next_look(row)
        assert due is not None
        plain = schedule.interval(timedelta(minutes=minutes))
        assert plain is not None
        assert (due - timezone.now()) / plain == pytest.approx(factor, rel=0.02)
    assert schedule.wanted_calls_an_hour() / factor <= 95
    assert rows


def test_what_has_begun_or_is_looked_at_is_not_stretched(tenant: Tenant) -> None:
    quota.measure(1_000_000)
    assert quota.pressure() > 100
    young = waiting(tenant, 1)
    seen = waiting(tenant, 100)
    quota.seen_at_page(seen.pk)
    for row, seconds in ((young, 5.2), (seen, 600)):
        due = schedule.next_look(row)
        assert due is not None
        assert (due - timezone.now()).total_seconds() == pytest.approx(seconds, abs=2)


def test_what_the_urgent_used_is_no_room_for_the_background() -> None:
    called(45)
    assert quota.measure(90) == pytest.approx(2.0)


def test_a_permit_costs_little(settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 9000
    quota.take(Lane.PAGE)
    began = time.perf_counter()
    for _ in range(200):
        quota.take(Lane.PAGE)
    assert (time.perf_counter() - began) / 200 < 0.01
