"""One whole journey for each ending: from the choice of the mode to what the customer reads."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding
from tenants.models import User
from tests.conftest import Sandbox, Worker, api_of

API = "/api/v1/onboardings/"


class Customer:
    """A customer at the page: chooses, launches, hands over what Meta's window gave."""

    def __init__(self, api: APIClient, sandbox: Sandbox, worker: Worker) -> None:
        self.api, self.sandbox, self.worker = api, sandbox, worker
        self.id = ""

    def starts(self, mode: str = "business_platform") -> None:
        answer = self.api.post(API, {"connection_mode": mode})
        assert answer.status_code in (200, 201), answer.json()
        self.mode, self.id = mode, answer.json()["id"]
        self.posts(event="LAUNCHED")

    def posts(self, **result: str) -> None:
        answer = self.api.post(f"{API}{self.id}/signup/", result)
        assert answer.status_code == 202, answer.json()

    def hands_over(self, window: Any, *, ids: bool = True, code: bool = True) -> None:
        """Post the window's parts the way the page does, each when it comes."""
        parts = []
        if window["messages"] and ids:
            names = ("waba_id", "phone_number_id", "business_id", "event")
            parts.append({name: window[name] for name in names if window[name]})
        if window["code"] and code:
            parts.append({"code": window["code"], "login_status": "connected"})
        if window["first"] == "code":
            parts.reverse()
        for part in parts:
            self.posts(**part)
        if not window["code"]:
            self.posts(login_status="unknown")

    def goes_through(self, scenario: str, mode: str = "business_platform", **params: Any) -> Any:
        self.starts(mode)
        window = self.sandbox.finish(mode, scenario, **params)
        self.hands_over(window)
        self.worker.run()
        return window

    def sees(self) -> dict[str, Any]:
        return dict(self.api.get(f"{API}{self.id}/").json())

    def acts(self, act: str, **sent: str) -> Any:
        answer = self.api.post(f"{API}{self.id}/{act}/", sent)
        assert answer.status_code == 200, answer.json()
        self.worker.run()
        return answer.json()

    @property
    def state(self) -> str:
        return str(self.sees()["state"])

    @property
    def stop(self) -> tuple[str, str | None]:
        seen = self.sees()
        return seen["state"], seen["reason"]

    @property
    def waba_id(self) -> str:
        return str(self.sees()["waba_id"])

    @property
    def number_id(self) -> str:
        return str(self.sees()["phone_number_id"])


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def test_a_new_number_is_connected_with_three_calls(customer: Customer, sandbox: Sandbox) -> None:
    window = customer.goes_through("approve")
    seen = customer.sees()
    assert (seen["state"], seen["number_status"]) == ("connected", "CONNECTED")
    assert seen["proven"] is True
    waba, number = window["waba_id"], window["phone_number_id"]
    assert sorted(sandbox.calls) == sorted(
        [
            f"GET /whatsapp/businessAccounts/{waba}",
            "GET /whatsapp/phoneNumbers",
            f"POST /whatsapp/phoneNumbers/{waba}/{number}/register",
        ]
    )


def test_a_number_that_connects_slowly_is_watched_and_registered_once(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("pending", seconds=40)
    assert customer.state == "connecting"
    worker.later(60)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_a_missing_payment_method_parks_and_resumes_by_itself(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("payment_missing")
    assert customer.stop == ("awaiting_payment", "payment_missing")
    worker.later(600)
    assert customer.stop == ("awaiting_payment", "payment_missing")
    sandbox.act("attach_payment", waba_id=customer.waba_id)
    worker.later(120)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_an_account_that_ycloud_does_not_show_is_bound_once(
    customer: Customer, sandbox: Sandbox
) -> None:
    window = customer.goes_through("unbound")
    assert customer.state == "connected"
    bind = f"POST /whatsapp/businessAccounts/{window['waba_id']}/tp/bind"
    assert sandbox.calls.count(bind) == 1


def test_a_display_name_in_review_waits_and_goes_on_after_the_name_event(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("name_review")
    assert customer.stop == ("registering", "display_name_review")
    worker.later(3600)
    assert sandbox.registers == 1, "nothing is tried again while the name is in review"
    sandbox.act("approve_name", phone_number_id=customer.number_id)
    worker.later(7200)
    assert customer.state == "connected"
    assert sandbox.registers == 2


def test_a_number_that_is_not_verified_is_not_registered(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("number_unverified")
    assert customer.stop == ("awaiting_number", "number_not_verified")
    assert sandbox.registers == 0
    sandbox.act("verify_number", phone_number_id=customer.number_id)
    worker.later(60)
    assert customer.state == "connected"


def test_a_foreign_pin_stops_until_the_customer_resumes(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("pin_mismatch")
    assert customer.stop == ("needs_attention", "pin_mismatch")
    worker.later(3600)
    assert sandbox.registers == 1
    sandbox.act("clear_pin", phone_number_id=customer.number_id)
    customer.acts("resume")
    assert customer.state == "connected"


def test_a_rate_limit_is_waited_out(customer: Customer, sandbox: Sandbox, worker: Worker) -> None:
    customer.goes_through("rate_limited")
    assert customer.stop == ("signed_up", "ycloud_rate_limited")
    for _ in range(4):
        worker.later(10)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_a_failing_ycloud_ends_nothing(customer: Customer, worker: Worker) -> None:
    customer.goes_through("server_error")
    assert customer.stop == ("signed_up", "ycloud_unavailable")
    for _ in range(3):
        worker.later(15)
    assert customer.state == "connected"


def test_a_register_whose_answer_was_lost_before_it_was_applied_is_repeated_after_a_minute(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("timeout_before")
    assert customer.state == "registering"
    worker.later(30)
    assert customer.stop == ("registering", "answer_lost")
    assert sandbox.registers == 1
    for _ in range(4):
        worker.later(20)
    assert customer.state == "connected"
    assert sandbox.registers == 2


def test_a_register_whose_answer_was_lost_after_it_was_applied_is_not_repeated(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("timeout_after")
    worker.later(10)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_a_garbage_answer_is_read_again(customer: Customer, worker: Worker) -> None:
    customer.goes_through("garbage")
    worker.later(10)
    assert customer.state == "connected"


@pytest.mark.parametrize(
    "step", ["BUSINESS_ACCOUNT_SELECTION", "PHONE_NUMBER_SETUP", "PHONE_NUMBER_VERIFICATION"]
)
def test_a_window_closed_at_a_step_can_be_launched_again_in_the_same_attempt(
    customer: Customer, step: str
) -> None:
    customer.starts()
    customer.posts(event="CANCEL", current_step=step)
    customer.posts(login_status="unknown")
    assert customer.stop == ("cancelled", "meta_cancelled")
    row = Onboarding.objects.get()
    assert row.current_step == step
    again = customer.acts("launch")
    assert (again["id"], again["state"]) == (customer.id, "started")


def test_a_reported_problem_keeps_metas_code_and_session(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.starts()
    customer.posts(
        event="CANCEL", error_code="3441030", error_message="In use.", session_id="session-1"
    )
    assert customer.stop == ("cancelled", "meta_error")
    row = Onboarding.objects.get()
    assert (row.error_code, row.meta_session_id) == ("3441030", "session-1")


def test_metas_error_event_cancels(customer: Customer) -> None:
    customer.starts()
    customer.posts(event="ERROR", error_message="Something went wrong.")
    assert customer.stop == ("cancelled", "meta_error")


def test_a_code_without_a_message_is_completed_from_the_grant(
    customer: Customer, worker: Worker
) -> None:
    customer.goes_through("code_only")
    assert customer.stop == ("signed_up", "waiting_for_confirmation")
    worker.later(11)
    assert customer.state == "connected"
    assert customer.sees()["proven"] is True


def test_ids_without_a_code_are_looked_at_by_a_reviewer(
    customer: Customer, worker: Worker, reviewer: Any
) -> None:
    customer.goes_through("ids_only")
    assert customer.stop == ("in_review", "unproven")
    assert customer.sees()["proven"] is None
    services.approve(Onboarding.objects.get(), reviewer)
    worker.run()
    assert customer.state == "connected"


def test_a_window_that_says_nothing_is_not_called_cancelled_by_the_customer(
    customer: Customer,
) -> None:
    customer.starts()
    customer.posts(login_status="unknown")
    assert customer.stop == ("cancelled", "no_confirmation")


def test_a_late_finish_after_no_confirmation_moves_on(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.starts()
    customer.posts(login_status="unknown")
    customer.hands_over(sandbox.finish(scenario="approve"))
    worker.run()
    assert customer.state == "connected"


def test_of_several_granted_accounts_the_customer_chooses_one(customer: Customer) -> None:
    customer.goes_through("several_accounts")
    worker = customer.worker
    worker.later(11)
    assert customer.stop == ("awaiting_account", "account_choice")
    choices = customer.sees()["choices"]
    assert len(choices) == 2
    customer.acts("account", waba_id=choices[1]["waba_id"])
    assert customer.state == "connected"
    assert customer.waba_id == choices[1]["waba_id"]


def test_of_several_numbers_the_customer_chooses_one(customer: Customer) -> None:
    customer.goes_through("several_numbers")
    assert customer.stop == ("awaiting_number", "number_choice")
    choice = customer.sees()["choices"][1]
    customer.acts("number", phone_number_id=choice["phone_number_id"])
    seen = customer.sees()
    assert (seen["state"], seen["phone_number"]) == ("connected", choice["phone_number"])


def test_an_account_without_a_number_waits_for_one(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("only_waba")
    assert customer.stop == ("awaiting_number", "number_missing")
    sandbox.act("add_number", waba_id=customer.waba_id)
    worker.later(30)
    assert customer.state == "connected"


def test_a_second_tenant_cannot_take_an_account_and_learns_nothing(
    customer: Customer, sandbox: Sandbox, worker: Worker, stranger_api: APIClient
) -> None:
    customer.goes_through("approve")
    thief = Customer(stranger_api, sandbox, worker)
    thief.goes_through("second_tenant")
    worker.later(70)
    assert thief.stop == ("needs_attention", "account_unconfirmed")
    seen = thief.sees()
    assert seen["account_name"] is None
    assert seen["phone_number"] is None
    assert Onboarding.objects.get(public_id=thief.id).reason == "account_held"
    assert customer.state == "connected"


def test_a_number_that_is_connected_already_is_not_registered(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("already_connected")
    assert customer.state == "connected"
    assert sandbox.registers == 0


def test_an_account_in_metas_review_goes_on_when_it_is_approved(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("review_pending")
    assert customer.stop == ("linked", "account_in_review")
    sandbox.act("approve_review", waba_id=customer.waba_id)
    worker.later(60)
    assert customer.state == "connected"


def test_a_banned_account_stops_with_the_remedy(customer: Customer) -> None:
    customer.goes_through("banned")
    assert customer.stop == ("needs_attention", "account_banned")
    (requirement,) = customer.sees()["requirements"]
    assert requirement["who"] == "customer"
    assert requirement["remedy"]


def test_a_number_that_the_account_does_not_list_is_never_replaced_by_another(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("other_number")
    worker.later(600)
    assert customer.stop == ("awaiting_number", "number_not_listed")
    assert sandbox.registers == 0


def test_the_code_may_come_before_the_message(customer: Customer) -> None:
    customer.goes_through("code_first")
    assert customer.state == "connected"


def test_an_account_that_meta_did_not_grant_stops(customer: Customer, sandbox: Sandbox) -> None:
    customer.goes_through("not_granted")
    assert customer.stop == ("needs_attention", "account_unconfirmed")
    assert Onboarding.objects.get().reason == "account_not_granted"
    assert sandbox.calls == [], "nothing is read at YCloud for somebody who proved nothing"


def test_a_number_of_the_app_is_bound_and_never_registered(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    window = customer.goes_through("approve", "business_app")
    worker.later(10)
    seen = customer.sees()
    assert (seen["state"], seen["connection_mode"]) == ("connected", "business_app")
    assert sandbox.registers == 0
    bind = f"POST /whatsapp/businessAccounts/{window['waba_id']}/smb/bind"
    assert sandbox.calls.count(bind) == 1


def test_a_number_of_the_app_that_ycloud_does_not_show_is_bound_once(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("unbound", "business_app")
    worker.later(10)
    assert customer.state == "connected"
    assert sandbox.registers == 0
    assert sum(call.endswith("/smb/bind") for call in sandbox.calls) == 1


def test_meta_may_turn_a_platform_signup_into_coexistence(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.starts("business_platform")
    customer.hands_over(sandbox.finish("business_app", "approve"))
    worker.run()
    worker.later(10)
    seen = customer.sees()
    assert (seen["state"], seen["connection_mode"]) == ("connected", "business_app")
    assert sandbox.registers == 0


def test_a_withdrawn_attempt_is_never_registered(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("payment_missing")
    customer.acts("withdraw")
    assert customer.stop == ("cancelled", "withdrawn")
    sandbox.act("attach_payment", waba_id=customer.waba_id)
    worker.later(3600)
    assert sandbox.registers == 0


def test_a_reviewer_approves_where_the_policy_asks(
    customer: Customer, sandbox: Sandbox, worker: Worker, reviewer: Any, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    customer.goes_through("approve")
    assert customer.stop == ("in_review", "approval_needed")
    assert sandbox.registers == 0
    services.approve(Onboarding.objects.get(), reviewer)
    worker.run()
    assert customer.state == "connected"


def test_a_reviewer_rejects_and_the_customer_reads_why(
    customer: Customer, worker: Worker, reviewer: Any, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "new_tenants"
    customer.goes_through("approve")
    services.reject(Onboarding.objects.get(), reviewer, "Not our customer.")
    assert customer.stop == ("rejected", "rejected")
    timeline = customer.api.get(f"{API}{customer.id}/timeline/").json()["results"]
    assert timeline[-1]["detail"] == "Not our customer."
    assert "reviewer@" not in str(timeline)


def test_an_approval_days_later_still_needs_the_payment(
    customer: Customer, sandbox: Sandbox, worker: Worker, reviewer: Any, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    window = customer.goes_through("approve")
    sandbox.server.world.accounts[window["waba_id"]]["answer"]["paymentMethodAttached"] = False
    worker.clock.shift(3 * 86_400)
    services.approve(Onboarding.objects.get(), reviewer)
    worker.run()
    assert customer.stop == ("awaiting_payment", "payment_missing")
    sandbox.act("attach_payment", waba_id=window["waba_id"])
    worker.later(60)
    assert customer.state == "connected"


def test_a_number_banned_while_it_connects_stops(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("pending", seconds=9000)
    sandbox.act("ban_number", phone_number_id=customer.number_id)
    worker.later(30)
    assert customer.stop == ("needs_attention", "number_banned")


def test_a_number_that_takes_days_says_so_and_never_fails(
    customer: Customer, sandbox: Sandbox, worker: Worker, owner: User
) -> None:
    customer.goes_through("pending", seconds=21 * 86_400)
    for _ in range(20):
        worker.later(86_400)
    customer.api = api_of(owner)  # the login of three weeks ago has ended
    assert customer.stop == ("connecting", "takes_longer")
    worker.later(2 * 86_400)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_the_register_budget_is_kept_before_metas_own_limit(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("pin_mismatch")
    for _ in range(9):
        customer.acts("resume")
    assert customer.stop == ("registering", "register_budget")
    assert sandbox.registers == 8, "ten are allowed and two are kept in reserve"
    sandbox.act("clear_pin", phone_number_id=customer.number_id)
    worker.later(72 * 3600 + 60)
    assert customer.state == "connected"
