"""Workers whose tasks are threads."""

from __future__ import annotations

import logging
import os
import signal
from types import SimpleNamespace

import pytest
from celery.concurrency.thread import TaskPool

from config import reporting, threads


@pytest.fixture(autouse=True)
def _no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_pool", [])
    monkeypatch.setattr(threads, "_began", {})


def begin(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A worker of threads is ready; what it began."""
    begun: list[str] = []
    monkeypatch.setattr(reporting, "begin_traces", lambda: begun.append("traces"))
    monkeypatch.setattr(threads, "watch", lambda limit: begun.append(f"watch {limit:g}"))
    pool = TaskPool(limit=1)
    threads.begin(SimpleNamespace(pool=pool))
    pool.executor.shutdown()
    return begun


def test_a_worker_of_threads_traces_and_watches_its_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sorted(begin(monkeypatch)) == ["traces", "watch 120"]


def test_a_worker_of_processes_is_left_to_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "watch", lambda limit: pytest.fail("Celery does that"))
    threads.begin(SimpleNamespace(pool=object()))
    threads.take_up("1", SimpleNamespace(name="a"))
    assert not threads.is_pool()
    assert not threads.overdue(1e12, 0)


def test_a_task_that_does_not_end_ends_its_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch = threads.watch
    begin(monkeypatch)
    threads.take_up("1", SimpleNamespace(name="slow"))
    ended: list[int] = []
    with caplog.at_level(logging.CRITICAL):
        watch(-1, ended.append)
    assert ended == [1]
    assert "slow" in caplog.text


def test_a_task_that_has_ended_is_never_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(monkeypatch)
    threads.take_up("1", SimpleNamespace(name="quick"))
    assert threads.overdue(1e12, 120) == ["quick"]
    threads.put_down("1")
    assert threads.overdue(1e12, 120) == []


@pytest.mark.parametrize("is_threads", [True, False])
def test_a_cold_stop_waits_for_no_thread(monkeypatch: pytest.MonkeyPatch, is_threads: bool) -> None:
    ends: list[object] = []
    monkeypatch.setattr(os, "_exit", lambda status: ends.append(f"exit {status}"))
    monkeypatch.setattr(os, "kill", lambda pid, number: ends.append(number))
    if is_threads:
        begin(monkeypatch)
    threads.stop_cold()
    assert ends[0] == ("exit 0" if is_threads else signal.SIGQUIT)
