"""The choice between several granted accounts shows their names, and does without them too."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from onboarding.models import Onboarding, ProviderCall, WhatsAppBusinessAccount
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer

NAMES = ("Bakery", "Cake delivery", "Third", "Fourth", "Fifth", "Sixth", "Seventh")


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


class Granted:
    """A grant over several named accounts, and the looks at it."""

    def __init__(self, customer: Customer, sandbox: Sandbox) -> None:
        self.customer, self.sandbox = customer, sandbox

    def comes(self, accounts: int = 2, **more: Any) -> None:
        """Meta's window gives a code that covers so many accounts, and no ids."""
        self.customer.starts()
        window = self.sandbox.finish(scenario="several_accounts", accounts=accounts, **more)
        for account, name in zip(self.accounts, NAMES, strict=False):
            account["answer"]["name"] = name
        self.customer.posts(code=window["code"])
        self.customer.worker.run()

    @property
    def accounts(self) -> list[Any]:
        return list(self.sandbox.server.world.accounts.values())

    def is_looked_at(self, seconds: float = 11) -> None:
        self.customer.worker.later(seconds)

    @property
    def names(self) -> list[str | None]:
        assert self.customer.stop == ("awaiting_account", "account_choice")
        return [choice["account_name"] for choice in self.customer.sees()["choices"]]

    @property
    def reads(self) -> int:
        return sum("/businessAccounts/" in call for call in self.sandbox.calls)


@pytest.fixture
def granted(customer: Customer, sandbox: Sandbox) -> Granted:
    return Granted(customer, sandbox)


def test_each_offered_account_is_shown_by_its_name(granted: Granted) -> None:
    granted.comes()
    granted.is_looked_at()
    assert granted.names == ["Bakery", "Cake delivery"]


def test_the_page_shows_the_name_with_the_id_beside_it(
    granted: Granted, client: Client, owner: User
) -> None:
    granted.comes()
    granted.is_looked_at()
    waba_id = granted.customer.sees()["choices"][0]["waba_id"]
    client.force_login(owner, backend="tenants.login.Backend")
    card = client.get(f"/connect/{granted.customer.id}/card/").content.decode()
    assert "<strong><bdi>Bakery</bdi></strong>" in card
    assert f"<small><bdi>{waba_id}</bdi></small>" in card


def test_a_name_is_read_once_and_not_with_each_look(granted: Granted) -> None:
    granted.comes()
    granted.is_looked_at()
    granted.is_looked_at(60)
    granted.is_looked_at(600)
    assert granted.names == ["Bakery", "Cake delivery"]
    assert granted.reads == 2


def test_each_read_of_a_name_is_in_the_journal(granted: Granted) -> None:
    granted.comes()
    granted.is_looked_at()
    offered = {choice["waba_id"] for choice in granted.customer.sees()["choices"]}
    calls = ProviderCall.objects.filter(kind=ProviderCall.Kind.RETRIEVE_ACCOUNT)
    assert set(calls.values_list("target", flat=True)) == offered
    assert set(calls.values_list("outcome", flat=True)) == {"done"}


def test_an_account_that_ycloud_does_not_show_is_offered_by_its_id_and_asked_for_once(
    granted: Granted,
) -> None:
    granted.comes(bound=False)
    granted.is_looked_at()
    assert granted.names == [None, None]
    granted.is_looked_at(60)
    assert granted.reads == 2


@pytest.mark.parametrize("fault", ["server_error", "garbage", "rate_limited"])
def test_a_fault_of_a_read_does_not_stop_the_offer_and_is_made_good_later(
    granted: Granted, sandbox: Sandbox, fault: str
) -> None:
    granted.comes()
    sandbox.fault("retrieve_account", fault, times=2)
    granted.is_looked_at()
    assert granted.names == [None, None]
    granted.is_looked_at(60)
    assert granted.names == ["Bakery", "Cake delivery"]


def test_a_full_quota_does_not_stop_the_offer(granted: Granted, settings: Any) -> None:
    granted.comes()
    settings.YCLOUD_QUOTA_PER_HOUR = 1
    granted.is_looked_at()
    assert granted.names == [None, None]


def test_of_many_accounts_five_names_are_read_with_a_look(granted: Granted) -> None:
    granted.comes(accounts=7)
    granted.is_looked_at()
    assert granted.names == [*NAMES[:5], None, None]
    assert granted.reads == 5
    granted.is_looked_at(60)
    assert granted.names == list(NAMES)
    assert granted.reads == 7


def test_the_name_of_an_account_that_is_here_already_is_not_read_again(
    granted: Granted, tenant: Tenant
) -> None:
    granted.comes()
    waba_id = granted.accounts[0]["answer"]["id"]
    WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=waba_id, name="As we know it")
    granted.is_looked_at()
    assert granted.names == ["As we know it", "Cake delivery"]
    assert granted.reads == 1


def test_a_name_that_cannot_be_kept_as_it_is_stops_nothing(granted: Granted) -> None:
    granted.comes()
    granted.accounts[0]["answer"]["name"] = "N\x00" * 300
    granted.is_looked_at()
    assert granted.names == ["N" * 255, "Cake delivery"]


def test_choices_that_were_offered_before_names_were_read_get_them(
    granted: Granted,
) -> None:
    granted.comes(bound=False)
    granted.is_looked_at()
    row = Onboarding.objects.get(public_id=granted.customer.id)
    row.choices = [{"waba_id": choice["waba_id"]} for choice in row.choices]
    row.save(update_fields=["choices"])
    for account in granted.accounts:
        account["bound"] = True
    assert granted.names == [None, None]
    granted.is_looked_at(60)
    assert granted.names == ["Bakery", "Cake delivery"]
