"""Ways back when something of Meta's window was lost; the locks of an expected number."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding, SignupLink, WhatsAppBusinessAccount
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker, api_of, pages_of
from tests.test_journey import API, Customer


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def searches(customer: Customer, code: int = 200) -> dict[str, Any]:
    answer = customer.api.post(f"{API}{customer.id}/search/")
    assert answer.status_code == code, answer.json()
    customer.worker.run()
    customer.worker.later(11)
    return dict(answer.json())


# --- Look for my account -------------------------------------------------------------------------


def test_wrong_ids_are_dropped_and_the_granted_account_is_found(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.starts()
    window = sandbox.finish(scenario="approve")
    customer.posts(waba_id="999", phone_number_id="998", event="FINISH")
    customer.posts(code=window["code"])
    customer.worker.run()
    assert customer.stop == ("needs_attention", "account_unconfirmed")
    searches(customer)
    assert customer.state == "connected"
    assert customer.waba_id == window["waba_id"]
    assert customer.sees()["proven"] is True


def test_without_a_grant_nothing_can_be_found_and_the_page_says_so(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.starts()
    sandbox.finish(scenario="approve")
    customer.posts(login_status="unknown")
    searches(customer)
    assert customer.stop == ("cancelled", "account_not_found")
    assert not sandbox.calls, "accounts of other companies are not even listed"
    again = customer.acts("launch")
    assert (again["id"], again["state"]) == (customer.id, "started")


def test_only_accounts_that_nobody_holds_are_offered(
    customer: Customer, sandbox: Sandbox, other_tenant: Tenant
) -> None:
    customer.starts()
    window = sandbox.finish(scenario="several_accounts", accounts=3)
    customer.posts(code=window["code"])
    customer.worker.run()
    customer.worker.later(11)
    granted = [choice["waba_id"] for choice in customer.sees()["choices"]]
    assert len(granted) == 3
    WhatsAppBusinessAccount.objects.create(tenant=other_tenant, waba_id=granted[0])
    customer.worker.later(60)
    offered = [choice["waba_id"] for choice in customer.sees()["choices"]]
    assert offered == granted[1:]
    refused = customer.api.post(f"{API}{customer.id}/account/", {"waba_id": granted[0]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_offered")


def test_when_all_that_was_granted_is_taken_the_customer_learns_nothing(
    customer: Customer, sandbox: Sandbox, other_tenant: Tenant
) -> None:
    customer.starts()
    window = sandbox.finish(scenario="code_only")
    WhatsAppBusinessAccount.objects.create(tenant=other_tenant, waba_id=window["waba_id"])
    customer.posts(code=window["code"])
    customer.worker.run()
    customer.worker.later(11)
    assert customer.stop == ("signed_up", "account_unconfirmed"), "as of one that is not visible"
    customer.worker.later(70)
    assert customer.stop == ("needs_attention", "account_unconfirmed")
    searches(customer)
    assert customer.stop == ("cancelled", "account_not_found")


def test_late_ids_after_a_search_move_the_attempt_on(customer: Customer, sandbox: Sandbox) -> None:
    customer.starts()
    customer.posts(login_status="unknown")
    searches(customer)
    customer.hands_over(sandbox.finish(scenario="approve"))
    customer.worker.run()
    assert customer.state == "connected"


def test_an_attempt_that_is_under_way_has_nothing_to_look_for(customer: Customer) -> None:
    customer.goes_through("payment_missing")
    assert searches(customer, 409)["error"]["code"] == "not_now"


def test_a_window_that_was_never_opened_has_nothing_to_look_for(
    customer: Customer, api: APIClient
) -> None:
    customer.id = api.post(API, {"connection_mode": "business_platform"}).json()["id"]
    assert searches(customer, 409)["error"]["code"] == "not_now"


def test_staff_may_look_too(customer: Customer, sandbox: Sandbox, reviewer: User) -> None:
    customer.starts()
    window = sandbox.finish(scenario="approve")
    customer.posts(waba_id="999", event="FINISH", code=window["code"])
    customer.worker.run()
    row = Onboarding.objects.get()
    page = f"/admin/onboarding/onboarding/{row.pk}/decide/search/"
    assert pages_of(reviewer).post(page).status_code == 302
    customer.worker.run()
    assert customer.state == "connected"
    assert "reviewer@partner.example" in set(row.transitions.values_list("actor", flat=True))


def test_a_stranger_cannot_look(customer: Customer, stranger_api: APIClient) -> None:
    customer.starts()
    assert stranger_api.post(f"{API}{customer.id}/search/").status_code == 404


def test_the_card_offers_the_search_where_it_can_help(customer: Customer, owner: User) -> None:
    customer.starts()
    customer.posts(login_status="unknown")
    page = pages_of(owner).get(f"/connect/?onboarding={customer.id}").content.decode()
    assert 'data-act="search"' in page


# --- An expected number --------------------------------------------------------------------------


@pytest.fixture
def guest(tenant: Tenant, sandbox: Sandbox, worker: Worker) -> Any:
    """A guest whose link is for one number."""

    def let_in(number: str) -> Customer:
        _, token = services.create_link(tenant, expected_number=number)
        client = APIClient()
        client.get(f"/s/{token}/")
        return Customer(client, sandbox, worker)

    return let_in


def number_of(window: Any, sandbox: Sandbox) -> str:
    return str(sandbox.server.world.numbers_of(window["waba_id"])[0]["answer"]["phoneNumber"])


def test_a_link_for_another_number_does_not_connect_this_one(guest: Any, sandbox: Sandbox) -> None:
    customer = guest("+34600000000")
    customer.goes_through("approve")
    assert customer.stop == ("awaiting_number", "number_unexpected")
    assert sandbox.registers == 0
    assert customer.sees()["phone_number"] is None, "nothing of the other number is kept"


def test_the_expected_number_is_found_among_several_and_goes_on_when_it_appears(
    guest: Any, sandbox: Sandbox
) -> None:
    customer = guest("+34600000000")
    window = customer.goes_through("several_numbers")
    assert customer.stop == ("awaiting_number", "number_unexpected")
    added = sandbox.server.world.numbers_of(window["waba_id"])[1]
    added["answer"]["phoneNumber"] = "34 600-000-000"
    customer.worker.later(60)
    assert customer.state == "connected"
    assert customer.number_id == added["answer"]["id"]


def test_the_page_names_the_number_that_the_link_is_for(guest: Any) -> None:
    customer = guest("+34600000000")
    page = customer.api.get("/connect/").content.decode()
    assert "+34 600 00 00 00" in page


# --- Start again ----------------------------------------------------------------------------------


def restarts(customer: Customer, code: int = 200) -> dict[str, Any]:
    answer = customer.api.post(f"{API}{customer.id}/launch/", {"restart": True})
    assert answer.status_code == code, answer.json()
    return dict(answer.json())


def test_starting_again_ends_what_is_under_way_and_launches_the_same_attempt(
    customer: Customer,
) -> None:
    customer.goes_through("number_unverified")
    assert customer.state == "awaiting_number"
    told = restarts(customer)
    assert (told["id"], told["state"], told["waba_id"]) == (customer.id, "started", None)
    assert told["launch"]["config_id"]
    row = Onboarding.objects.get()
    moves = [(each.to_state, each.reason) for each in row.transitions.all()][-2:]
    assert moves == [("cancelled", "withdrawn"), ("started", "")]


def test_what_is_reviewed_for_want_of_a_proof_is_proven_by_another_window(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("ids_only")
    assert customer.stop == ("in_review", "unproven")
    assert restarts(customer)["state"] == "started"
    customer.hands_over(sandbox.finish(scenario="approve"))
    customer.worker.run()
    customer.worker.later(11)
    assert customer.state == "connected"
    assert customer.sees()["proven"] is True
    assert Onboarding.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "then", "stop"),
    [
        ({"login_status": "unknown"}, "ERROR", "meta_error"),
        ({"event": "CANCEL"}, "ERROR", "meta_error"),
        ({"event": "CANCEL"}, "CANCEL", "meta_cancelled"),
        ({"event": "ERROR", "error_code": "4563015"}, "CANCEL", "meta_error"),
    ],
)
def test_an_error_that_is_told_after_the_end_says_more_than_the_end(
    customer: Customer, first: dict[str, str], then: str, stop: str
) -> None:
    customer.starts()
    customer.posts(**first)
    customer.posts(event=then, **({"error_code": "2655121"} if then == "ERROR" else {}))
    assert customer.stop == ("cancelled", stop)


def test_without_being_asked_a_launch_ends_nothing(customer: Customer) -> None:
    customer.goes_through("number_unverified")
    assert customer.api.post(f"{API}{customer.id}/launch/").status_code == 409
    assert customer.state == "awaiting_number"


def test_where_nothing_is_under_way_starting_again_is_a_launch_alone(customer: Customer) -> None:
    customer.starts()
    assert restarts(customer)["state"] == "started"
    assert not Onboarding.objects.get().transitions.filter(reason="withdrawn").exists()


def test_what_is_over_is_not_started_again(customer: Customer) -> None:
    customer.goes_through("approve")
    customer.worker.later(11)
    assert customer.state == "connected"
    assert restarts(customer, 409)["error"]["code"] == "not_now"
    assert customer.state == "connected"


def test_a_start_again_that_is_refused_for_its_number_ends_nothing(
    customer: Customer, settings: Any
) -> None:
    customer.goes_through("number_unverified")
    settings.LAUNCHES_PER_MINUTE = 0
    assert restarts(customer, 429)["error"]["code"] == "throttled"
    assert customer.state == "awaiting_number"


def test_a_launch_that_fails_leaves_what_is_under_way(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer.goes_through("number_unverified")
    row = Onboarding.objects.get()

    def fails(*_: Any) -> None:
        raise services.RefusedError("not_now", "It cannot be launched.")

    monkeypatch.setattr("onboarding.services.signup._again", fails)
    assert restarts(customer, 409)["error"]["code"] == "not_now"
    row.refresh_from_db()
    assert row.state == "awaiting_number"


def test_a_colleague_starts_the_same_attempt_again(customer: Customer, member: User) -> None:
    customer.goes_through("number_unverified")
    answer = api_of(member).post(f"{API}{customer.id}/launch/", {"restart": True})
    assert (answer.status_code, answer.json()["id"]) == (200, customer.id)
    assert Onboarding.objects.count() == 1


def test_a_guest_whose_link_has_expired_starts_the_same_attempt_again(
    tenant: Tenant, sandbox: Sandbox, worker: Worker
) -> None:
    _, token = services.create_link(tenant)
    guest = APIClient()
    guest.get(f"/s/{token}/")
    customer = Customer(guest, sandbox, worker)
    customer.goes_through("number_unverified")
    SignupLink.objects.update(expires_at=timezone.now())
    assert restarts(customer)["id"] == customer.id
    assert Onboarding.objects.count() == 1
