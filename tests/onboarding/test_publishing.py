"""One message waits for a task that takes whatever is due, however often it is asked for."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding import publishing, tasks


@pytest.fixture
def sent(db: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    messages: list[Any] = []
    publishing.begins(tasks.watch_numbers)
    publishing.kept.delete(f"lately:{tasks.watch_numbers.name}")
    monkeypatch.setattr(
        tasks.watch_numbers, "apply_async", lambda **message: messages.append(message)
    )
    return messages


def test_asked_for_twice_before_it_begins_is_one_message(sent: list[Any]) -> None:
    assert publishing.published_once(tasks.watch_numbers)
    assert publishing.published_once(tasks.watch_numbers)
    assert len(sent) == 1


def test_what_comes_after_it_began_is_a_message_of_its_own(sent: list[Any]) -> None:
    publishing.published_once(tasks.watch_numbers)
    tasks.watch_numbers()
    publishing.published_once(tasks.watch_numbers)
    assert len(sent) == 2


@pytest.fixture
def mute_redis(settings: Any) -> Iterator[None]:
    """It takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        away = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        before = settings.CACHES
        settings.CACHES = {**before, "nudges": {**before["nudges"], "LOCATION": away}}
        yield


def test_a_redis_that_does_not_answer_is_waited_for_half_a_second(
    sent: list[Any], mute_redis: None
) -> None:
    began = time.monotonic()
    assert not publishing.published_once(tasks.watch_numbers)
    assert time.monotonic() - began < 1
    assert not sent


def test_the_first_message_goes_at_once_and_the_next_one_gathers(sent: list[Any]) -> None:
    for _ in range(2):
        publishing.published_once(tasks.watch_numbers, 2.0)
        tasks.watch_numbers()
    publishing.published_once(tasks.watch_numbers)
    assert [message["countdown"] for message in sent] == [None, 2.0, None]
