"""Several YCloud accounts: whose key a call bears, whose quota it takes, whose events it hears."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from onboarding import (
    admission,
    quota,
    record,
    schedule,
    services,
    tasks,
    transitions,
    ycloud,
    ycloud_accounts,
)
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    WebhookEvent,
    WhatsAppBusinessAccount,
    YCloudAccount,
    YCloudAssignment,
)
from onboarding.quota import Lane, QuotaFullError
from onboarding.steps import health
from sandbox.world import KEYS
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker, api_of
from tests.onboarding.test_quota import NOBODY_LISTENS
from tests.test_journey import Customer
from ycloud_client.webhooks import sign

FIRST, SECOND = KEYS
SECRET = "whsec_second"


@pytest.fixture(autouse=True)
def _redis_answers() -> None:
    quota.store.breaker.until = 0.0


@pytest.fixture
def second(db: None) -> YCloudAccount:
    """The partner's other account at YCloud."""
    return YCloudAccount.objects.create(
        name="Second", slug="second", api_key=SECOND, webhook_secrets=SECRET,
        per_second=1_000_000, per_hour=1_000_000,
    )  # fmt: skip


def assign(tenant: Tenant, account: YCloudAccount) -> None:
    YCloudAssignment.objects.update_or_create(tenant=tenant, defaults={"ycloud_account": account})


def share_with(sandbox: Sandbox, key: str) -> None:
    """What Meta's window shares from now on is this account's at YCloud."""
    sandbox.server.control("/control/holder", {"key": key})


def keys(sandbox: Sandbox) -> set[str]:
    return {call["key"] for call in sandbox.server.world.calls}


def row_of(customer: Customer) -> Onboarding:
    return Onboarding.objects.get(public_id=customer.id)


@pytest.fixture
def customer(owner: User, sandbox: Sandbox, worker: Worker) -> Customer:
    """Of the tenant at the environment's account."""
    return Customer(api_of(owner), sandbox, worker)


@pytest.fixture
def other(
    stranger: User, other_tenant: Tenant, second: YCloudAccount, sandbox: Sandbox, worker: Worker
) -> Customer:
    """Of the tenant that was assigned to the second one, with whom Meta's window shares."""
    assign(other_tenant, second)
    share_with(sandbox, SECOND)
    return Customer(api_of(stranger), sandbox, worker)


# --- Whose key ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "mode"),
    [("approve", "business_platform"), ("unbound", "business_platform"),
     ("approve", "business_app"), ("unbound", "business_app")],
)  # fmt: skip
def test_a_tenant_of_the_second_account_never_calls_by_the_first_ones_key(
    other: Customer, sandbox: Sandbox, second: YCloudAccount, scenario: str, mode: str
) -> None:
    other.goes_through(scenario, mode)
    other.worker.later(300)
    assert other.state == "connected"
    health.look(PhoneNumber.objects.get().business_account_id)
    assert keys(sandbox) == {SECOND}
    assert set(ProviderCall.objects.values_list("ycloud_account", flat=True)) == {second.pk, None}
    at_ycloud = ProviderCall.objects.exclude(kind="exchange_code")
    assert set(at_ycloud.values_list("ycloud_account", flat=True)) == {second.pk}


def test_what_was_there_before_goes_by_the_environments_key(
    customer: Customer, sandbox: Sandbox, second: YCloudAccount
) -> None:
    customer.goes_through("approve")
    customer.worker.later(300)
    assert (customer.state, keys(sandbox)) == ("connected", {FIRST})
    assert WhatsAppBusinessAccount.objects.get().ycloud_account is None


def test_what_one_account_has_another_does_not_see(
    other: Customer, sandbox: Sandbox, second: YCloudAccount
) -> None:
    share_with(sandbox, FIRST)
    other.goes_through("approve")
    assert other.stop == ("signed_up", "account_unconfirmed")
    assert keys(sandbox) == {SECOND}
    assert not WhatsAppBusinessAccount.objects.exists()


def test_a_key_that_staff_change_is_the_next_calls(
    other: Customer, sandbox: Sandbox, second: YCloudAccount
) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(api_key="revoked-key")
    other.goes_through("approve")
    assert row_of(other).reason == "ycloud_access_refused"
    YCloudAccount.objects.filter(pk=second.pk).update(api_key=SECOND)
    other.worker.later(301)
    other.worker.later(300)
    assert other.state == "connected"


def test_an_ended_account_is_not_called_and_its_rows_wait(
    other: Customer, sandbox: Sandbox, second: YCloudAccount
) -> None:
    other.starts()
    YCloudAccount.objects.filter(pk=second.pk).update(ended_at=timezone.now())
    other.hands_over(sandbox.finish(scenario="approve"))
    other.worker.run()
    row = row_of(other)
    assert (row.state, row.reason) == ("signed_up", "ycloud_access_refused")
    assert (sandbox.calls, ProviderCall.objects.exclude(kind="exchange_code").count()) == ([], 0)
    YCloudAccount.objects.filter(pk=second.pk).update(ended_at=None)
    other.worker.later(301)
    other.worker.later(300)
    assert other.state == "connected"


def test_each_account_has_one_client_of_its_own(second: YCloudAccount, sandbox: Sandbox) -> None:
    first = ycloud.client()
    with ycloud_accounts.using(second.pk):
        assert ycloud.client() is not first
        assert ycloud.client() is ycloud.client()
    assert ycloud.client() is first


# --- Whose tenants --------------------------------------------------------------------------------


def test_an_attempt_keeps_the_account_that_it_began_with(
    customer: Customer, sandbox: Sandbox, tenant: Tenant, second: YCloudAccount
) -> None:
    customer.starts()
    assign(tenant, second)
    customer.hands_over(sandbox.finish(scenario="approve"))
    customer.worker.run()
    customer.worker.later(300)
    assert (customer.state, keys(sandbox)) == ("connected", {FIRST})


def test_a_window_that_is_launched_anew_begins_where_the_tenant_is_now(
    customer: Customer, sandbox: Sandbox, tenant: Tenant, second: YCloudAccount
) -> None:
    customer.starts()
    customer.posts(event="CANCEL", current_step="PHONE")
    assign(tenant, second)
    customer.starts()
    assert row_of(customer).ycloud_account == second


def test_a_second_number_of_the_window_is_of_the_same_account(
    customer: Customer, sandbox: Sandbox, tenant: Tenant, second: YCloudAccount
) -> None:
    assign(tenant, second)
    share_with(sandbox, SECOND)
    customer.goes_through("approve")
    assign(tenant, YCloudAccount.objects.get(from_environment=True))
    window = sandbox.finish(scenario="approve")
    customer.posts(waba_id=window["waba_id"], phone_number_id=window["phone_number_id"])
    assert set(Onboarding.objects.values_list("ycloud_account", flat=True)) == {second.pk}


def test_a_waba_stays_at_its_account_when_its_tenant_is_assigned_elsewhere(
    customer: Customer, sandbox: Sandbox, tenant: Tenant, second: YCloudAccount
) -> None:
    customer.goes_through("approve")
    customer.worker.later(300)
    assign(tenant, second)
    again = Customer(customer.api, sandbox, customer.worker)
    sandbox.act("add_number", waba_id=customer.waba_id)
    again.goes_through("approve", reuse=True)
    again.worker.later(300)
    assert (row_of(again).ycloud_account, keys(sandbox)) == (None, {FIRST})
    assert WhatsAppBusinessAccount.objects.count() == 1


def test_an_account_that_another_tenant_has_elsewhere_is_neither_bound_nor_taken(
    customer: Customer, other: Customer, sandbox: Sandbox, reviewer: User
) -> None:
    share_with(sandbox, FIRST)
    customer.goes_through("approve")
    customer.worker.later(300)
    before = len(sandbox.calls)
    other.goes_through("second_tenant")
    later = list(sandbox.server.world.calls)[before:]
    assert {call["key"] for call in later} == {SECOND}
    assert {call["method"] for call in later} == {"GET"}
    assert row_of(other).reason == "account_held"
    # Once staff gave it to the second tenant, it is read where it lives.
    services.accept(row_of(other).transfer_cases.get(), reviewer)
    other.worker.later(60)
    tasks.carry_out_transfers()
    other.worker.later(300)
    assert other.state == "connected"
    assert row_of(other).ycloud_account is None
    account = WhatsAppBusinessAccount.objects.get()
    assert (account.tenant.slug, account.ycloud_account) == ("other", None)


def test_tenants_without_an_assignment_begin_at_the_default_account(
    tenant: Tenant, other_tenant: Tenant, second: YCloudAccount
) -> None:
    assert ycloud_accounts.for_new(tenant.pk) is None
    YCloudAccount.objects.update(is_default=False)
    YCloudAccount.objects.filter(pk=second.pk).update(is_default=True)
    assert ycloud_accounts.for_new(tenant.pk) == second.pk
    assign(tenant, YCloudAccount.objects.get(from_environment=True))
    assert ycloud_accounts.for_new(tenant.pk) is None
    assert ycloud_accounts.for_new(other_tenant.pk) == second.pk


@pytest.mark.parametrize("out", [{"takes_new": False}, {"ended_at": timezone.now()}])
def test_an_account_that_takes_nothing_new_leaves_it_to_the_default(
    tenant: Tenant, second: YCloudAccount, out: dict[str, Any]
) -> None:
    assign(tenant, second)
    YCloudAccount.objects.filter(pk=second.pk).update(**out)
    assert ycloud_accounts.for_new(tenant.pk) is None


def test_without_any_row_everything_is_the_environments(tenant: Tenant) -> None:
    YCloudAccount.objects.all().delete()
    assert ycloud_accounts.for_new(tenant.pk) is None
    assert [each.slug for each in ycloud_accounts.active()] == ["environment"]


# --- Whose quota ----------------------------------------------------------------------------------


def room(lane: Lane = Lane.PAGE, most: int = 200) -> int:
    for taken in range(most):
        try:
            quota.take(lane)
        except QuotaFullError:
            return taken
    return most


@pytest.fixture
def small(second: YCloudAccount, settings: Any) -> YCloudAccount:
    """Both have a small hour: 100 and 50."""
    settings.YCLOUD_QUOTA_PER_SECOND, settings.YCLOUD_QUOTA_PER_HOUR = 1000, 100
    second.per_second, second.per_hour = 1000, 50
    second.save()
    return second


def test_each_account_has_windows_of_its_own(small: YCloudAccount) -> None:
    assert room() == 100
    with ycloud_accounts.using(small.pk):
        assert (room(Lane.HEALTH), room()) == (40, 10)
    assert room() == 0


def test_the_first_accounts_windows_keep_their_names_through_a_deploy(
    small: YCloudAccount,
) -> None:
    quota.take(Lane.PAGE)
    quota.close(5)
    names = {name.decode() for name in quota.store.redis_client().keys("quota*")}
    assert names == {"quota:hour", "quota:second", "quota:seeded", "quota:closed_until"}


def test_a_closed_quota_of_the_first_account_does_not_stop_the_second(
    customer: Customer, other: Customer, sandbox: Sandbox
) -> None:
    share_with(sandbox, FIRST)
    sandbox.server.control("/control/quota", {"key": FIRST, "per_hour": 1})
    customer.goes_through("approve")
    assert row_of(customer).reason in ("quota_full", "ycloud_rate_limited")
    quota.close(600)  # longer than YCloud asked for: a slow machine must not see it open
    before = len([call for call in sandbox.server.world.calls if call["key"] == FIRST])
    share_with(sandbox, SECOND)
    other.goes_through("approve")
    assert other.state in ("connecting", "connected")
    with ycloud_accounts.using(row_of(other).ycloud_account_id):
        assert quota.closed_seconds() == 0
    after = len([call for call in sandbox.server.world.calls if call["key"] == FIRST])
    assert after == before


def test_an_emptied_redis_is_seeded_with_each_accounts_own_calls(small: YCloudAccount) -> None:
    made = {"kind": "list_numbers", "target": "1", "outcome": "done", "lane": "working"}
    ProviderCall.objects.bulk_create(ProviderCall(**made) for _ in range(30))
    ProviderCall.objects.bulk_create(ProviderCall(**made, ycloud_account=small) for _ in range(45))
    ProviderCall.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert room() == 70
    with ycloud_accounts.using(small.pk):
        assert room() == 5


def test_without_redis_each_accounts_own_journal_is_counted(
    small: YCloudAccount, settings: Any
) -> None:
    made = {"kind": "list_numbers", "target": "1", "outcome": "done", "lane": "working"}
    ProviderCall.objects.bulk_create(ProviderCall(**made) for _ in range(95))
    settings.REDIS_URL = NOBODY_LISTENS
    with pytest.raises(QuotaFullError):
        quota.take(Lane.PAGE)
    with ycloud_accounts.using(small.pk):
        quota.take(Lane.PAGE)


def test_calls_that_redis_missed_count_in_every_accounts_window(
    small: YCloudAccount, settings: Any
) -> None:
    with ycloud_accounts.using(small.pk):
        quota.take(Lane.PAGE)
    made = {"kind": "list_numbers", "target": "1", "outcome": "done", "lane": "working"}
    ProviderCall.objects.bulk_create(ProviderCall(**made, ycloud_account=small) for _ in range(45))
    quota.store.breaker.missed = True
    quota.take(Lane.PAGE)
    with ycloud_accounts.using(small.pk):
        assert room() == 5


def test_one_account_under_pressure_does_not_stretch_the_others_intervals(
    tenant: Tenant, small: YCloudAccount
) -> None:
    old = timezone.now() - timedelta(hours=1)
    made = {"tenant": tenant, "connection_mode": "business_platform", "state": "awaiting_payment",
            "next_look_at": timezone.now() + timedelta(hours=1)}  # fmt: skip
    Onboarding.objects.bulk_create(
        Onboarding(**made, ycloud_account=small, claimed_waba_id=str(n)) for n in range(50)
    )
    mine = Onboarding.objects.create(**made)
    Onboarding.objects.update(state_changed_at=old)
    assert tasks.measure_pressure() > 5
    assert quota.pressure() == 1.0
    theirs = Onboarding.objects.filter(ycloud_account=small)[0]
    mine.refresh_from_db()
    waits = [schedule.next_look(each) - timezone.now() for each in (mine, theirs)]  # type: ignore[operator]
    assert waits[1] > waits[0] * 5


def test_the_sweep_hands_rows_of_each_account_out_in_turns(
    tenant: Tenant, second: YCloudAccount
) -> None:
    made = {"tenant": tenant, "connection_mode": "business_platform", "state": "awaiting_payment"}
    earlier = timezone.now() - timedelta(minutes=1)
    crowd = Onboarding.objects.bulk_create(
        Onboarding(**made, next_look_at=earlier, claimed_waba_id=str(n)) for n in range(5)
    )
    late = Onboarding.objects.create(**made, ycloud_account=second, next_look_at=timezone.now())
    handed_out = [pk for pk, _ in admission.claim(3)]
    assert len(handed_out) == 4
    assert handed_out[1] == late.pk
    assert set(handed_out) - {late.pk} <= {row.pk for row in crowd}


def test_the_sweep_hands_out_the_second_accounts_rows_while_the_firsts_quota_is_closed(
    tenant: Tenant, second: YCloudAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota.close(60)
    made = {"tenant": tenant, "connection_mode": "business_platform", "state": "awaiting_payment"}
    earlier = timezone.now() - timedelta(minutes=1)
    Onboarding.objects.bulk_create(
        Onboarding(**made, next_look_at=earlier, claimed_waba_id=str(n)) for n in range(300)
    )
    theirs = Onboarding.objects.create(**made, ycloud_account=second, next_look_at=timezone.now())
    handed_out: list[int] = []
    monkeypatch.setattr(
        tasks.advance_onboarding, "apply_async",
        lambda **how: handed_out.append(how["kwargs"]["onboarding_id"]),
    )  # fmt: skip
    tasks.sweep_due()
    assert theirs.pk in handed_out[:2]


def test_one_account_alone_is_swept_with_one_statement(
    tenant: Tenant, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):  # which accounts there are, and the claim
        admission.claim(3)


# --- Whose events ---------------------------------------------------------------------------------


def send(
    waba_id: str, *, path: str = "/webhooks/ycloud/second/", secret: str = SECRET,
    event_id: str = "evt_1", **more: Any,
) -> int:  # fmt: skip
    kind = more.pop("type", "whatsapp.business_account.updated")
    payload = {"whatsappBusinessAccount": {"id": waba_id, **more}}
    raw = json.dumps({"id": event_id, "type": kind, "apiVersion": "v2", **payload}).encode()
    at = int(time.time())
    headers = {"YCloud-Signature": f"t={at},s={sign(raw, secret, at)}"}
    answer = Client().post(path, raw, content_type="application/json", headers=headers)
    for event in WebhookEvent.objects.filter(applied_at__isnull=True):
        tasks.apply_webhook_event(event_id=event.event_id)
    return int(answer.status_code)


def facts(row: Onboarding) -> tuple[Any, ...]:
    row.refresh_from_db()
    return row.wakes, row.version, row.next_look_at


def test_an_event_of_the_second_account_wakes_its_own_rows(
    other: Customer, second: YCloudAccount
) -> None:
    other.goes_through("payment_missing")
    wakes = row_of(other).wakes
    assert send(other.waba_id) == 204
    assert row_of(other).wakes == wakes + 1
    event = WebhookEvent.objects.get()
    assert (event.ycloud_account, event.standing) == (second, "ours")


def test_an_event_that_the_second_accounts_secret_signed_touches_nothing_of_the_firsts(
    customer: Customer, second: YCloudAccount, sandbox: Sandbox
) -> None:
    customer.goes_through("payment_missing")
    row = row_of(customer)
    before = facts(row)
    for n, kind in enumerate(("updated", "deleted", "reviewed")):
        name = f"whatsapp.business_account.{kind}"
        assert send(customer.waba_id, event_id=f"evt_{n}", type=name, banState="DISABLE") == 204
    assert facts(row) == before
    assert WhatsAppBusinessAccount.objects.get().asked_at is None
    assert set(WebhookEvent.objects.values_list("standing", flat=True)) == {"nobody"}
    # And at the first one's address, the other's secret opens nothing.
    assert send(customer.waba_id, path="/webhooks/ycloud/", event_id="evt_9") == 400
    assert facts(row) == before


def test_a_connected_numbers_health_does_not_follow_another_accounts_event(
    customer: Customer, second: YCloudAccount, sandbox: Sandbox
) -> None:
    customer.goes_through("approve")
    customer.worker.later(300)
    number = PhoneNumber.objects.get()
    kind = "whatsapp.business_account.deleted"
    assert send(customer.waba_id, type=kind, removedReason="ACCOUNT_DISCONNECTED") == 204
    health.look(number.business_account_id)
    number.refresh_from_db()
    assert (number.health, number.suspected) == ("", "")


def test_the_same_event_id_of_two_accounts_is_two_events(
    customer: Customer, second: YCloudAccount, settings: Any
) -> None:
    customer.goes_through("payment_missing")
    assert send(customer.waba_id) == 204  # of the second one: it would have stood in the way
    row = row_of(customer)
    wakes = row.wakes
    secret = settings.YCLOUD_WEBHOOK_SECRETS[0]
    assert send(customer.waba_id, path="/webhooks/ycloud/", secret=secret) == 204
    assert (facts(row)[0], WebhookEvent.objects.count()) == (wakes + 1, 2)


def test_an_address_of_no_account_in_use_takes_nothing(second: YCloudAccount) -> None:
    assert send("42", path="/webhooks/ycloud/nobody/") == 400
    assert send("42", path="/webhooks/ycloud/environment/") == 400
    YCloudAccount.objects.update(is_default=False, ended_at=timezone.now())
    assert send("42") == 400
    assert not WebhookEvent.objects.exists()


def test_each_of_an_accounts_secrets_signs_while_one_is_rotated(second: YCloudAccount) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(webhook_secrets=f"whsec_new\n{SECRET}")
    assert send("42", event_id="evt_1") == 204
    assert send("42", event_id="evt_2", secret="whsec_new") == 204
    assert send("42", event_id="evt_3", secret=f"whsec_new\n{SECRET}") == 400


def test_an_account_without_a_secret_refuses_and_says_so(second: YCloudAccount) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(webhook_secrets="")
    assert send("42") == 503


def test_restrictions_that_another_accounts_event_tells_of_are_not_the_wabas(
    customer: Customer, second: YCloudAccount
) -> None:
    customer.goes_through("approve")
    customer.worker.later(300)
    told = [{"restrictionType": "RESTRICTED_BIZ_INITIATED_MESSAGING"}]
    assert send(customer.waba_id, updateEvent="ACCOUNT_RESTRICTION", restrictions=told) == 204
    account = WhatsAppBusinessAccount.objects.get()
    transitions.ask_accounts([account.pk])
    health.look(account.pk)
    account.refresh_from_db()
    assert (account.asked_at is not None, account.restrictions) == (True, [])


def test_a_display_names_decision_of_another_accounts_event_repeats_no_register(
    customer: Customer, second: YCloudAccount, sandbox: Sandbox
) -> None:
    customer.goes_through("name_review")
    row = row_of(customer)
    assert (row.reason, sandbox.registers) == ("display_name_review", 1)
    WebhookEvent.objects.create(
        event_id="1:evt", type="whatsapp.phone_number.name_updated", body={},
        ycloud_account=second, waba_id=row.claimed_waba_id,
        phone_number_id=row.claimed_phone_number_id, standing="nobody",
        applied_at=timezone.now(),
    )  # fmt: skip
    transitions.wake([row.pk])
    customer.worker.run()
    assert sandbox.registers == 1


def test_another_accounts_events_are_not_in_a_record(
    customer: Customer, second: YCloudAccount
) -> None:
    customer.goes_through("payment_missing")
    send(customer.waba_id)
    assert "evt_1" not in str(list(record.of(row_of(customer)).entries))
