"""How often somebody may do something, and what happens when Redis is away."""

from __future__ import annotations

from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as site

from tenants import throttle


@pytest.fixture(autouse=True)
def _empty(db: None) -> Any:
    yield
    throttle._away.until = 0.0


def test_it_lets_in_as_often_as_the_rate_says() -> None:
    seen = [throttle.hit("login", "anna", "3/minute") for _ in range(4)]
    assert [each.allowed for each in seen] == [True, True, True, False]
    assert [each.remaining for each in seen] == [2, 1, 0, 0]
    assert {each.limit for each in seen} == {3}
    assert 1 <= seen[-1].reset_seconds <= 60


def test_each_scope_and_each_who_is_counted_by_itself() -> None:
    assert throttle.hit("login", "anna", "1/minute").allowed
    assert throttle.hit("login", "bert", "1/minute").allowed
    assert throttle.hit("link", "anna", "1/minute").allowed
    assert not throttle.hit("login", "anna", "1/minute").allowed


def test_the_window_moves_so_no_burst_fits_around_a_full_minute() -> None:
    with time_machine.travel("2026-11-24T10:00:55Z", tick=False) as clock:
        assert all(throttle.hit("login", "anna", "2/minute").allowed for _ in range(2))
        clock.shift(10)
        assert not throttle.hit("login", "anna", "2/minute").allowed
        clock.shift(51)
        assert throttle.hit("login", "anna", "2/minute").allowed


def test_redis_keeps_no_address_of_a_person() -> None:
    throttle.hit("login", "anna@cakes.example", "2/minute")
    keys = redis.Redis.from_url(site.REDIS_URL).keys("throttle*")
    assert keys
    assert not [key for key in keys if b"anna" in key]


def test_without_redis_everybody_is_let_in_and_a_warning_is_logged(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    seen = [throttle.hit("login", "anna", "1/minute") for _ in range(3)]
    assert [each.allowed for each in seen] == [True, True, True]
    assert caplog.text.count("Redis does not answer") == 1, "once, not for each request"
    assert "anna" not in caplog.text
