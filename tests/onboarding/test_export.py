"""`export_tenant`: everything of the tenant, nothing of anybody else, and never a secret."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    SignupLink,
    WhatsAppBusinessAccount,
)
from onboarding.services import export
from tenants.models import AuditEntry, Tenant, TenantOwned, User
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def exported(slug: str = "cakes") -> str:
    out = StringIO()
    call_command("export_tenant", slug, stdout=out)
    return out.getvalue()


def test_it_holds_all_that_the_tenant_has(
    customer: Customer, tenant: Tenant, member: User, reviewer: User
) -> None:
    window = customer.goes_through("approve")
    services.create_link(tenant, created_by=reviewer, expected_number="+34600000000")
    told = json.loads(exported())
    assert (told["format"], told["version"]) == ("whatsapp-onboarding-tenant", 1)
    assert told["tenant"]["slug"] == "cakes"
    assert {m["email"]: m["role"] for m in told["members"]} == {
        "owner@cakes.example": "owner", "member@cakes.example": "member",
    }  # fmt: skip
    (row,) = told["onboardings"]
    assert (row["id"], row["state"], row["waba_id"]) == (
        customer.id, "connected", window["waba_id"],
    )  # fmt: skip
    assert [entry["state"] for entry in row["timeline"]][-1] == "connected"
    assert [a["waba_id"] for a in told["business_accounts"]] == [window["waba_id"]]
    assert [n["phone_number_id"] for n in told["phone_numbers"]] == [window["phone_number_id"]]
    assert [link["expected_number"] for link in told["signup_links"]] == ["+34600000000"]


def test_it_holds_no_secret_and_no_name_of_staff(
    customer: Customer, tenant: Tenant, owner: User, reviewer: User
) -> None:
    customer.goes_through("approve")
    Onboarding.objects.update(code="a-code-that-waits")
    _, token = services.create_link(tenant, created_by=reviewer)
    sealed = Onboarding.objects.extra(select={"raw": "code"}).values_list("raw", flat=True)[0]
    owner.refresh_from_db()
    text = exported()
    link = SignupLink.objects.get()
    hidden = ("a-code-that-waits", str(sealed), token, link.token_hash, owner.password)
    for secret in (*hidden, reviewer.username):
        assert secret not in text


def test_it_holds_nothing_of_another_tenant(
    customer: Customer, stranger_api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    """Both want one account; what staff know of that is in neither export."""
    customer.goes_through("approve")
    second = Customer(stranger_api, sandbox, worker)
    second.goes_through("second_tenant")
    for slug, other in (("cakes", "other"), ("other", "cake")):
        assert other not in exported(slug).lower().replace("another", "")
    assert "account_held" not in exported("other")


def test_what_holds_is_told_with_its_time_and_as_customers_read_it(tenant: Tenant) -> None:
    since = dict.fromkeys(("payment_missing", "account_review_new"), "2026-11-01T10:00:00+00:00")
    account = WhatsAppBusinessAccount.objects.create(
        tenant=tenant, waba_id="4000", payment_method_attached=False,
        account_review_status="A_WORD_OF_TOMORROW", standing="due", standing_since=since,
    )  # fmt: skip
    PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="5000", e164="+34612345678",
        quality="RED",
    )  # fmt: skip
    text = exported()
    told = json.loads(text)
    (due,) = told["business_accounts"][0]["requirements"]
    assert (due["code"], due["standing"], due["since"]) == (
        "payment_missing", "due", "2026-11-01T10:00:00Z",
    )  # fmt: skip
    assert [each["code"] for each in told["phone_numbers"][0]["requirements"]]
    assert "account_review_new" not in text


def test_a_file_is_new_and_for_its_owner_only(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "cakes.json"
    call_command("export_tenant", "cakes", output=str(path), stdout=StringIO())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["tenant"]["name"] == tenant.name
    with pytest.raises(CommandError, match="not written over"):
        call_command("export_tenant", "cakes", output=str(path))


def test_an_export_is_audited(tenant: Tenant) -> None:
    exported()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.act, entry.tenant_slug) == ("command", "tenant.exported", "cakes")


def test_an_unknown_slug_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="no tenant"):
        call_command("export_tenant", "nobody")


LEFT_OUT = {
    # Secrets, hashes, keys of rows, and what only steers the worker.
    "Onboarding": {"id", "public_id", "tenant", "started_by", "link", "version", "launch_id",
                   "code", "code_received_at", "dialog_hash", "dialog_at", "code_by_dialog",
                   "business_account", "number", "choices",
                   "approved_by", "next_look_at", "lease_until", "fence", "wakes", "looks",
                   "faults", "ycloud_account",
                   "assigned_to"},  # who of the partner's staff looks after it is theirs to know
    "SignupLink": {"id", "public_id", "tenant", "token_hash", "created_by", "sealed_token",
                   "mail_at"},
    "Invitation": {"id", "public_id", "tenant", "token_hash", "invited_by", "created_at"},
    # What holds of them is told as customers read it: some conditions are for staff alone.
    "WhatsAppBusinessAccount": {"id", "tenant", "ycloud_account", "asked_at", "standing",
                                "standing_since"},
    "PhoneNumber": {"id", "tenant", "business_account", "proof", "suspected", "next_look_at",
                    "standing", "standing_since"},
    "Notice": {"id", "tenant", "key", "number", "onboarding", "user", "address", "claimed_at",
               "letter"},
    "MailAddress": {"id", "tenant", "onboarding", "token_hash", "token_expires_at"},
    "Tenant": {"id"},
}  # fmt: skip
WHOLLY_LEFT_OUT = {
    "MetaToken",  # a secret
    "OutboundEvent",  # what the partner was told: the same moves, in the partner's words
}


def test_each_column_is_exported_or_left_out_on_purpose() -> None:
    told = {
        "Onboarding": export._ONBOARDING, "SignupLink": export._LINK,
        "Invitation": export._INVITATION, "WhatsAppBusinessAccount": export._ACCOUNT,
        "PhoneNumber": export._NUMBER, "Notice": export._NOTICE,
        "MailAddress": export._ADDRESS, "Tenant": export._TENANT,
    }  # fmt: skip
    owned = {m for m in apps.get_models() if issubclass(m, TenantOwned)} | {Tenant}
    for model in owned:
        name = model.__name__
        if name in WHOLLY_LEFT_OUT:
            continue
        columns = {field.name for field in model._meta.concrete_fields}
        assert columns - set(told[name]) == LEFT_OUT[name], name
