"""Transfer cases: opened with proof or by hand, decided by staff, moved behind the fences."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import cases, moving, requirements, services, steps, tasks, transitions
from onboarding.models import (
    Notice,
    Onboarding,
    PhoneNumber,
    ProviderCall,
    TransferCase,
    Transition,
    WhatsAppBusinessAccount,
)
from onboarding.services import RefusedError
from tenants import walls
from tenants.access import member
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.at_once import at_once
from tests.conftest import Sandbox, Worker, pages_of, person
from tests.test_journey import Customer

NOTHING = ("needs_attention", "account_unconfirmed")


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture
def asker(stranger_api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(stranger_api, sandbox, worker)


@pytest.fixture
def case(customer: Customer, asker: Customer) -> TransferCase:
    """The first tenant is connected; the second proves the same account."""
    customer.goes_through("approve")
    asker.goes_through("second_tenant")
    return TransferCase.objects.get()


def row_of(customer: Customer) -> Onboarding:
    return Onboarding.objects.get(public_id=customer.id)


def moves(case: TransferCase, reviewer: User, worker: Worker) -> None:
    services.accept(case, reviewer, "both agreed")
    tasks.carry_out_transfers()
    worker.run()
    case.refresh_from_db()


# --- Opening -------------------------------------------------------------------------------------


def test_a_grant_for_a_held_account_opens_a_case_once(
    case: TransferCase, asker: Customer, worker: Worker
) -> None:
    assert (case.from_tenant.slug, case.to_tenant.slug) == ("cakes", "other")
    assert (case.standing, case.opened_by, case.onboarding) == ("open", "worker", row_of(asker))
    asker.acts("resume")
    asker.goes_through("second_tenant")
    assert TransferCase.objects.count() == 1
    assert AuditEntry.objects.filter(act="transfer.opened").count() == 1


def test_the_customer_who_asks_learns_nothing_of_the_case(
    case: TransferCase, asker: Customer
) -> None:
    asker.worker.later(61)
    assert asker.stop == NOTHING
    page = pages_of(User.objects.get(email="stranger@other.example")).get("/connect/")
    told = (str(asker.sees()) + page.content.decode()).lower()
    assert "transfer" not in told
    assert "cake" not in told


def test_without_proof_staff_open_the_case_by_hand(
    customer: Customer, asker: Customer, reviewer: User, other_tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(unproven="continue")
    customer.goes_through("approve")
    asker.starts()
    asker.hands_over(asker.sandbox.finish(scenario="second_tenant"), code=False)
    asker.posts(login_status="unknown")
    asker.worker.run()
    asker.worker.later(61)
    assert asker.stop == NOTHING
    assert not TransferCase.objects.exists()
    desk = pages_of(reviewer)
    record = f"/admin/onboarding/onboarding/{row_of(asker).pk}"
    assert "Open a transfer case" in desk.get(f"{record}/change/").content.decode()
    desk.post(f"{record}/decide/transfer/")
    assert TransferCase.objects.get().opened_by == reviewer.username


def test_an_attempt_at_its_own_account_has_nothing_to_transfer(
    customer: Customer, reviewer: User
) -> None:
    customer.goes_through("payment_missing")
    with pytest.raises(RefusedError):
        services.open_case(row_of(customer), reviewer)


def test_after_a_refusal_the_same_tenant_opens_no_case_by_itself(
    case: TransferCase, asker: Customer, reviewer: User
) -> None:
    services.refuse(case, reviewer, "not theirs")
    asker.worker.later(61)
    assert asker.stop == NOTHING
    asker.acts("resume")
    assert TransferCase.objects.get().standing == "refused"


def test_a_withdrawn_attempt_takes_its_case_with_it(
    case: TransferCase, asker: Customer, reviewer: User
) -> None:
    asker.acts("withdraw")
    with pytest.raises(RefusedError):
        services.accept(case, reviewer)
    tasks.carry_out_transfers()
    case.refresh_from_db()
    assert case.standing == "withdrawn"


def test_a_case_lives_on_while_another_attempt_of_the_tenant_asks(
    case: TransferCase, asker: Customer
) -> None:
    first = asker.id
    asker.goes_through("second_tenant")
    second, asker.id = asker.id, first
    asker.acts("withdraw")
    tasks.carry_out_transfers()
    case.refresh_from_db()
    assert (case.standing, str(case.onboarding.public_id)) == ("open", second)


# --- Moving --------------------------------------------------------------------------------------


def test_an_accepted_account_moves_with_its_numbers_and_the_asker_is_connected(
    case: TransferCase, asker: Customer, reviewer: User, worker: Worker
) -> None:
    moves(case, reviewer, worker)
    assert (case.standing, case.decided_by, case.note) == (
        "accepted",
        reviewer.username,
        "both agreed",
    )
    for model in (WhatsAppBusinessAccount, PhoneNumber):
        row = model.objects.get()
        assert (row.tenant.slug, row.proof) == ("other", "grant")
    seen = asker.sees()
    assert seen["state"] == "connected"
    assert seen["phone_number"]
    assert asker.sandbox.registers == 1, "nothing changes at YCloud"


def test_the_old_tenant_loses_sight_of_the_account_at_once(
    case: TransferCase, customer: Customer, reviewer: User, worker: Worker
) -> None:
    etag = customer.api.get(f"/api/v1/onboardings/{customer.id}/")["ETag"]
    moves(case, reviewer, worker)
    seen = customer.sees()
    assert customer.api.get(f"/api/v1/onboardings/{customer.id}/")["ETag"] != etag
    live = ("account_name", "phone_number", "number_status", "quality", "messaging_limit")
    assert {seen[name] for name in live} == {None}
    assert [r["code"] for r in seen["requirements"]] == ["account_moved"]
    assert "other" not in str(seen).lower()
    assert (
        pages_of(User.objects.get(email="owner@cakes.example")).get("/connect/").status_code == 200
    )


def test_nothing_of_the_old_tenants_people_is_shown_to_the_new_one(
    case: TransferCase, asker: Customer, customer: Customer, reviewer: User, worker: Worker
) -> None:
    moves(case, reviewer, worker)
    listed = asker.api.get("/api/v1/onboardings/").json()["results"]
    timeline = asker.api.get(f"/api/v1/onboardings/{asker.id}/timeline/").json()
    assert [each["id"] for each in listed] == [asker.id]
    told = str(listed) + str(timeline)
    for theirs in ("cakes", customer.id, reviewer.username):
        assert theirs not in told


def test_open_attempts_of_the_old_tenant_end_with_words_that_name_nobody(
    customer: Customer, asker: Customer, reviewer: User, worker: Worker
) -> None:
    customer.goes_through("payment_missing")
    asker.goes_through("second_tenant")
    moves(TransferCase.objects.get(), reviewer, worker)
    assert customer.stop == ("cancelled", "account_moved")
    assert customer.sees()["account_name"] is None
    assert asker.stop == ("awaiting_payment", "payment_missing")
    last = row_of(customer).transitions.order_by("pk").last()
    assert last is not None
    assert last.actor == reviewer.username


def test_the_new_tenant_does_not_learn_since_when_something_was_due_before(
    customer: Customer, asker: Customer, reviewer: User, worker: Worker
) -> None:
    customer.goes_through("payment_missing")
    WhatsAppBusinessAccount.objects.update(lost="account_removed")
    worker.later(7200)
    asked_at = timezone.now()
    asker.goes_through("second_tenant")
    moves(TransferCase.objects.get(), reviewer, worker)
    account = WhatsAppBusinessAccount.objects.get()
    (found,) = requirements.of_account(account)
    assert (account.tenant.slug, found.code) == ("other", "payment_missing")
    assert found.since >= asked_at
    assert PhoneNumber.objects.get().standing_since == {}


def test_notices_move_with_their_number_and_old_news_is_not_mailed(
    case: TransferCase, tenant: Tenant, reviewer: User, worker: Worker
) -> None:
    number = PhoneNumber.objects.get()
    for key, claimed_at in (("told", number.created_at), ("waits", None)):
        Notice.objects.create(
            tenant=tenant, key=key, audience="owners", number=number, reason="health_banned",
            claimed_at=claimed_at,
        )  # fmt: skip
    personal = Notice.objects.filter(user__isnull=False, kind="connected")
    assert personal.update(standing="mailed", claimed_at=timezone.now()) == 1
    waiting = personal.get()
    waiting.pk, waiting.key = None, "connected:waits"
    waiting.claimed_at, waiting.standing = None, "waiting"
    waiting.save()
    moves(case, reviewer, worker)
    of_all = Notice.objects.filter(user__isnull=True, address__isnull=True)
    assert [(n.key, n.tenant.slug) for n in of_all.exclude(audience="staff")] == [("told", "other")]
    # Who was told stays with the tenant that they belong to, and is told no more of this number.
    theirs = personal.filter(tenant=tenant).get()
    assert (theirs.standing, theirs.number) == ("mailed", None)
    assert not personal.exclude(user__memberships__tenant=F("tenant")).exists()


def test_a_refusal_moves_nothing(case: TransferCase, reviewer: User, worker: Worker) -> None:
    services.refuse(case, reviewer, "no")
    tasks.carry_out_transfers()
    assert WhatsAppBusinessAccount.objects.get().tenant.slug == "cakes"
    with pytest.raises(RefusedError):
        services.accept(case, reviewer)


def test_nothing_moves_while_a_lease_lasts(
    customer: Customer, asker: Customer, reviewer: User, worker: Worker
) -> None:
    customer.goes_through("payment_missing")
    asker.goes_through("second_tenant")
    transitions.wake([row_of(customer).pk])
    working = transitions.claim(row_of(customer).pk)
    assert working is not None
    case = TransferCase.objects.get()
    services.accept(case, reviewer)
    assert tasks.carry_out_transfers() == 0
    assert WhatsAppBusinessAccount.objects.get().tenant.slug == "cakes"
    steps.run(working)
    assert tasks.carry_out_transfers() == 0, "it was overtaken, and its lease still runs"
    worker.clock.shift(46)
    assert tasks.carry_out_transfers() == 1


def test_an_asker_who_withdraws_before_the_move_gets_nothing(
    case: TransferCase, asker: Customer, customer: Customer, reviewer: User
) -> None:
    services.accept(case, reviewer)
    asker.acts("withdraw")
    tasks.carry_out_transfers()
    case.refresh_from_db()
    assert case.standing == "withdrawn"
    assert customer.sees()["phone_number"]


def test_each_act_is_audited_with_both_sides(
    case: TransferCase, reviewer: User, worker: Worker
) -> None:
    moves(case, reviewer, worker)
    told = {e.act: e for e in AuditEntry.objects.filter(target_type="transfercase")}
    assert set(told) == {"transfer.opened", "transfer.accepted", "transfer.moved"}
    assert told["transfer.accepted"].actor == reviewer.username
    moved = told["transfer.moved"]
    assert (moved.before, moved.after["holder"]) == ({"holder": "cakes"}, "other")


# --- The desk ------------------------------------------------------------------------------------


def page_of(case: TransferCase) -> str:
    return f"/admin/onboarding/transfercase/{case.pk}/"


def test_the_page_shows_both_sides(case: TransferCase, reviewer: User) -> None:
    page = pages_of(reviewer).get(f"{page_of(case)}change/").content.decode()
    assert "John&#x27;s Cake Shop" in page
    assert "Other Company" in page
    assert page.count("Meta's grant names the account") == 2
    assert case.business_account.waba_id in page


@pytest.mark.parametrize("decision", ["accept", "refuse"])
def test_a_decision_needs_its_confirmation(
    case: TransferCase, reviewer: User, decision: str
) -> None:
    desk: Client = pages_of(reviewer)
    desk.post(f"{page_of(case)}decide/", {"decision": decision})
    case.refresh_from_db()
    assert case.standing == "open"
    desk.post(f"{page_of(case)}decide/", {"decision": decision, "confirmed": "yes", "note": "why"})
    case.refresh_from_db()
    assert case.standing == {"accept": "moving", "refuse": "refused"}[decision]
    assert (case.decided_by, case.note) == (reviewer.username, "why")


def test_deciding_is_a_right_of_its_own(case: TransferCase) -> None:
    clerk = person("clerk@partner.example", staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=("view_transfercase", "change_onboarding"))
    )
    desk = pages_of(clerk)
    assert "Accept" not in desk.get(f"{page_of(case)}change/").content.decode()
    sent = {"decision": "accept", "confirmed": "yes"}
    assert desk.post(f"{page_of(case)}decide/", sent).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="decide_transfer"))
    assert desk.post(f"{page_of(case)}decide/", sent).status_code == 302
    case.refresh_from_db()
    assert case.standing == "moving"


def test_a_link_decides_nothing(case: TransferCase, reviewer: User) -> None:
    assert pages_of(reviewer).get(f"{page_of(case)}decide/").status_code == 405


# --- Races, with connections of their own --------------------------------------------------------


@pytest.fixture
def contest(transactional_db: None, sandbox: Sandbox) -> TransferCase:
    """Two tenants at one account in Meta's window; the first waits for its payment method."""
    window = sandbox.finish(scenario="payment_missing")
    for slug in ("cakes", "other"):
        tenant = Tenant.objects.create(slug=slug, name=slug)
        owner = person(f"owner@{slug}.example")
        Membership.objects.create(user=owner, tenant=tenant, role="owner")
        row, _ = services.start(member(owner), tenant, "business_platform")
        ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}
        row = services.record_signup_result(row, member(owner), ids)
        # As if Meta had confirmed it: the code of this window works only once.
        Onboarding.objects.filter(pk=row.pk).update(
            grant="granted", granted_waba_ids=[window["waba_id"]]
        )
        claimed = transitions.claim(row.pk)
        assert claimed is not None
        steps.run(claimed)
    return TransferCase.objects.get()


class Held:
    """YCloud got a call and does not answer it before it is told to."""

    def __init__(self, sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
        self.arrived, self.go_on = threading.Event(), threading.Event()
        answer = sandbox.server.ycloud.answer

        def held(call: Any) -> Any:
            self.arrived.set()
            self.go_on.wait(30)
            return answer(call)

        patch.setattr(sandbox.server.ycloud, "answer", held)


def test_a_worker_in_the_middle_of_a_call_writes_nothing_after_the_move(
    contest: TransferCase, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Onboarding.objects.get(tenant__slug="cakes")
    transitions.wake([holder.pk])
    working = transitions.claim(holder.pk)
    assert working is not None
    sandbox.act("attach_payment", waba_id=holder.claimed_waba_id)
    ycloud = Held(sandbox, monkeypatch)

    @walls.seeing_everything("a worker")
    def work() -> None:
        steps.run(working)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert ycloud.arrived.wait(30)
        assert moving.begin(contest, "anna")
        assert not moving.carry_out(contest.pk), "its lease still runs"
        # As after a pause of the whole process: the lease has ended and the call hangs still.
        Onboarding.objects.update(lease_until=None)
        assert moving.carry_out(contest.pk)
        moved = everything_kept()
        ycloud.go_on.set()
        done.result()
    assert everything_kept() == moved
    assert not ProviderCall.objects.filter(onboarding=holder, kind="register").exists()
    holder.refresh_from_db()
    assert (holder.state, holder.reason) == ("cancelled", "account_moved")


def everything_kept() -> list[Any]:
    kept = (WhatsAppBusinessAccount, PhoneNumber, Onboarding, Transition, Notice, TransferCase)
    return [list(model.objects.order_by("pk").values()) for model in kept]


def test_of_two_staff_who_accept_at_once_one_wins(contest: TransferCase) -> None:
    staff = [person(f"{name}@partner.example", staff=True) for name in ("anna", "bert")]
    taken: list[str] = []

    def accept(user: User) -> None:
        services.accept(contest, user)
        taken.append(user.username)

    at_once(*(lambda user=user: accept(user) for user in staff))
    assert len(taken) == 1
    contest.refresh_from_db()
    assert (contest.standing, contest.decided_by) == ("moving", taken[0])
    assert AuditEntry.objects.filter(act="transfer.accepted").count() == 1


def test_accepting_beside_a_withdrawal_ends_in_one_of_both(contest: TransferCase) -> None:
    anna = person("anna@partner.example", staff=True)
    asks = contest.onboarding
    at_once(
        lambda: services.accept(contest, anna), lambda: services.withdraw(asks, "customer"),
        tasks.carry_out_transfers,
    )  # fmt: skip
    tasks.carry_out_transfers()
    contest.refresh_from_db()
    asks.refresh_from_db()
    holder = WhatsAppBusinessAccount.objects.get().tenant.slug
    assert asks.state == "cancelled"
    assert (contest.standing, holder) in (("withdrawn", "cakes"), ("accepted", "other"))


def test_two_cases_about_one_account_do_not_move_it_twice(
    contest: TransferCase, sandbox: Sandbox
) -> None:
    third = Tenant.objects.create(slug="third", name="third")
    row = Onboarding.objects.create(
        tenant=third, connection_mode="business_platform", state="needs_attention",
        reason="account_held", claimed_waba_id=contest.business_account.waba_id,
    )  # fmt: skip
    other = cases.open_case(row, contest.business_account, "anna")
    assert moving.begin(contest, "anna")
    assert not moving.begin(other, "bert")
    assert moving.carry_out(contest.pk)
    other.refresh_from_db()
    assert (other.standing, other.from_tenant.slug) == ("open", "other")


def test_a_third_tenant_that_asks_too_sees_nothing_stir(
    case: TransferCase, asker: Customer, reviewer: User, worker: Worker
) -> None:
    third = Tenant.objects.create(slug="third", name="third")
    row = Onboarding.objects.create(
        tenant=third, connection_mode="business_platform", state="needs_attention",
        reason="account_held", claimed_waba_id=case.business_account.waba_id,
    )  # fmt: skip
    before = Onboarding.objects.filter(pk=row.pk).values().get()
    moves(case, reviewer, worker)
    assert Onboarding.objects.filter(pk=row.pk).values().get() == before
