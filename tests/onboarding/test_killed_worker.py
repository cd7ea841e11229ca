"""A worker that dies between any two things loses nothing and registers nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from onboarding import meta, services, steps, transitions
from onboarding.models import Onboarding
from tenants.access import member
from tenants.models import Membership, Tenant
from tests.conftest import Sandbox, person

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_POINTS = 60

pytestmark = pytest.mark.django_db(transaction=True)


class KillableWorker:
    """The child process; `kill_at(n, row)` is true while there was an nth point to die at."""

    def __init__(self, sandbox: Sandbox) -> None:
        database = connection.settings_dict
        place = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{place}",
            "YCLOUD_API_BASE_URL": f"{sandbox.url}/v2",
            "YCLOUD_API_KEY": "sandbox-key",
            "PYTHONPATH": str(ROOT),
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.onboarding.killable_worker"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_at(self, point: int, row: Onboarding) -> bool:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(f"{point} {row.pk}\n")
        self.child.stdin.flush()
        told = self.child.stdout.readline().strip()
        assert told in ("killed", "finished"), told
        return told == "killed"

    def close(self) -> None:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait(10)


@pytest.fixture
def killable(sandbox: Sandbox) -> Iterator[KillableWorker]:
    worker = KillableWorker(sandbox)
    yield worker
    worker.close()


def signed_up(sandbox: Sandbox, mode: str, scenario: str) -> Onboarding:
    """An onboarding whose window is finished and whose code is exchanged."""
    tenant, _ = Tenant.objects.get_or_create(slug="cakes", defaults={"name": "Cakes"})
    membership = Membership.objects.filter(tenant=tenant).first()
    if membership is None:
        user = person("owner@cakes.example")
        membership = Membership.objects.create(user=user, tenant=tenant)
    asker = member(membership.user)
    row, _ = services.start(asker, tenant, mode)
    window = sandbox.finish(mode, scenario)
    names = ("waba_id", "phone_number_id", "code", "event")
    result = {name: window[name] for name in names if window[name]}
    row = services.record_signup_result(row, asker, result)
    meta.exchange_code(row.pk)
    return row


def started_again(row: Onboarding) -> None:
    """The lease of the dead worker has run out; a new worker does what is due until it is done."""
    died_at = timezone.now()
    for looks in range(1, 20):
        with time_machine.travel(died_at + looks * timedelta(seconds=50), tick=True):
            claimed = transitions.claim(row.pk)
            if claimed is not None:
                steps.run(claimed)
        row.refresh_from_db()
        if row.state == "connected":
            return


@pytest.mark.parametrize(
    ("mode", "scenario", "registers"),
    [
        ("business_platform", "approve", 1),
        ("business_platform", "unbound", 1),
        ("business_app", "approve", 0),
        ("business_app", "unbound", 0),
    ],
)
def test_a_worker_killed_between_any_two_steps_loses_nothing_and_registers_once(
    sandbox: Sandbox, killable: KillableWorker, mode: str, scenario: str, registers: int
) -> None:
    points = 0
    for point in range(MOST_POINTS):
        row = signed_up(sandbox, mode, scenario)
        killed = killable.kill_at(point, row)
        started_again(row)
        assert row.state == "connected", f"killed at point {point}: {row.state}/{row.reason}"
        done = [c for c in sandbox.calls if row.claimed_waba_id in c and c.endswith("/register")]
        assert len(done) == registers, f"killed at point {point}: registered {len(done)} times"
        binds = [c for c in sandbox.calls if row.claimed_waba_id in c and c.endswith("/bind")]
        assert len(binds) <= 2, f"killed at point {point}: bound {len(binds)} times"
        if not killed:
            break
        points += 1
    assert points >= 10
    assert points < MOST_POINTS


def test_every_nudge_may_be_lost_because_the_sweep_alone_suffices(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.tasks._published", lambda task, kwargs: True)
    row = signed_up(sandbox, "business_platform", "approve")
    for onboarding_id, fence in transitions.claim_due(10):
        claimed = transitions.take_over(onboarding_id, fence)
        assert claimed is not None
        steps.run(claimed)
    row.refresh_from_db()
    assert row.state == "connected"
