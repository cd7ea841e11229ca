"""What a sweep hands out: the watched and the young at once, the rest as their lane has room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from onboarding import admission, quota, tasks, transitions
from onboarding.models import Onboarding
from onboarding.quota import Lane
from tenants.models import Tenant
from tests.conftest import Worker

NOBODY_LISTENS = "redis://127.0.0.1:9/0"
LONG = timedelta(days=3)


@pytest.fixture(autouse=True)
def _limits(db: None, settings: Any) -> Iterator[None]:
    settings.YCLOUD_QUOTA_PER_SECOND, settings.YCLOUD_QUOTA_PER_HOUR = 1000, 9000
    quota.store.breaker.until = 0.0
    yield
    quota.store.breaker.until = 0.0


def row(tenant: Tenant, *, age: timedelta = LONG, due: float = -60, **more: Any) -> Onboarding:
    """One that waits for its payment method, due so many seconds from now."""
    columns = {"connection_mode": "business_platform", "state": "awaiting_payment"} | more
    made = Onboarding.objects.create(tenant=tenant, **columns)
    now = timezone.now()
    Onboarding.objects.filter(pk=made.pk).update(
        state_changed_at=now - age, next_look_at=now + timedelta(seconds=due)
    )
    return made


def claimed() -> set[int]:
    return {key for key, _ in admission.claim(tasks.SWEEP_LIMIT)}


def use_up(lane: Lane) -> None:
    with suppress(quota.QuotaFullError):
        while True:
            quota.take(lane)


# --- Room ----------------------------------------------------------------------------------------


def test_a_sweep_takes_a_few_seconds_worth_of_the_waiting_and_the_oldest_of_them(
    tenant: Tenant,
) -> None:
    keys = [row(tenant, due=-n).pk for n in range(30)]
    assert claimed() == set(keys[-4:])  # 2.25 calls a second, fourfold, two calls a look


def test_no_waiting_row_is_handed_out_while_its_lane_is_full(tenant: Tenant, settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 100
    row(tenant)
    use_up(Lane.WAITING)
    assert claimed() == set()


def test_one_call_of_room_is_not_enough_for_a_look(tenant: Tenant, settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 100
    waits = row(tenant)
    for _ in range(89):
        quota.take(Lane.WAITING)
    assert claimed() == set()
    settings.YCLOUD_QUOTA_PER_HOUR = 102
    assert claimed() == {waits.pk}


def test_young_rows_are_handed_out_however_full_the_waiting_lane_is(
    tenant: Tenant, settings: Any
) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 100
    for n in range(5):
        row(tenant, due=-1000 - n)
    use_up(Lane.WAITING)
    young = row(tenant, age=timedelta(minutes=1), due=-1)
    assert claimed() == {young.pk}


def test_a_closed_quota_hands_out_nothing_that_waits(tenant: Tenant) -> None:
    row(tenant)
    quota.close(60)
    assert claimed() == set()


def test_without_redis_only_young_rows_are_handed_out(tenant: Tenant, settings: Any) -> None:
    row(tenant)
    young = row(tenant, age=timedelta(minutes=1))
    settings.REDIS_URL = NOBODY_LISTENS
    assert claimed() == {young.pk}


def test_rows_that_only_seem_young_wait_for_their_lane_like_others(
    tenant: Tenant, settings: Any
) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 100
    use_up(Lane.WAITING)
    row(tenant, age=timedelta(minutes=1), state="needs_attention", reason="bind_refused")
    assert claimed() == set()


def test_what_is_held_is_not_handed_out_again(tenant: Tenant) -> None:
    young, seen = row(tenant, age=timedelta(minutes=1)), row(tenant)
    quota.seen_at_page(seen.pk)
    assert claimed() == {young.pk, seen.pk}
    assert claimed() == set()


# --- The page ------------------------------------------------------------------------------------


def test_a_row_that_somebody_looks_at_is_handed_out_before_all_that_is_overdue(
    tenant: Tenant, settings: Any
) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 100
    for n in range(5):
        row(tenant, due=-1000 - n)
    use_up(Lane.WAITING)
    seen = row(tenant, due=-1)
    quota.seen_at_page(seen.pk)
    assert claimed() == {seen.pk}


def put_off(tenant: Tenant, *, looked: timedelta, due: timedelta, **more: Any) -> Onboarding:
    """Looked at so long ago, and due so far from now, because of the pressure."""
    made = row(tenant, due=due.total_seconds(), **more)
    Onboarding.objects.filter(pk=made.pk).update(updated_at=timezone.now() - looked)
    quota.seen_at_page(made.pk)
    return made


def test_a_row_that_was_put_off_is_looked_at_when_somebody_opens_its_page(tenant: Tenant) -> None:
    seen = put_off(tenant, looked=timedelta(hours=7), due=timedelta(days=2))
    assert claimed() == {seen.pk}


def test_a_page_that_stays_open_brings_no_more_than_the_row_s_own_interval(tenant: Tenant) -> None:
    put_off(tenant, looked=timedelta(hours=5), due=timedelta(days=2))
    assert claimed() == set()


def test_a_row_that_was_not_put_off_keeps_its_time(tenant: Tenant) -> None:
    put_off(tenant, looked=timedelta(hours=5), due=timedelta(hours=1))
    assert claimed() == set()


def test_a_young_row_keeps_the_time_that_its_step_set(tenant: Tenant) -> None:
    minutes = timedelta(minutes=3)
    put_off(tenant, looked=minutes, due=minutes, age=timedelta(minutes=5))
    assert claimed() == set()


def test_what_the_page_s_own_lane_refused_waits_until_it_is_due(tenant: Tenant) -> None:
    put_off(tenant, looked=timedelta(hours=7), due=timedelta(days=2), reason="quota_full")
    assert claimed() == set()


def test_nobody_looks_any_more_after_fifteen_seconds(tenant: Tenant, worker: Worker) -> None:
    quota.seen_at_page(7)
    worker.clock.shift(14)
    assert quota.all_at_page() == [7]
    assert quota.is_at_page(7)
    worker.clock.shift(2)
    assert quota.all_at_page() == []
    assert not quota.is_at_page(7)


# --- Ahead of time -------------------------------------------------------------------------------


def test_under_pressure_room_that_nobody_uses_is_used_a_little_ahead_of_time(
    tenant: Tenant,
) -> None:
    soon, late = row(tenant, due=50), row(tenant, due=500)
    assert claimed() == set()
    quota.measure(2.0 * 8100)
    assert admission.ahead() == timedelta(seconds=55)
    assert claimed() == {soon.pk}
    quota.measure(1000.0 * 8100)
    assert admission.ahead() == timedelta(hours=1)
    assert claimed() == {late.pk}


# --- Nudges --------------------------------------------------------------------------------------


def test_a_refused_row_that_waits_gets_no_nudge_of_its_own(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(
        tasks.advance_onboarding, "apply_async",
        lambda **sent: told.append(sent["kwargs"]["onboarding_id"]),
    )  # fmt: skip
    refused = row(tenant, due=3, reason="quota_full")
    young = row(tenant, due=3, reason="quota_full", age=timedelta(minutes=1))
    seen = row(tenant, due=3, reason="quota_full")
    quota.seen_at_page(seen.pk)
    for each in (refused, young, seen):
        each.refresh_from_db()
        tasks._nudge_again(each, each.next_look_at)
    assert told == [young.pk, seen.pk]


# --- One statement -------------------------------------------------------------------------------


def test_a_row_that_is_watched_young_and_due_is_taken_once(tenant: Tenant) -> None:
    made = row(tenant, age=timedelta(minutes=1))
    found = transitions.claim_due(
        10, first=[made.pk], young_since=timezone.now() - quota.YOUNG, rest=10
    )
    assert found == [(made.pk, 1)]


def test_a_watched_row_that_nobody_looks_at_any_more_stays_untouched(tenant: Tenant) -> None:
    ended = row(tenant, state="connected")
    Onboarding.objects.filter(pk=ended.pk).update(next_look_at=None)
    assert transitions.claim_due(10, first=[ended.pk]) == []
