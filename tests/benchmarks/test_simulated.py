"""The rows of `make bench` about calls, noticing and quota measure what they say, in small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from benchmarks import calls, noticing, quota
from benchmarks.simulated import crowd, signups
from benchmarks.simulated.clock import simulated
from benchmarks.simulated.pollers import POLLERS, Watch
from benchmarks.simulated.product import product
from benchmarks.simulated.wire import NearWorld
from onboarding import admission, schedule, steps, transitions
from onboarding import quota as lanes
from onboarding.models import Onboarding

# --- Calls ---------------------------------------------------------------------------------------


def test_the_happy_path_takes_three_calls_in_two_round_trips(db: None) -> None:
    assert calls.happy() == (3, 2)


def test_reads_one_after_the_other_are_counted_as_round_trips(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onboarding import ycloud

    together = ycloud.read

    def in_turn(row: Any, *wanted: Any) -> list[Any]:
        return [together(row, each)[0] for each in wanted]

    monkeypatch.setattr(ycloud, "read", in_turn)
    assert calls.happy() == (3, 3)


def test_a_call_too_many_is_counted(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = steps.run

    def twice(row: Onboarding) -> None:
        from onboarding.steps.look import Pass

        Pass(row).read_numbers()
        plain(row)

    monkeypatch.setattr(steps, "run", twice)
    assert calls.happy()[0] == 4


def test_the_numbers_of_an_account_cost_as_many_calls_as_one(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "DAY", 120.0)
    monkeypatch.setattr(calls, "DAYS", (2,))
    (one,), (three,) = calls.waiting(1, 0).values(), calls.waiting(3, 0).values()
    assert 8 <= one <= 16
    assert three <= one + 4


def test_each_loop_is_counted_for_each_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "DAYS", (1,))
    found = {name: calls.bare_waiting(loop, 2)[1] for name, loop in POLLERS.items()}
    assert found["a poll each 2 s"] == pytest.approx(2 * 86_400 / 2.1, rel=0.01)
    assert found["10 s x 60"] == 120
    assert 400 < found["a Celery retry chain"] < 900  # 2 x 86,400 s / about 300 s


# --- Noticing ------------------------------------------------------------------------------------


def test_a_number_that_connects_is_noticed_within_a_tenth_of_its_time(db: None) -> None:
    seen = noticing.ours([1.0, 300.0], 1)
    assert [each.took for each in seen] == [1.0, 300.0]
    assert all(each.delay is not None and 0 < each.share <= 12 for each in seen)
    assert 30 < seen[1].calls < 60


def test_a_lazy_schedule_is_noticed_late(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SHARE", 0.9)
    (seen,) = noticing.ours([400.0], 1)
    assert seen.share > 20


def test_what_gave_up_is_a_miss() -> None:
    (short, long) = noticing.theirs("10 s x 60", [100.0, 1000.0])
    assert short.delay is not None
    assert short.delay < 11
    assert (long.delay, long.share, long.calls) == (None, noticing.MISSED, 62)


def test_the_samples_are_spread_evenly_over_the_scale() -> None:
    took = noticing.times(20, 3)
    assert took == sorted(took)
    assert took[0] < 2
    assert took[-1] > 7 * 86_400 / 2
    assert took != noticing.times(20, 4)


def test_a_chain_of_retries_never_gives_up_and_doubles_up_to_ten_minutes() -> None:
    with simulated() as clock:
        world = NearWorld(clock)
        _, (number_id,) = signups.account(world)
        watch = Watch(clock, world, number_id)
        POLLERS["a Celery retry chain"](watch, clock.now + 86_400)
    gaps = [after - before for before, after in zip(watch.calls, watch.calls[1:], strict=False)]
    assert max(gaps[:3]) < 6
    assert 500 < max(gaps) < 602


# --- Quota ---------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(quota, "COUNT", 1500)
    with product():
        crowd.load(1500)


def test_a_crowd_waits_and_none_of_it_is_due(small: None) -> None:
    assert Onboarding.objects.count() == 1500
    assert transitions.claim_due(10) == []
    of_one = Onboarding.objects.filter(tenant__slug="crowd-0").count()
    assert of_one == 300
    several = Onboarding.objects.filter(state="connecting").values("business_account").distinct()
    assert several.count() == 150


def test_the_plain_queue_keeps_the_page_waiting_and_ours_does_not(small: None) -> None:
    (ours,) = quota.rounds_of(1, 20.0, outage=True)
    (naive,) = quota.rounds_of(1, 20.0, naive=True)
    assert ours.refused_by_ycloud == 0
    assert len(ours.page_waits) > 3
    assert quota._page(ours) <= 2 < quota._page(naive)


def test_a_sweep_without_admission_is_seen(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "waiting_looks", lambda: 10**6)
    (told,) = quota.rounds_of(1, 15.0, outage=True)
    assert told.refused_by_us > 100


def test_a_quota_that_lets_too_much_through_is_refused_by_the_sandbox(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "take", lambda lane: None)
    monkeypatch.setattr(admission, "waiting_looks", lambda: 200)
    (told,) = quota.rounds_of(1, 70.0, outage=True)
    assert told.refused_by_ycloud > 0


def test_a_tenant_that_waits_longer_than_the_others_shows() -> None:
    from benchmarks.simulated.hours import Told

    told = Told(seconds=60)
    told.due_waits |= {
        1: [(1, 1.0), (2, 90.0)],
        2: [(1, 1.0), (2, 90.0)],
        3: [(1, 31.0), (2, 90.0)],
    }
    assert quota.spread(told) == pytest.approx(15)
    del told.due_waits[3]
    assert quota.spread(told) == 0


def test_keys_end_by_the_clock_of_the_simulation(db: None) -> None:
    with product() as made:
        lanes.measure(10**6)
        made.clock.pass_by(lanes.PRESSURE_SECONDS - 1)
        assert lanes.pressure() > 1
        made.clock.pass_by(2)
        assert lanes.pressure() == 1


def test_an_outage_leaves_everything_due(small: None) -> None:
    with product():
        crowd.make_due(timedelta(hours=1), overdue=True)
        assert len(transitions.claim_due(5000)) == 1500
