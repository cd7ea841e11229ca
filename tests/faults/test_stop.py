"""A worker that gets SIGTERM finishes its step or hands the row back, within seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from onboarding import meta as graph
from onboarding import stopping, transitions
from onboarding.models import Onboarding
from onboarding.steps import run
from sandbox import meta
from tests.conftest import Sandbox, Worker
from tests.faults.scripts import API, Browser
from tests.faults.stack import Stack
from tests.test_journey import Customer


@pytest.fixture
def asked_to_stop() -> Iterator[None]:
    stopping.ask()
    yield
    stopping.forget()


def test_a_row_is_handed_back_between_two_steps_and_free_at_once(
    api: APIClient, sandbox: Sandbox, worker: Worker, asked_to_stop: None
) -> None:
    customer = Customer(api, sandbox, worker)
    customer.starts()
    window = sandbox.finish(scenario="approve")
    customer.hands_over(window)
    graph.exchange_code(Onboarding.objects.get().pk)
    row = transitions.claim(Onboarding.objects.get().pk)
    assert row is not None
    run(row)
    row.refresh_from_db()
    assert row.state == "linked", "one step, then the row is put down"
    assert row.lease_until is None
    assert transitions.claim(row.pk) is not None
    stopping.forget()
    worker.later(60)
    assert customer.state == "connected"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    made.stop()


@pytest.mark.timeout(240)
def test_a_worker_with_a_call_that_hangs_is_gone_within_seconds_and_loses_nothing(
    stack: Stack,
) -> None:
    stack.start()
    made = subprocess.run(
        [sys.executable, "-c", MAKE_LINK], env=stack.env, capture_output=True, text=True, check=True
    )
    browser = Browser(stack.site, f"/s/{made.stdout.strip()}/", lambda: time.monotonic() + 60)
    public_id = browser.post(API, {"connection_mode": "business_platform"}).json()["id"]
    faults = [{"match": "register", "fault": "slow", "times": 1, "seconds": 40}]
    window = meta.finish(stack.sandbox.world, "business_platform", "approve", {"faults": faults})
    sent = {name: window[name] for name in ("waba_id", "phone_number_id", "code", "event")}
    browser.post(f"{API}{public_id}/signup/", sent)
    _until(lambda: _registers(stack) == 1, 20)
    seconds = [stack.terminate(name) for name in ("worker1", "worker2", "exchange")]
    assert max(seconds) < 14, seconds
    for name in ("worker1", "worker2", "exchange"):
        stack.run(name)
    _until(lambda: _state(browser, public_id) == "connected", 150)
    browser.http.close()
    assert _registers(stack) == 1, "applied once; its lost answer was looked for"


MAKE_LINK = """
import django; django.setup()
from onboarding import services
from tenants import walls
from tenants.models import Tenant
with walls.seeing_everything("a command"):
    print(services.create_link(Tenant.objects.create(name="Cakes", slug="cakes"))[1])
"""


def _registers(stack: Stack) -> int:
    calls: list[Any] = list(stack.sandbox.world.calls)
    return sum(call["path"].endswith("/register") for call in calls)


def _state(browser: Browser, public_id: str) -> str:
    return str(browser.get(f"{API}{public_id}/").json()["state"])


def _until(holds: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)
