"""What it means that nothing can be proven: told to customer, staff, operator and deployer."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR, INFO
from django.test import Client
from rest_framework.test import APIClient

from onboarding import checks, services
from onboarding.doctor import meta as meta_checks
from onboarding.models import Onboarding
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker, pages_of
from tests.test_journey import Customer

LIST = "/admin/onboarding/onboarding/"


@pytest.fixture(autouse=True)
def _no_secret(sandbox: Sandbox, settings: Any) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    settings.ONBOARDING_UNPROVEN_IS_SET = False


def page(owner: User) -> str:
    return pages_of(owner).get("/connect/").content.decode()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("review", "checks each connection by hand"),
        ("stop", "Ask your partner before you begin"),
    ],
)
def test_a_customer_is_told_only_what_changes_something_for_them(
    owner: User, tenant: Tenant, settings: Any, policy: str, told: str
) -> None:
    assert told not in page(owner)
    settings.ONBOARDING_UNPROVEN = policy
    assert told in page(owner)
    tenant.unproven = "continue"
    tenant.save()
    assert told not in page(owner)
    tenant.unproven = policy
    tenant.save()
    assert told in page(owner)
    settings.META_APP_SECRET = "x"
    assert told not in page(owner)


@pytest.fixture
def rows(tenant: Tenant) -> dict[str, Onboarding]:
    def made(**more: Any) -> Onboarding:
        return Onboarding.objects.create(tenant=tenant, connection_mode="business_app", **more)

    return {
        "yes": made(proven=True, claimed_waba_id="1"),
        "no": made(proven=False, claimed_waba_id="2"),
        "unproven": made(claimed_waba_id="3"),
        "unchecked": made(),
    }


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


@pytest.mark.parametrize("word", ["yes", "no", "unproven", "unchecked"])
def test_staff_filter_by_proof(desk: Client, rows: dict[str, Onboarding], word: str) -> None:
    answer = desk.get(f"{LIST}?proof={word}")
    assert list(answer.context["cl"].queryset) == [rows[word]]


def test_the_list_has_a_column_of_it(desk: Client, rows: dict[str, Onboarding]) -> None:
    shown = desk.get(LIST).content.decode()
    for word in ("proven", "refuted", "unproven", "not checked yet"):
        assert word in shown


@pytest.mark.parametrize(
    ("row", "secret", "told"),
    [
        ("yes", "x", "Proven: Meta&#x27;s grant names this WABA."),
        ("no", "x", "Refuted: Meta granted other WABAs"),
        ("unproven", "x", "Unproven: Meta&#x27;s grant did not reach us"),
        ("unproven", "", "Unproven: without META_APP_SECRET nothing can be proven. continue: it "),
        ("unchecked", "x", "Not checked: no WABA is known yet."),
    ],
)
def test_the_record_says_what_it_means(
    desk: Client, rows: dict[str, Onboarding], settings: Any, row: str, secret: str, told: str
) -> None:
    settings.META_APP_SECRET = secret
    shown = desk.get(f"{LIST}{rows[row].pk}/change/").content.decode()
    assert told in shown.partition('id="proof"')[2].partition("</p>")[0]


def test_the_doctor_says_it_and_wants_a_decision(settings: Any) -> None:
    found = next(meta_checks.proven())
    assert "every connection is unproven. ONBOARDING_UNPROVEN=continue" in found.what
    assert not found.is_well
    settings.ONBOARDING_UNPROVEN_IS_SET, settings.ONBOARDING_UNPROVEN = True, "review"
    found = next(meta_checks.proven())
    assert "each waits for a reviewer" in found.what
    assert found.is_well
    settings.META_APP_SECRET = "x"
    assert "proves who may connect" in next(meta_checks.proven()).what


def test_the_deploy_check_fails_until_it_was_decided_and_then_says_what_was(settings: Any) -> None:
    (told,) = checks.unproven_is_decided()
    assert (told.id, told.level) == ("onboarding.E004", ERROR)
    assert "whoever knows the id of a WABA" in told.msg
    settings.ONBOARDING_UNPROVEN_IS_SET, settings.ONBOARDING_UNPROVEN = True, "stop"
    (told,) = checks.unproven_is_decided()
    assert (told.id, told.level) == ("onboarding.I001", INFO)
    assert "nobody can connect anything" in told.msg
    settings.META_APP_SECRET = "x"
    assert checks.unproven_is_decided() == []


# --- The policy, of the partner and of the tenant ------------------------------------------------


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.mark.parametrize("secret", ["", "sandbox-app-secret"])
@pytest.mark.parametrize(
    ("partners", "tenants", "stop"),
    [
        ("continue", "", ("connected", None)),
        ("review", "", ("in_review", "unproven")),
        ("stop", "", ("needs_attention", "account_unconfirmed")),
        ("stop", "continue", ("connected", None)),
        ("continue", "review", ("in_review", "unproven")),
        ("review", "stop", ("needs_attention", "account_unconfirmed")),
    ],
)
def test_what_becomes_of_ids_without_a_proof_is_the_tenants_or_the_partners_choice(
    customer: Customer, tenant: Tenant, settings: Any, secret: str,
    partners: str, tenants: str, stop: tuple[str, str | None],
) -> None:  # fmt: skip
    settings.META_APP_SECRET, settings.ONBOARDING_UNPROVEN = secret, partners
    tenant.unproven = tenants
    tenant.save()
    customer.goes_through("ids_only")
    customer.worker.later(11)
    assert customer.stop == stop
    assert customer.sees()["proven"] is None


@pytest.mark.parametrize("policy", ["review", "stop"])
def test_a_late_code_proves_and_the_attempt_goes_on_by_itself(
    customer: Customer, sandbox: Sandbox, settings: Any, policy: str
) -> None:
    settings.META_APP_SECRET, settings.ONBOARDING_UNPROVEN = "sandbox-app-secret", policy
    customer.starts()
    window = sandbox.finish(scenario="approve")
    customer.hands_over(window, code=False)
    customer.worker.later(11)
    assert customer.state in ("in_review", "needs_attention")
    customer.posts(code=window["code"], login_status="connected")
    customer.worker.run()
    assert (customer.state, customer.sees()["proven"]) == ("connected", True)


def test_a_proof_of_another_account_overrules_a_reviewers_yes(
    customer: Customer, sandbox: Sandbox, settings: Any, reviewer: User
) -> None:
    settings.META_APP_SECRET, settings.ONBOARDING_UNPROVEN = "sandbox-app-secret", "review"
    customer.starts()
    mine, other = sandbox.finish(scenario="approve"), sandbox.finish(scenario="approve")
    customer.hands_over(mine, code=False)
    customer.worker.later(11)
    customer.posts(code=other["code"], login_status="connected")
    services.approve(Onboarding.objects.get(), reviewer)
    customer.worker.run()
    assert customer.stop == ("needs_attention", "account_unconfirmed")
    assert Onboarding.objects.get().reason == "account_not_granted"
    assert sandbox.registers == 0
