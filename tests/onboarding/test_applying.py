"""Stored webhook events are applied many at a time, and none of them holds up another."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import applying, events, publishing, tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from tenants import walls
from tenants.models import Tenant
from tests.at_once import at_once
from tests.onboarding.test_due_plans import scans_of, tables_read_whole

UPDATED = "whatsapp.business_account.updated"
QUALITY = "whatsapp.phone_number.quality_updated"


def came(count: int, first: int = 0, **about: str) -> list[WebhookEvent]:
    made = {"type": UPDATED, "waba_id": "42", **about}
    rows = [WebhookEvent(event_id=f"evt_{first + n}", body={}, **made) for n in range(count)]
    return WebhookEvent.objects.bulk_create(rows)


def attempt(tenant: Tenant, waba_id: str = "42", **more: Any) -> Onboarding:
    return Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="awaiting_payment",
        claimed_waba_id=waba_id, **more,
    )  # fmt: skip


def connected(tenant: Tenant, waba_id: str = "42", number_id: str = "7") -> PhoneNumber:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=waba_id)
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id=number_id
    )
    Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="connected",
        business_account=account, number=number,
    )  # fmt: skip
    return number


def waiting() -> int:
    return WebhookEvent.objects.filter(applied_at__isnull=True).count()


def statements() -> int:
    with CaptureQueriesContext(connection) as asked:
        tasks.apply_webhook_events()
    return len(asked)


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each task was asked for, and each row."""
    asked: Counter[str] = Counter()
    monkeypatch.setattr(tasks, "nudge", lambda pk: asked.update([f"row {pk}"]))
    monkeypatch.setattr(tasks, "nudge_watch", lambda *_in: asked.update(["watch"]))
    return asked


def test_three_hundred_events_cost_a_bounded_number_of_statements(tenant: Tenant) -> None:
    attempt(tenant)
    connected(tenant)
    came(1)
    for_one = statements()
    came(300, first=1)
    assert statements() <= 4 * for_one  # three chunks, and a look whether there is more
    assert waiting() == 0


def test_thirty_accounts_cost_no_more_statements_than_one(tenant: Tenant) -> None:
    def come(which: range) -> None:
        for n in which:
            attempt(tenant, f"10{n}")
            connected(tenant, f"20{n}", f"30{n}")
            came(1, first=100 + n, waba_id=f"10{n}")
            came(1, first=200 + n, waba_id=f"20{n}")
            came(1, first=300 + n, waba_id="", phone_number_id=f"30{n}", type=QUALITY)

    come(range(1))
    for_one = statements()
    come(range(1, 31))
    assert statements() == for_one
    assert set(WebhookEvent.objects.values_list("standing", "woke")) == {("ours", 1)}


def test_a_row_is_woken_and_nudged_once_for_all_that_came(
    tenant: Tenant, nudged: Counter[str]
) -> None:
    row, number = attempt(tenant), connected(tenant)
    came(80)
    tasks.apply_webhook_events()
    row.refresh_from_db()
    number.refresh_from_db()
    assert row.wakes == 1
    assert number.next_look_at is not None
    assert nudged == {f"row {row.pk}": 1, "watch": 1}
    assert set(WebhookEvent.objects.values_list("standing", "woke")) == {("ours", 2)}


def test_each_event_wakes_only_what_it_is_about(tenant: Tenant) -> None:
    theirs, others = attempt(tenant), attempt(tenant, "43")
    came(1)
    came(1, first=1, waba_id="44")
    came(1, first=2, type="brand.new")
    came(1, first=3, type="whatsapp.message.updated")
    tasks.apply_webhook_events()
    assert Onboarding.objects.get(pk=theirs.pk).wakes == 1
    assert Onboarding.objects.get(pk=others.pk).wakes == 0
    stood = WebhookEvent.objects.order_by("event_id").values_list("standing", "woke")
    assert list(stood) == [("ours", 1), ("nobody", 0), ("unknown", 0), ("not_ours", 0)]


def test_where_a_tenant_holds_the_account_a_strangers_claim_of_it_is_not_woken(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    connected(tenant)
    ours, claim = attempt(tenant), attempt(other_tenant)
    came(2)
    tasks.apply_webhook_events()
    assert Onboarding.objects.get(pk=ours.pk).wakes == 1
    assert Onboarding.objects.get(pk=claim.pk).wakes == 0


def test_a_number_without_an_id_is_nobodys_to_hold(tenant: Tenant, other_tenant: Tenant) -> None:
    account = connected(other_tenant, "50", "8").business_account
    PhoneNumber.objects.create(tenant=other_tenant, business_account=account, phone_number_id="")
    row = attempt(tenant)
    came(1, waba_id="50")
    came(1, first=1)
    tasks.apply_webhook_events()
    assert Onboarding.objects.get(pk=row.pk).wakes == 1


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes one event raise whenever it is among those that are applied."""
    handler = events.HANDLERS[UPDATED]

    def make(event_id: str) -> None:
        def raises(event: WebhookEvent, known: events.Known) -> events.Concern:
            if event.event_id == event_id:
                raise ValueError("a bad one")
            return handler(event, known)

        monkeypatch.setitem(events.HANDLERS, UPDATED, raises)

    return make


def test_one_event_that_cannot_be_applied_stops_no_other(
    tenant: Tenant, bad: Callable[[str], None]
) -> None:
    row = attempt(tenant)
    came(150)
    bad("evt_3")
    assert tasks.apply_webhook_events() == 149
    assert [e.event_id for e in WebhookEvent.objects.filter(applied_at=None)] == ["evt_3"]
    row.refresh_from_db()
    assert row.wakes > 0


def test_an_event_that_could_not_be_applied_is_tried_by_the_look_for_forgotten_ones(
    tenant: Tenant, bad: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    came(2)
    bad("evt_1")
    tasks.apply_webhook_events()
    monkeypatch.undo()
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert tasks.apply_webhook_events() == 0, "not with each webhook"
    assert tasks.apply_forgotten_events() == 1
    assert waiting() == 0


def test_all_forgotten_events_are_found_however_many_there_are(tenant: Tenant) -> None:
    came(450)
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(seconds=6))
    assert tasks.apply_forgotten_events() == 450


def test_what_has_just_come_is_not_yet_forgotten(db: None) -> None:
    came(1)
    assert tasks.apply_forgotten_events() == 0


def test_two_that_apply_at_once_share_the_events(
    transactional_db: None, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first holds its chunk until the second has taken one."""
    came(150)
    seen: list[list[int]] = []
    both = threading.Barrier(2)
    real = events.concerns_of

    def concerns_of(stored: Sequence[WebhookEvent]) -> list[Any]:
        if stored and len(seen) < 2:
            seen.append([event.pk for event in stored])
            both.wait(20)
        return real(stored)

    monkeypatch.setattr(events, "concerns_of", concerns_of)
    found = at_once(tasks.apply_webhook_events, tasks.apply_webhook_events)
    assert sorted(found) == [50, 100]
    assert not set(seen[0]) & set(seen[1])
    assert waiting() == 0


@contextmanager
def held_elsewhere(row: Onboarding, until: threading.Event) -> Iterator[None]:
    """Another connection is in the middle of writing the row."""
    began = threading.Event()

    @walls.seeing_everything("the test's own threads")
    def hold() -> None:
        with transaction.atomic():
            Onboarding.objects.select_for_update().get(pk=row.pk)
            began.set()
            until.wait(20)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert began.wait(20)
        yield
    finally:
        until.set()
        thread.join()


def test_a_row_that_somebody_holds_holds_up_its_own_events_alone(
    transactional_db: None, tenant: Tenant, nudged: Counter[str]
) -> None:
    busy, free = attempt(tenant), attempt(tenant, "43")
    came(1)
    came(2, first=1, waba_id="43")
    over = threading.Event()
    with held_elsewhere(busy, over):
        applied = applying.just_stored()
        first = next(applied)
        assert (first.applied, first.onboardings) == (2, {free.pk})
        assert waiting() == 1
        over.set()
        assert next(applied).onboardings == {busy.pk}
    assert waiting() == 0
    assert Onboarding.objects.get(pk=busy.pk).wakes == 1


def test_nothing_is_marked_as_applied_whose_wakes_were_taken_back(
    transactional_db: None, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = attempt(tenant)
    came(3)

    def dies(*_rows: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(transitions, "wake_numbers", dies)
    with pytest.raises(SystemExit):
        tasks.apply_webhook_events()
    assert Onboarding.objects.get(pk=row.pk).wakes == 0
    assert waiting() == 3


def test_many_webhooks_are_one_message(
    db: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        tasks.apply_webhook_events, "apply_async", lambda **message: sent.append(message)
    )
    publishing.begins(tasks.apply_webhook_events)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            tasks.request_applying()
    assert [message["kwargs"] for message in sent] == [{}]
    tasks.apply_webhook_events(something_new=1)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.request_applying()
    assert len(sent) == 2


def test_whom_events_concern_is_found_by_indexes(tenant: Tenant) -> None:
    attempt(tenant)
    connected(tenant)
    stored = [*came(1), *came(1, first=1, phone_number_id="7", type=QUALITY)]
    indexes = (
        "onboarding_claimed_waba", "onboarding_claimed_phone", "onboarding_of_number",
        "account_once_a_tenant", "number_once_a_tenant",
    )  # fmt: skip
    scans = scans_of(lambda: events.concerns_of(stored), indexes)
    assert not tables_read_whole(scans), scans
