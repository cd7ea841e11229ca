"""Rules of single gates and acts that no whole journey shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import schedule, services, steps, transitions, ycloud
from onboarding.models import Onboarding, ProviderCall
from tenants.models import Tenant
from tests.conftest import Sandbox, Worker
from ycloud_client import NoResponseError

API = "/api/v1/onboardings/"


@pytest.fixture
def onboard(api: APIClient, sandbox: Sandbox, worker: Worker) -> Any:
    def begin(
        scenario: str = "approve", mode: str = "business_platform", window: Any = None, **more: Any
    ) -> Onboarding:
        made = api.post(API, {"connection_mode": mode}).json()["id"]
        window = window or sandbox.finish(mode, scenario, **more)
        names = ("waba_id", "phone_number_id", "code", "event")
        sent = {name: window[name] for name in names if window[name]}
        api.post(f"{API}{made}/signup/", sent)
        worker.run()
        return Onboarding.objects.get(public_id=made)

    return begin


def stop(row: Onboarding) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.reason


def binds(sandbox: Sandbox) -> int:
    return sum(call.endswith("/bind") for call in sandbox.calls)


def test_the_account_and_its_numbers_are_read_at_the_same_time(
    onboard: Any, sandbox: Sandbox
) -> None:
    sandbox.server.latency_ms = 300
    try:
        onboard()
    finally:
        sandbox.server.latency_ms = 0
    first, second, third = (call["at"] for call in sandbox.server.world.calls)
    assert abs(second - first) < 0.2, "two reads, one round trip"
    assert third - max(first, second) >= 0.3


# --- Owner ---------------------------------------------------------------------------------------


def test_without_the_right_to_bind_an_invisible_account_stops_after_a_minute(
    onboard: Any, sandbox: Sandbox, worker: Worker, settings: Any
) -> None:
    settings.YCLOUD_TP_BIND = "never"
    row = onboard("unbound")
    assert stop(row) == ("signed_up", "account_unconfirmed")
    worker.later(90)
    assert stop(row) == ("needs_attention", "account_not_visible")
    assert binds(sandbox) == 0
    sandbox.act("bind", waba_id=row.claimed_waba_id)
    services.resume(row, "reviewer")
    worker.run()
    assert stop(row) == ("connected", "")


def test_always_binding_binds_once_what_is_visible_already(
    onboard: Any, sandbox: Sandbox, settings: Any
) -> None:
    settings.YCLOUD_TP_BIND = "always"
    assert stop(onboard()) == ("connected", "")
    assert binds(sandbox) == 1


def test_a_second_attempt_at_the_same_number_is_superseded(onboard: Any, sandbox: Sandbox) -> None:
    first = onboard("payment_missing")
    second = onboard(window=sandbox.finish(scenario="second_tenant"))
    assert stop(second) == ("cancelled", "superseded")
    assert stop(first) == ("awaiting_payment", "payment_missing")


def test_two_numbers_of_one_account_are_connected_side_by_side(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    first = onboard("payment_missing", numbers=2)
    window = sandbox.finish(scenario="second_tenant")
    numbers = [n["answer"]["id"] for n in sandbox.server.world.numbers.values()]
    second = onboard(window={**window, "phone_number_id": numbers[1]})
    assert stop(second) == ("awaiting_payment", "payment_missing")
    sandbox.act("attach_payment", waba_id=first.claimed_waba_id)
    worker.later(60)
    assert stop(first)[0] == stop(second)[0] == "connected"
    assert first.number != second.number


def test_a_tenant_that_comes_back_connects_its_own_account_again(
    onboard: Any, sandbox: Sandbox
) -> None:
    onboard()
    again = onboard(window=sandbox.finish(scenario="second_tenant"))
    assert stop(again) == ("connected", "")
    assert sandbox.registers == 1, "it is CONNECTED already"


# --- Number --------------------------------------------------------------------------------------


def test_an_expected_number_is_enforced(onboard: Any, sandbox: Sandbox, worker: Worker) -> None:
    row = onboard("payment_missing")
    Onboarding.objects.update(expected_number="+34600000000")
    sandbox.act("attach_payment", waba_id=row.claimed_waba_id)
    worker.later(60)
    assert stop(row) == ("awaiting_number", "number_unexpected")
    assert sandbox.registers == 0


def test_a_number_in_the_app_is_never_registered_whatever_was_chosen(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    window = sandbox.finish("business_app")
    row = onboard("approve", "business_platform", {**window, "event": "FINISH"})
    worker.later(10)
    assert stop(row) == ("connected", "")
    assert row.connection_mode == "business_platform"
    assert sandbox.registers == 0


# --- Watching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING", ("connecting", "")),
        ("UNKNOWN", ("connecting", "")),
        ("MANUAL_REVIEW", ("connecting", "")),
        ("A_NEW_WORD", ("connecting", "")),
        ("FLAGGED", ("connecting", "number_limited")),
        ("WARNED", ("connecting", "number_limited")),
        ("RATE_LIMITED", ("connecting", "number_limited")),
        ("RESTRICTED", ("connecting", "number_limited")),
        ("BLOCKED", ("connecting", "number_limited")),
        ("UNVERIFIED", ("awaiting_number", "number_not_verified")),
        ("BANNED", ("needs_attention", "number_banned")),
        ("MIGRATED", ("needs_attention", "number_migrated")),
        ("DISCONNECTED", ("needs_attention", "number_disconnected")),
        ("CONNECTED", ("connected", "")),
    ],
)
def test_each_status_of_a_watched_number(
    onboard: Any, sandbox: Sandbox, worker: Worker, status: str, expected: tuple[str, str]
) -> None:
    row = onboard("pending", seconds=90_000)
    assert row.number is not None
    number = sandbox.server.world.numbers[row.number.phone_number_id]
    number["connect_at"], number["answer"]["status"] = None, status
    worker.later(20)
    assert stop(row) == expected
    row.number.refresh_from_db()
    assert row.number.status == status, "YCloud's word is kept verbatim"
    assert sandbox.registers == 1


def test_a_word_that_is_too_long_for_its_column_stops_nothing(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    row = onboard("pending", seconds=90_000)
    assert row.number is not None
    answer = sandbox.server.world.numbers[row.number.phone_number_id]["answer"]
    answer |= {"qualityRating": "X" * 300, "verifiedName": "N\x00" * 300}
    worker.later(20)
    assert stop(row) == ("connecting", "")


# --- Trouble -------------------------------------------------------------------------------------


def test_a_refused_key_is_the_partners_and_ends_nothing(
    onboard: Any, api: APIClient, worker: Worker, settings: Any
) -> None:
    settings.YCLOUD_API_KEY = "wrong"
    row = onboard()
    assert stop(row) == ("signed_up", "ycloud_access_refused")
    assert api.get(f"{API}{row.public_id}/").json()["reason"] == "ycloud_unavailable"
    ycloud.client().close()
    settings.YCLOUD_API_KEY = "sandbox-key"
    worker.later(301)
    assert stop(row) == ("connected", "")


def test_a_retry_after_is_respected(onboard: Any, sandbox: Sandbox, worker: Worker) -> None:
    sandbox.fault("any", "rate_limited", seconds=120, times=2)
    row = onboard()
    seen = len(sandbox.calls)
    worker.later(100)
    assert len(sandbox.calls) == seen
    worker.later(30)
    assert stop(row) == ("connected", "")


def test_a_step_that_fails_again_and_again_ends_in_a_persons_hands(
    onboard: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(look: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setitem(steps.STEPS, "signed_up", broken)
    with pytest.raises(RuntimeError):
        onboard()
    row = Onboarding.objects.get()
    for _ in range(9):
        worker.clock.shift(60)
        claimed = transitions.claim(row.pk)
        if claimed is not None:
            try:
                steps.run(claimed)
            except RuntimeError:
                continue
    assert stop(row) == ("needs_attention", "internal_fault")


def test_an_act_under_way_elsewhere_is_not_done_twice(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    row = onboard("payment_missing")
    assert row.number is not None
    number_id = row.number.phone_number_id
    ProviderCall.objects.create(kind="register", target=number_id, outcome="open")
    sandbox.act("attach_payment", waba_id=row.claimed_waba_id)
    worker.later(30)
    assert stop(row)[0] == "registering"
    assert sandbox.registers == 0
    worker.later(300)
    worker.later(60)
    assert stop(row) == ("connected", "")
    assert sandbox.registers == 1


def test_the_journal_holds_each_call_with_ycloud_s_request_id(onboard: Any) -> None:
    row = onboard()
    calls = list(row.calls.exclude(kind="exchange_code"))
    assert [call.kind for call in calls] == ["retrieve_account", "list_numbers", "register"]
    assert all(call.request_id.startswith("req_") for call in calls)
    assert all(call.outcome == "done" and call.status == 200 for call in calls)


# --- When to look again --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(seconds=1), timedelta(seconds=2)),
        (timedelta(minutes=10), timedelta(minutes=1)),
        (timedelta(days=5), timedelta(hours=6)),
        (timedelta(days=15), timedelta(days=1)),
        (timedelta(days=31), None),
    ],
)
def test_the_longer_it_waits_the_rarer_it_is_looked_at(
    tenant: Tenant, worker: Worker, age: timedelta, wait: timedelta | None
) -> None:
    row = Onboarding(tenant=tenant, state="awaiting_payment", state_changed_at=timezone.now() - age)
    due = schedule.next_look(row)
    if wait is None:
        assert due is None
    else:
        assert due is not None
        assert abs(due - timezone.now() - wait) < timedelta(seconds=1)


def test_a_dormant_row_wakes_when_somebody_acts(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    row = onboard("payment_missing")
    for _ in range(35):
        worker.later(86_400)
    row.refresh_from_db()
    assert row.next_look_at is None
    sandbox.act("attach_payment", waba_id=row.claimed_waba_id)
    services.resume(row, "customer")
    worker.run()
    assert stop(row) == ("connected", "")


def test_looking_again_leaves_it_told_since_when_it_waits(
    onboard: Any, sandbox: Sandbox, worker: Worker
) -> None:
    """Whoever presses it often must not sink to the end of the desk's queue."""
    row = onboard("payment_missing")
    row.refresh_from_db()
    waits_since, moves = row.state_changed_at, row.transitions.count()
    worker.later(3600)
    read = ProviderCall.objects.filter(kind="retrieve_account").count()
    services.resume(row, "customer")
    worker.run()
    row.refresh_from_db()
    assert ProviderCall.objects.filter(kind="retrieve_account").count() == read + 1
    assert (stop(row), row.state_changed_at) == (
        ("awaiting_payment", "payment_missing"),
        waits_since,
    )
    assert row.transitions.count() == moves


# --- What an account that is not bound may look like ---------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "NOT_FOUND"),
        (404, ""),
        (403, "WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE"),
        (403, "WHATSAPP_WABA_UNAVAILABLE"),
        (403, "FORBIDDEN"),
        (403, ""),
    ],
)
def test_an_account_that_is_not_shown_is_bound_whatever_the_refusal_is_called(
    onboard: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    from sandbox.envelope import RefusalError

    ycloud_side = sandbox.server.ycloud
    retrieve = ycloud_side._retrieve_account

    def hide(call: Any, waba_id: str) -> Any:
        if not sandbox.server.world.accounts[waba_id]["bound"]:
            raise RefusalError(status, code, "no")
        return retrieve(call, waba_id)

    monkeypatch.setattr(ycloud_side, "_retrieve_account", hide)
    assert stop(onboard("unbound")) == ("connected", "")
    assert binds(sandbox) == 1


def test_a_key_that_may_read_nothing_is_not_taken_for_an_unbound_account(
    onboard: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.envelope import RefusalError

    def refuse(call: Any, *parts: str) -> Any:
        raise RefusalError(403, "FORBIDDEN", "no")

    for name in ("_retrieve_account", "_list_numbers"):
        monkeypatch.setattr(sandbox.server.ycloud, name, refuse)
    assert stop(onboard()) == ("signed_up", "ycloud_access_refused")
    assert binds(sandbox) == 0


@pytest.mark.parametrize(
    ("reason", "looks", "seconds"),
    [("ycloud_unavailable", 0, 4), ("ycloud_unavailable", 3, 32), ("quota_full", 9, 2), ("", 9, 2)],
)
def test_only_faults_of_one_kind_in_a_row_lengthen_the_wait(
    tenant: Tenant, worker: Worker, reason: str, looks: int, seconds: float
) -> None:
    row = Onboarding(tenant=tenant, state="signed_up", reason=reason, looks=looks)
    error = NoResponseError("nothing", may_have_happened=False)
    due = schedule.after_fault(row, error, "ycloud_unavailable")
    assert abs((due - timezone.now()).total_seconds() - seconds) < 0.5
