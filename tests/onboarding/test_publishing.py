"""One message waits for a task that takes whatever is due, however often it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from onboarding import publishing, tasks


@pytest.fixture
def sent(db: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    messages: list[Any] = []
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
