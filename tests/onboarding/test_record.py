"""A record's one timeline: everything is in it, in order, bounded; nothing of staff's leaks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import record, services
from onboarding.models import Onboarding, ProviderCall, Transition, WebhookEvent
from onboarding.timeline import timeline
from tenants.models import Tenant, User
from tests.conftest import api_of
from tests.onboarding.desk import LIST
from tests.onboarding.desk import record as page_of

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def row(tenant: Tenant) -> Onboarding:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="awaiting_payment",
        reason="payment_missing", claimed_waba_id="1001", claimed_phone_number_id="2001",
    )  # fmt: skip
    Onboarding.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(hours=5))
    row.refresh_from_db()
    return row


def called(row: Onboarding, minutes: int, kind: str = "list_numbers", **more: Any) -> None:
    call = ProviderCall.objects.create(
        onboarding=row, kind=kind, target="1001",
        **{"outcome": "done", "status": 200, "method": "GET", "path": "/v2/phoneNumbers",
           "request_id": f"req_{minutes}", "took_ms": 87} | more,
    )  # fmt: skip
    ProviderCall.objects.filter(pk=call.pk).update(at=NOW + timedelta(minutes=minutes))


def moved(row: Onboarding, minutes: int, **more: Any) -> None:
    columns = {"to_state": "awaiting_payment", "reason": "payment_missing", "actor": "worker"}
    move = Transition.objects.create(onboarding=row, **columns | more)
    Transition.objects.filter(pk=move.pk).update(at=NOW + timedelta(minutes=minutes))


def texts(row: Onboarding, **how: str) -> list[str]:
    return [each.text for each in record.of(row, **how).entries]


def test_everything_stands_in_it_newest_first(row: Onboarding, reviewer: User) -> None:
    moved(row, -50, to_state="started", reason="")
    called(row, -40, "register", outcome="refused", status=400, code="BAD_REQUEST",
           meta_code="133005", message="no", method="POST")  # fmt: skip
    WebhookEvent.objects.create(
        event_id="evt_1", type="whatsapp.business_account.updated", waba_id="1001", body={},
        sent_at=timezone.now() - timedelta(seconds=3), standing="ours",
    )  # fmt: skip
    services.note(row, "Called them.", reviewer)
    services.assign(row, reviewer, reviewer)
    services.send_new_link(row, "new@cakes.example", reviewer)
    assert texts(row) == [
        "A new signup link was mailed", "Assigned anew", "Note",
        "whatsapp.business_account.updated", "Register the number", "Started",
    ]  # fmt: skip


def test_a_call_tells_all_but_keys_and_queries(desk: Client, row: Onboarding) -> None:
    called(
        row, -5, "register", method="POST", outcome="refused", status=400, code="BAD_REQUEST",
        meta_code="133005", message="Two step verification", request_id="req_77",
        path="/v2/whatsapp/phoneNumbers/1001/2001/register?filter.key=secret-value",
    )  # fmt: skip
    page = page_of(desk, row)
    for told in ("POST /v2/whatsapp/phoneNumbers/1001/2001/register", "400",
                 "BAD_REQUEST / 133005", "req_77", "87 ms", "Two step verification"):  # fmt: skip
        assert told in page, told
    assert "secret-value" not in page


def test_a_webhook_tells_how_late_it_came_and_older_or_foreign_ones_are_not_there(
    row: Onboarding,
) -> None:
    sent = timezone.now() - timedelta(seconds=90)
    for event, ids in (("ours", {"phone_number_id": "2001"}), ("foreign", {"waba_id": "9"})):
        WebhookEvent.objects.create(event_id=event, type=event, body={}, sent_at=sent, **ids)
    before = WebhookEvent.objects.create(event_id="old", type="old", waba_id="1001", body={})
    WebhookEvent.objects.filter(pk=before.pk).update(received_at=NOW - timedelta(days=2))
    (entry,) = record.of(row, kind="webhook").entries
    assert entry.text == "ours"
    assert "90 s after it was sent" in entry.facts


def test_repeated_looks_are_one_line_that_holds_each_call(desk: Client, row: Onboarding) -> None:
    moved(row, -60)
    for minutes in range(-50, -36):
        called(row, minutes, "retrieve_account")
        called(row, minutes, "list_numbers")
    moved(row, -30, to_state="awaiting_number", reason="number_missing")
    looked = record.of(row).entries[1]
    assert looked.text == "Looked 14 times"
    assert (looked.at, looked.until) == (
        NOW + timedelta(minutes=-50), NOW + timedelta(minutes=-37),
    )  # fmt: skip
    assert len(looked.folded) == 28
    assert page_of(desk, row).count("req_-40") == 2


def test_a_look_that_failed_is_a_line_of_its_own(row: Onboarding) -> None:
    for minutes, outcome in ((-9, "done"), (-8, "done"), (-7, "lost"), (-6, "done")):
        called(row, minutes, outcome=outcome)
    assert texts(row) == ["List its numbers", "List its numbers", "Looked 2 times"]


def test_one_kind_alone_by_a_plain_link(desk: Client, row: Onboarding, reviewer: User) -> None:
    called(row, -5)
    moved(row, -4)
    services.note(row, "Called them.", reviewer)
    assert texts(row, kind="call") == ["List its numbers"]
    assert texts(row, kind="note") == ["Note"]
    assert len(texts(row, kind="state")) == 1
    assert len(texts(row, kind="nonsense")) == 3
    page = page_of(desk, row, "?kind=note")
    assert "Called them." in page
    assert "req_-5" not in page
    assert '<a href="?kind=call#timeline"' in page


def test_it_is_bounded_and_leads_to_older_ones(desk: Client, row: Onboarding) -> None:
    for minutes in range(-230, -10):
        moved(row, minutes, note=f"move {minutes}.")
    first = record.of(row)
    assert len(first.entries) == record.MOST
    assert first.older is not None
    second = record.of(row, before=first.older.isoformat())
    assert len(second.entries) == 20
    assert second.older is None
    seen = {each.detail for each in (*first.entries, *second.entries)}
    assert len(seen) == 220
    page = page_of(desk, row)
    assert "move -11." in page
    assert "move -230." not in page
    address = page.partition('<a class="act" href="?before=')[2].partition("#")[0]
    assert "move -230." in page_of(desk, row, f"?before={address}")
    assert desk.get(f"{LIST}{row.pk}/change/?before=nonsense").status_code == 200


def test_where_calls_are_read_to_their_limit_the_rest_waits_for_the_next_page(
    row: Onboarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.record.READ", 4)
    for minutes in range(-20, -10):
        called(row, minutes, "register", outcome="refused")
    moved(row, -30)
    found, before = [], ""
    for _ in range(9):
        page = record.of(row, before=before)
        found += [each.text for each in page.entries]
        if page.older is None:
            break
        before = page.older.isoformat()
    assert found.count("Register the number") == 10
    assert found[-1] != "Register the number"


def test_a_record_takes_a_fixed_number_of_queries(desk: Client, row: Onboarding) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page_of(desk, row)
        return len(seen)

    page_of(desk, row)
    before = queries()
    for minutes in range(-60, -20):
        called(row, minutes, "retrieve_account")
        moved(row, minutes)
    assert queries() == before


def test_a_customer_and_their_programs_read_nothing_of_staffs(
    row: Onboarding, owner: User, reviewer: User
) -> None:
    def told() -> list[Any]:
        return [{**each, "at": 0} for each in timeline(row)]

    called(row, -5)
    before = told()
    services.note(row, "A secret thought.", reviewer)
    services.assign(row, reviewer, reviewer)
    services.send_new_link(row, "new@cakes.example", reviewer)
    assert told() == before
    api = api_of(owner)
    base = f"/api/v1/onboardings/{row.public_id}/"
    for address in (base, f"{base}timeline/", f"/connect/?onboarding={row.public_id}"):
        text = api.get(address).content.decode()
        for word in ("secret thought", "reviewer", "assigned", "req_-5", "new@cakes"):
            assert word not in text, (address, word)
