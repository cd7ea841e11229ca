"""What Meta's window is filled in with: only where the tenant's flag says so, and whole or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

from onboarding import launch, prefill
from tenants.models import AuditEntry, Tenant, User
from tenants.models.prefill import PREFILL
from tests.conftest import pages_of

WHOLE = {
    "prefill": True, "prefill_name": "Cakes Ltd", "prefill_email": "john@cakes.example",
    "prefill_website": "https://cakes.example", "prefill_country": "ES",
}  # fmt: skip
MODE = "business_platform"
TENANTS = "/api/v1/tenants/"


def known(tenant: Tenant, **more: Any) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(**{**WHOLE, **more})
    tenant.refresh_from_db()
    return tenant


def setup_of(tenant: Tenant) -> Any:
    return launch.extras(MODE, tenant)["setup"]


def test_nothing_is_sent_unless_the_flag_is_on(tenant: Tenant) -> None:
    assert tenant.prefill is False
    assert setup_of(known(tenant, prefill=False)) == {"solutionID": "300000000000001"}


def test_the_company_is_sent_as_meta_writes_it(tenant: Tenant) -> None:
    known(
        tenant, prefill_street_1="Calle Mayor 1", prefill_city="Valencia", prefill_state="V",
        prefill_postal_code="46001", prefill_phone_code="34", prefill_phone_number="612345678",
        prefill_timezone="UTC+01:00",
    )  # fmt: skip
    assert setup_of(tenant) == {
        "solutionID": "300000000000001",
        "business": {
            "name": "Cakes Ltd", "email": "john@cakes.example",
            "website": "https://cakes.example", "timezone": "UTC+01:00",
            "address": {
                "streetAddress1": "Calle Mayor 1", "city": "Valencia", "state": "V",
                "zipPostal": "46001", "country": "ES",
            },
            "phone": {"code": 34, "number": "612345678"},
        },
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["name", "email", "website", "country"])
def test_a_company_that_is_not_whole_is_not_sent(tenant: Tenant, missing: str) -> None:
    known(tenant, prefill_city="Valencia", **{f"prefill_{missing}": ""})
    assert "business" not in setup_of(tenant)
    assert prefill.shown(tenant) == []


@pytest.mark.parametrize("missing", ["phone_code", "phone_number"])
def test_half_a_phone_is_not_sent(tenant: Tenant, missing: str) -> None:
    known(tenant, **{
        "prefill_phone_code": "34", "prefill_phone_number": "612345678", f"prefill_{missing}": "",
    })  # fmt: skip
    assert "phone" not in setup_of(tenant)["business"]
    assert not [each for each in prefill.shown(tenant) if "phone" in str(each["label"])]


def test_the_profile_is_sent_without_the_company(tenant: Tenant) -> None:
    known(
        tenant, prefill_email="", prefill_display_name="John's Cakes",
        prefill_category="RESTAURANT", prefill_description="Cakes.",
    )  # fmt: skip
    assert setup_of(tenant) == {
        "solutionID": "300000000000001",
        "phone": {
            "displayName": "John's Cakes", "category": "RESTAURANT", "description": "Cakes.",
        },
    }  # fmt: skip


def test_keys_of_the_partners_own_setting_stand(tenant: Tenant, settings: Any) -> None:
    own = {
        "setup": {"business": {"id": 7, "name": "From the setting"}, "x": 1}, "featureType": "",
    }  # fmt: skip
    settings.META_SIGNUP_EXTRAS = {MODE: own, "business_app": None}
    extras = launch.extras(MODE, known(tenant))
    assert (extras["featureType"], extras["setup"]["x"]) == ("", 1)
    business = extras["setup"]["business"]
    assert (business["id"], business["name"]) == (7, "From the setting")
    assert business["email"] == "john@cakes.example"
    assert own["setup"] == {"business": {"id": 7, "name": "From the setting"}, "x": 1}


def test_a_setting_without_a_setup_gets_one(tenant: Tenant, settings: Any) -> None:
    settings.META_SIGNUP_EXTRAS = {MODE: {}, "business_app": None}
    assert set(launch.extras(MODE, known(tenant))["setup"]) == {"business"}
    assert settings.META_SIGNUP_EXTRAS[MODE] == {}


def test_the_page_and_metas_page_are_given_it(api: APIClient, tenant: Tenant, owner: User) -> None:
    known(tenant)
    told = api.post("/api/v1/onboardings/", {"connection_mode": MODE}).json()
    assert told["launch"]["extras"]["setup"]["business"]["name"] == "Cakes Ltd"
    left = pages_of(owner).post("/connect/dialog/", {"onboarding": told["id"]})
    assert "Cakes+Ltd" in left["Location"]


def test_another_tenants_window_is_not_filled_in_with_it(
    stranger_api: APIClient, tenant: Tenant
) -> None:
    known(tenant)
    told = stranger_api.post("/api/v1/onboardings/", {"connection_mode": MODE})
    assert "Cakes Ltd" not in told.content.decode()


def test_the_customer_reads_what_is_filled_in(owner: User, tenant: Tenant) -> None:
    known(
        tenant, prefill_category="RESTAURANT", prefill_phone_code="34",
        prefill_phone_number="612345678",
    )  # fmt: skip
    page = pages_of(owner).get("/connect/?new").content.decode()
    assert "filled in with what your partner knows" in page
    for shown in ("Cakes Ltd", '<bdi dir="ltr">john@cakes.example</bdi>', "restaurants",
                  '<bdi dir="ltr">+34 612345678</bdi>'):  # fmt: skip
        assert shown in page
    known(tenant, prefill=False)
    page = pages_of(owner).get("/connect/?new").content.decode()
    assert "filled in" not in page
    assert "Cakes Ltd" not in page


@pytest.mark.parametrize(
    ("language", "country"),
    [("en", "Spain"), ("zh-hans", "西班牙"), ("es", "España"), ("pt-br", "Espanha"),
     ("id", "Spanyol"), ("ar", "إسبانيا")],
)  # fmt: skip
def test_the_country_is_named_in_the_customers_language(
    tenant: Tenant, language: str, country: str
) -> None:
    with translation.override(language):
        values = [each["value"] for each in prefill.shown(known(tenant))]
    assert country in values


# --- Who keeps it --------------------------------------------------------------------------------


def test_the_partners_backend_writes_and_reads_it(partner: APIClient, tenant: Tenant) -> None:
    sent = {"enabled": True, "name": "Cakes Ltd", "country": "ES", "category": "RETAIL"}
    told = partner.patch(f"{TENANTS}cakes/", {"prefill": sent}).json()["prefill"]
    assert {name: told[name] for name in sent} == sent
    assert told["email"] is None
    told = partner.patch(f"{TENANTS}cakes/", {"prefill": {"name": None}}).json()["prefill"]
    assert (told["enabled"], told["name"], told["country"]) == (True, None, "ES")
    made = partner.post(TENANTS, {"name": "New", "prefill": sent}).json()
    assert made["prefill"]["name"] == "Cakes Ltd"


def test_the_api_shows_exactly_these(partner: APIClient, tenant: Tenant) -> None:
    told = partner.get(f"{TENANTS}cakes/").json()["prefill"]
    assert list(told) == [
        "enabled", "name", "email", "website", "country", "street_1", "street_2", "city", "state",
        "postal_code", "phone_code", "phone_number", "timezone", "display_name", "category",
        "description",
    ]  # fmt: skip


WRONG = [
    ("country", "XX"), ("country", "es"), ("country", "ESP"), ("email", "no"),
    ("website", "javascript:alert(1)"), ("website", "cakes"), ("phone_code", "+34"),
    ("phone_code", "0"), ("phone_number", "612 345"), ("timezone", "Europe/Madrid"),
    ("timezone", "UTC+25:00"), ("category", "CAKES"), ("name", "x" * 101),
    ("description", "x" * 513),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_makes_no_sense_is_a_400(
    partner: APIClient, tenant: Tenant, name: str, value: str
) -> None:
    answer = partner.patch(f"{TENANTS}cakes/", {"prefill": {name: value}})
    assert answer.status_code == 400
    told = answer.json()["error"]["fields"]
    assert list(told) == [f"prefill.{name}"]
    assert all(isinstance(text, str) for text in told[f"prefill.{name}"])
    tenant.refresh_from_db()
    assert getattr(tenant, f"prefill_{name}") == ""


@pytest.mark.parametrize("sent", [{"enabled": None}, {"name": 5}, None, [], "on"])
def test_the_wrong_kind_of_thing_is_a_400(partner: APIClient, tenant: Tenant, sent: Any) -> None:
    answer = partner.patch(f"{TENANTS}cakes/", {"prefill": sent})
    assert answer.status_code == 400
    inner = "".join(f".{name}" for name in sent) if isinstance(sent, dict) else ""
    assert list(answer.json()["error"]["fields"]) == [f"prefill{inner}"]


def form(client: Client, tenant: Tenant) -> tuple[str, dict[str, Any]]:
    address = f"/admin/tenants/tenant/{tenant.pk}/change/"
    shown = client.get(address).context["adminform"].form.initial
    kept = {name: value for name, value in shown.items() if value not in (None, False)}
    inline = "memberships"
    return address, {
        **kept, f"{inline}-TOTAL_FORMS": "0", f"{inline}-INITIAL_FORMS": "0",
    }  # fmt: skip


def test_staff_write_it_in_the_admin_and_the_trail_holds_none_of_it(
    reviewer: User, tenant: Tenant
) -> None:
    client = pages_of(reviewer)
    address, kept = form(client, tenant)
    page = client.get(address).content.decode()
    assert "It is personal data" in page
    answer = client.post(address, {**kept, **WHOLE, "prefill": "on"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    tenant.refresh_from_db()
    assert (tenant.prefill, tenant.prefill_name) == (True, "Cakes Ltd")
    entry = AuditEntry.objects.get(act="tenant.changed")
    assert entry.after["prefill"] is True
    assert "Cakes Ltd" not in json.dumps(entry.after)
    assert "john@" not in json.dumps(entry.after)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_the_admin_refuses_what_makes_no_sense(
    reviewer: User, tenant: Tenant, name: str, value: str
) -> None:
    client = pages_of(reviewer)
    address, kept = form(client, tenant)
    answer = client.post(address, {**kept, f"prefill_{name}": value})
    assert f"prefill_{name}" in answer.context["adminform"].form.errors


def test_the_api_leaves_no_data_in_the_trail(partner: APIClient, tenant: Tenant) -> None:
    partner.patch(f"{TENANTS}cakes/", {"prefill": {"enabled": True, "name": "Cakes Ltd"}})
    entry = AuditEntry.objects.get(act="tenant.changed")
    assert entry.after["changed"] == ["prefill", "prefill_name"]
    assert "Cakes Ltd" not in json.dumps([entry.before, entry.after])


def test_there_is_a_column_for_each_name() -> None:
    assert len(PREFILL) == 15
