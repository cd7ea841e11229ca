"""One owner of a WABA and a number: the database on proven rows, the gate on claims."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from onboarding import cases, moving, services, tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, TransferCase, WhatsAppBusinessAccount
from onboarding.steps import facts
from tenants.models import Membership, Tenant, User
from tests.at_once import at_once
from tests.conftest import Sandbox, Worker, api_of, person
from tests.test_journey import Customer
from ycloud_client import BusinessAccount
from ycloud_client import PhoneNumber as ListedNumber

NOTHING = ("needs_attention", "account_unconfirmed")


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture
def second(stranger_api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(stranger_api, sandbox, worker)


@pytest.fixture
def unproven(tenant: Tenant) -> None:
    """The first tenant's policy lets attempts go on without a grant."""
    Tenant.objects.filter(pk=tenant.pk).update(unproven="continue")


def claims(customer: Customer, scenario: str, **params: Any) -> None:
    """Goes through Meta's window, but its code is lost: nothing proves the ids."""
    customer.starts()
    window = customer.sandbox.finish(scenario=scenario, **params)
    customer.hands_over(window, code=False)
    customer.posts(login_status="unknown")
    customer.worker.run()


def proofs() -> set[tuple[str, str]]:
    accounts = WhatsAppBusinessAccount.objects.values_list("proof", flat=True)
    return set(zip(accounts, PhoneNumber.objects.values_list("proof", flat=True), strict=True))


def test_a_grant_makes_the_tenant_the_proven_owner(customer: Customer) -> None:
    customer.goes_through("approve")
    assert proofs() == {("grant", "grant")}


@pytest.mark.usefixtures("unproven")
def test_a_claim_alone_proves_nothing(customer: Customer) -> None:
    claims(customer, "approve")
    assert customer.state == "connected"
    assert proofs() == {("", "")}


def test_a_reviewers_yes_counts_as_proof(customer: Customer, reviewer: User) -> None:
    claims(customer, "approve")
    assert customer.stop == ("in_review", "unproven")
    services.approve(Onboarding.objects.get(public_id=customer.id), reviewer)
    customer.worker.run()
    assert customer.state == "connected"
    assert proofs() == {("staff", "staff")}


@pytest.mark.usefixtures("unproven")
def test_a_grant_that_comes_later_proves_what_was_claimed_before(customer: Customer) -> None:
    claims(customer, "payment_missing")
    customer.goes_through("second_tenant")
    assert WhatsAppBusinessAccount.objects.get().proof == "grant"


def test_the_database_refuses_a_second_proven_owner_and_no_claim(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    for each, proof in ((tenant, "grant"), (other_tenant, "")):
        account = WhatsAppBusinessAccount.objects.create(tenant=each, waba_id="7", proof=proof)
        PhoneNumber.objects.create(
            tenant=each, business_account=account, phone_number_id="8", proof=proof
        )
    for model in (WhatsAppBusinessAccount, PhoneNumber):
        claimed = model.objects.filter(tenant=other_tenant)
        with pytest.raises(IntegrityError, match="one_proven_owner"), transaction.atomic():
            claimed.update(proof="staff")


@pytest.mark.usefixtures("unproven")
def test_of_two_claims_the_first_one_holds(
    customer: Customer, second: Customer, other_tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(unproven="continue")
    claims(customer, "approve")
    claims(second, "second_tenant")
    second.worker.later(61)
    assert second.stop == NOTHING
    assert customer.state == "connected"
    assert not TransferCase.objects.exists(), "a claim is no reason to ask staff for anything"


@pytest.mark.django_db(transaction=True)
def test_two_first_readings_at_once_make_one_holder() -> None:
    rows = [
        Onboarding.objects.create(
            tenant=Tenant.objects.create(slug=slug, name=slug), connection_mode="business_platform",
            state="signed_up", claimed_waba_id="7",
        )
        for slug in ("one", "two", "three")
    ]  # fmt: skip
    held: list[int] = []

    read = BusinessAccount.parse({"id": "7", "name": "Cakes"})

    def keep(row: Onboarding) -> None:
        try:
            held.append(facts.keep_account(row, read).tenant_id)
        except facts.HeldByAnotherTenantError:
            connection.close()

    at_once(*(lambda row=row: keep(row) for row in rows))
    assert len(held) == 1
    assert WhatsAppBusinessAccount.objects.get().tenant_id == held[0]


@pytest.mark.usefixtures("unproven")
def test_a_squatter_gives_way_to_a_grant_without_anybody_deciding(
    customer: Customer, second: Customer, worker: Worker
) -> None:
    claims(customer, "payment_missing")
    assert customer.stop == ("awaiting_payment", "payment_missing")
    window = second.goes_through("second_tenant")
    assert second.sees()["reason"] == "account_unconfirmed"
    tasks.carry_out_transfers()
    worker.run()
    assert second.stop == ("awaiting_payment", "payment_missing")
    case = TransferCase.objects.get()
    assert (case.standing, case.decided_by) == ("accepted", "worker")
    account = WhatsAppBusinessAccount.objects.get(waba_id=window["waba_id"])
    assert (account.tenant.slug, account.proof) == ("other", "grant")
    seen = customer.sees()
    assert seen["reason"] == "account_unconfirmed", "the same words as for any other"
    assert seen["account_name"] is seen["phone_number"] is None


@pytest.mark.usefixtures("unproven")
def test_an_unproven_holder_that_is_connected_loses_nothing_before_staff_decide(
    customer: Customer, second: Customer
) -> None:
    claims(customer, "approve")
    second.goes_through("second_tenant")
    tasks.carry_out_transfers()
    assert TransferCase.objects.get().standing == "open"
    second.worker.later(61)
    assert second.stop == NOTHING
    assert customer.state == "connected"


def test_a_holder_without_a_row_of_its_own_in_the_way_can_be_asked_again(
    customer: Customer, tenant: Tenant
) -> None:
    """The same tenant's second person has no case against its own company."""
    customer.goes_through("approve")
    colleague = person("colleague@cakes.example")
    Membership.objects.create(user=colleague, tenant=tenant)
    again = Customer(api_of(colleague), customer.sandbox, customer.worker)
    again.goes_through("second_tenant")
    assert again.state == "connected"
    assert not TransferCase.objects.exists()


def test_a_claim_beside_it_never_stops_a_proven_owner(
    customer: Customer, other_tenant: Tenant
) -> None:
    window = customer.goes_through("payment_missing")
    WhatsAppBusinessAccount.objects.create(tenant=other_tenant, waba_id=window["waba_id"])
    customer.sandbox.act("attach_payment", waba_id=window["waba_id"])
    customer.acts("resume")
    assert customer.state == "connected"


@pytest.mark.usefixtures("unproven")
def test_a_holder_that_proves_itself_before_the_move_keeps_the_account(
    customer: Customer, second: Customer, worker: Worker
) -> None:
    claims(customer, "payment_missing")
    second.goes_through("second_tenant")
    case = TransferCase.objects.get()
    assert cases.decides_itself(case)
    assert moving.begin(case, cases.WORKER)
    customer.goes_through("second_tenant")  # this time the code comes
    tasks.carry_out_transfers()
    case.refresh_from_db()
    assert (case.standing, case.decided_by) == ("open", "")
    assert WhatsAppBusinessAccount.objects.get().tenant.slug == "cakes"
    assert Onboarding.objects.filter(tenant__slug="cakes", next_look_at__isnull=False).exists()


def test_a_worker_that_was_overtaken_keeps_nothing_of_what_it_read(tenant: Tenant) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="signed_up", claimed_waba_id="7"
    )
    transitions.bump(Onboarding.objects.all())
    read = BusinessAccount.parse({"id": "7", "name": "Cakes"})
    with pytest.raises(transitions.OvertakenError):
        facts.keep_account(row, read)
    assert not WhatsAppBusinessAccount.objects.exists()


def test_what_was_read_for_one_tenant_is_not_written_once_another_has_it(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="7")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="8", status="PENDING"
    )
    PhoneNumber.objects.update(tenant=other_tenant)
    read = ListedNumber.parse({"id": "8", "status": "BANNED"})
    assert not facts.write_number(number, read)
    assert PhoneNumber.objects.get().status == "PENDING"
