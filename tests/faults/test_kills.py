"""`kill -9` while a call is on its way: before YCloud or Meta has applied it, and after.

(The deaths between two steps are in tests/onboarding/test_killed_worker.py.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from onboarding import meta, services, steps, tasks, transitions
from onboarding.models import Onboarding, ProviderCall
from tenants.access import member
from tenants.models import Membership, Tenant
from tests.conftest import Sandbox, person
from tests.faults.stack import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

HOLD_SECONDS = 3


class Worker:
    """The processes of `tests.faults.worker`."""

    def __init__(self, sandbox: Sandbox) -> None:
        database = connection.settings_dict
        place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{place}",
            "YCLOUD_API_BASE_URL": f"{sandbox.url}/v2",
            "YCLOUD_API_KEY": "sandbox-key",
            "META_GRAPH_BASE_URL": f"{sandbox.url}/graph",
            "META_APP_SECRET": "sandbox-app-secret",
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def dies_while(self, what: str, row: Onboarding, calls: Callable[[], int]) -> None:
        """Start the work and kill it as soon as one more call has reached the other side."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = calls()
        self.process.stdin.write(f"{what} {row.pk}\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        until = time.monotonic() + 20
        while calls() == before:
            assert time.monotonic() < until, "the call never came"
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        assert self.process.stdout.readline().strip() == "killed"

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


@pytest.fixture
def worker(sandbox: Sandbox) -> Iterator[Worker]:
    made = Worker(sandbox)
    yield made
    made.close()


def begun(sandbox: Sandbox, mode: str, scenario: str, **params: Any) -> Onboarding:
    """An onboarding whose window is finished; its code waits."""
    tenant = Tenant.objects.create(slug="cakes", name="Cakes")
    membership = Membership.objects.create(user=person("owner@cakes.example"), tenant=tenant)
    asker = member(membership.user)
    row, _ = services.start(asker, tenant, mode)
    window = sandbox.finish(mode, scenario, **params)
    names = ("waba_id", "phone_number_id", "code", "event")
    return services.record_signup_result(
        row, asker, {name: window[name] for name in names if window[name]}
    )


def goes_on(row: Onboarding, most: int = 20) -> None:
    """Time passes in steps; another worker does what is due."""
    died_at = timezone.now()
    for looks in range(1, most):
        with time_machine.travel(died_at + looks * timedelta(seconds=50), tick=True):
            claimed = transitions.claim(row.pk)
            if claimed is not None:
                steps.run(claimed)
        row.refresh_from_db()
        if row.state == "connected":
            return


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not applied"])
@pytest.mark.parametrize(
    ("mode", "scenario", "call", "most"),
    [
        ("business_platform", "approve", "retrieve_account", 0),
        ("business_platform", "approve", "list_numbers", 0),
        ("business_platform", "pending", "register", 2),
        ("business_platform", "unbound", "tp_bind", 2),
        ("business_app", "approve", "smb_bind", 2),
        ("business_app", "unbound", "smb_bind", 2),
    ],
)
def test_a_worker_killed_inside_a_call_loses_nothing_and_repeats_by_the_rule(
    sandbox: Sandbox, worker: Worker, mode: str, scenario: str, call: str, most: int, applied: bool
) -> None:
    kind = "timeout_after" if applied else "timeout_before"
    faults = [{"match": call, "fault": kind, "times": 1, "seconds": HOLD_SECONDS}]
    seconds = {"connect_after": 20.0} if scenario == "pending" else {}
    row = begun(sandbox, mode, scenario, faults=faults, **seconds)
    meta.exchange_code(row.pk)
    ending = {
        "register": "/register", "tp_bind": "/tp/bind", "smb_bind": "/smb/bind",
        "retrieve_account": row.claimed_waba_id, "list_numbers": "/phoneNumbers",
    }[call]  # fmt: skip

    def heard() -> int:
        return sum(each.endswith(ending) for each in sandbox.calls)

    worker.dies_while("steps", row, heard)
    goes_on(row)
    assert row.state == "connected", f"{row.state}/{row.reason}"
    if most:
        assert heard() == (1 if applied else most)
        intents = ProviderCall.objects.filter(kind=call).order_by("at")
        assert intents.count() == heard()
        assert intents[0].outcome == "lost"


@pytest.mark.parametrize("applied", [True, False], ids=["used up", "not used"])
def test_a_worker_killed_inside_the_exchange_leaves_the_code_to_the_next_one(
    sandbox: Sandbox, worker: Worker, applied: bool
) -> None:
    kind = "timeout_after" if applied else "timeout_before"
    row = begun(sandbox, "business_platform", "approve")
    sandbox.fault("graph_oauth_access_token", kind, seconds=HOLD_SECONDS)
    worker.dies_while("exchange", row, lambda: len(sandbox.server.world.graph_calls))
    Onboarding.objects.filter(pk=row.pk).update(
        code_received_at=timezone.now() - timedelta(seconds=4)
    )
    assert meta.forgotten_codes() == [row.pk], "found while it lives"
    tasks.exchange_code(onboarding_id=row.pk)
    row.refresh_from_db()
    assert row.grant == ("refused" if applied else "granted")
    assert row.code == ""
    outcomes = ProviderCall.objects.filter(kind="exchange_code").order_by("at")
    assert [o.outcome for o in outcomes] == ["lost", "refused" if applied else "done"]
