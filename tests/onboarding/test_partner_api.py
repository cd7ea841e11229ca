"""The partner's backend: tenants, links, onboardings, accounts and numbers by key."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding, PhoneNumber, SignupLink, WhatsAppBusinessAccount
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.conftest import Sandbox, Worker, api_of, partner_api

V1 = "/api/v1"
TENANTS, LINKS, ONBOARDINGS = f"{V1}/tenants/", f"{V1}/signup-links/", f"{V1}/onboardings/"
ACCOUNTS, NUMBERS = f"{V1}/business-accounts/", f"{V1}/phone-numbers/"
LISTS = [TENANTS, LINKS, ONBOARDINGS, ACCOUNTS, NUMBERS]


def error(answer: Any) -> Any:
    return answer.json()["error"]


def listed(answer: Any, field: str) -> list[Any]:
    return [each[field] for each in answer.json()["results"]]


def number_of(tenant: Tenant, waba_id: str, phone_number_id: str, **more: Any) -> PhoneNumber:
    account, _ = WhatsAppBusinessAccount.objects.get_or_create(
        waba_id=waba_id, defaults={"tenant": tenant, "name": "Cakes"}
    )
    return PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id=phone_number_id, **more
    )


# --- Tenants -------------------------------------------------------------------------------------


def test_a_tenant_is_created_from_its_name_alone(partner: APIClient) -> None:
    answer = partner.post(TENANTS, {"name": "John's Cake Shop"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {
        "slug", "name", "external_id", "approval", "unproven", "language", "prefill",
        "ycloud_account", "created_at",
    }  # fmt: skip
    assert (body["slug"], body["approval"], body["external_id"]) == ("johns-cake-shop", None, None)
    entry = AuditEntry.objects.get(act="tenant.created")
    assert entry.actor.startswith("key:onb_")
    assert "Cake Shop" not in str(entry.after), "audit entries hold no names"


def test_two_tenants_of_one_name_get_two_slugs(partner: APIClient) -> None:
    slugs = {partner.post(TENANTS, {"name": "Cakes"}).json()["slug"] for _ in range(3)}
    assert slugs == {"cakes", "cakes-2", "cakes-3"}
    assert partner.post(TENANTS, {"name": "蛋糕"}).json()["slug"] == "tenant"


@pytest.mark.parametrize("field", ["slug", "external_id"])
def test_a_slug_or_external_id_in_use_is_a_409(partner: APIClient, field: str) -> None:
    assert partner.post(TENANTS, {"name": "One", field: "x-1"}).status_code == 201
    answer = partner.post(TENANTS, {"name": "Two", field: "x-1"})
    assert (answer.status_code, error(answer)["code"]) == (409, f"{field}_taken")
    assert Tenant.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "name"), ({"name": 5}, "name"), ({"name": ""}, "name"), ({"name": "a\0b"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "x", "slug": "a b"}, "slug"), ({"name": "x", "approval": "often"}, "approval"),
        ({"name": "x", "external_id": 7}, "external_id"),
    ],
)  # fmt: skip
def test_a_tenant_that_makes_no_sense_is_a_400_by_field(
    partner: APIClient, sent: Any, field: str
) -> None:
    answer = partner.post(TENANTS, sent)
    assert (answer.status_code, list(error(answer)["fields"])) == (400, [field])
    assert not Tenant.objects.exists()


def test_a_tenant_is_changed_field_by_field(partner: APIClient, tenant: Tenant) -> None:
    answer = partner.patch(f"{TENANTS}cakes/", {"approval": "always", "external_id": "crm-1"})
    assert (answer.status_code, answer.json()["approval"]) == (200, "always")
    assert answer.json()["name"] == "John's Cake Shop"
    entry = AuditEntry.objects.get(act="tenant.changed")
    assert (entry.before["approval"], entry.after["approval"]) == ("", "always")
    assert partner.patch(f"{TENANTS}cakes/", {"approval": None}).json()["approval"] is None


def test_a_change_that_changes_nothing_is_not_audited(partner: APIClient, tenant: Tenant) -> None:
    assert partner.patch(f"{TENANTS}cakes/", {"name": tenant.name}).status_code == 200
    assert not AuditEntry.objects.filter(act="tenant.changed").exists()


def test_a_tenant_is_found_by_slug_and_by_external_id(partner: APIClient, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(external_id="crm-1")
    assert partner.get(f"{TENANTS}cakes/").json()["external_id"] == "crm-1"
    assert listed(partner.get(TENANTS, {"external_id": "crm-1"}), "slug") == ["cakes"]
    assert listed(partner.get(TENANTS, {"external_id": "crm-2"}), "slug") == []
    assert partner.get(f"{TENANTS}nobody/").status_code == 404


# --- Signup links --------------------------------------------------------------------------------


def test_a_link_is_made_for_the_named_tenant_and_its_address_shown_once(
    partner: APIClient, tenant: Tenant
) -> None:
    sent = {
        "tenant": "cakes",
        "connection_mode": "business_app",
        "expected_number": "+4915112345678",
    }
    body = partner.post(LINKS, sent).json()
    assert APIClient().get(body["url"]).status_code == 302
    link = SignupLink.objects.get()
    assert (body["id"], body["tenant"], body["state"]) == (str(link.public_id), "cakes", "open")
    shown = partner.get(f"{LINKS}{body['id']}/").json()
    assert "url" not in shown
    assert shown["expected_number"] == "+4915112345678"
    assert listed(partner.get(LINKS), "id") == [body["id"]]


def test_the_answer_says_which_earlier_links_have_ended(partner: APIClient, tenant: Tenant) -> None:
    first = partner.post(LINKS, {"tenant": "cakes"}).json()
    assert first["ended"] == []
    APIClient().get(first["url"])
    Onboarding.objects.create(
        tenant=tenant, link=SignupLink.objects.get(), state="in_review",
        launched_at=timezone.now(), connection_mode="business_platform",
    )  # fmt: skip
    (ended,) = partner.post(LINKS, {"tenant": "cakes"}).json()["ended"]
    assert (ended["id"], ended["state"], ended["times_opened"], ended["under_way"]) == (
        first["id"], "revoked", 1, 1,
    )  # fmt: skip
    assert "url" not in ended


def test_a_link_has_a_language_a_letter_and_a_life(partner: APIClient, tenant: Tenant) -> None:
    sent = {"tenant": "cakes", "language": "es", "email": "john@cakes.example"}
    body = partner.post(LINKS, {**sent, "expires_in_days": 2}).json()
    assert (body["language"], body["email"]) == ("es", "john@cakes.example")
    assert body["mail"]
    link = SignupLink.objects.get()
    assert (link.expires_at - link.created_at).days in (1, 2)
    assert link.made_by == "key"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "xx"), ("email", "john"), ("expires_in_days", 0), ("expires_in_days", 31),
        ("expires_in_days", 10**30),
        ("expires_in_days", "2"), ("expires_in_days", True), ("email", 5),
        ("expected_number", "123"), ("expected_number", "+9990000000"),
        ("connection_mode", "fax"),
    ],
)  # fmt: skip
def test_a_link_that_makes_no_sense_is_a_400_by_field(
    partner: APIClient, tenant: Tenant, field: str, value: Any
) -> None:
    answer = partner.post(LINKS, {"tenant": "cakes", field: value})
    assert (answer.status_code, list(error(answer)["fields"])) == (400, [field])
    assert not SignupLink.objects.exists()


def test_a_key_names_the_tenant_of_a_link_and_of_an_onboarding(
    partner: APIClient, tenant: Tenant
) -> None:
    for url, sent in ((LINKS, {}), (ONBOARDINGS, {"connection_mode": "business_app"})):
        answer = partner.post(url, sent)
        assert (answer.status_code, list(error(answer)["fields"])) == (400, ["tenant"])
        assert partner.post(url, {**sent, "tenant": "nobody"}).status_code == 404


def test_a_revoked_link_lets_nobody_in_and_may_be_revoked_again(
    partner: APIClient, tenant: Tenant
) -> None:
    link, token = services.create_link(tenant)
    guest = APIClient()
    guest.get(f"/s/{token}/")
    for _ in range(2):
        answer = partner.post(f"{LINKS}{link.public_id}/revoke/")
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert APIClient().get(f"/s/{token}/").status_code == 410
    assert guest.get(ONBOARDINGS).status_code == 401
    assert AuditEntry.objects.get(act="link.revoked").actor.startswith("key:onb_")


def test_an_owner_manages_the_links_of_their_tenant(
    api: APIClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    services.create_link(other_tenant)
    made = api.post(LINKS, {"connection_mode": "business_app"}).json()
    assert made["tenant"] == "cakes"
    assert listed(api.get(LINKS), "id") == [made["id"]]
    assert api.post(f"{LINKS}{made['id']}/revoke/").json()["state"] == "revoked"


def test_a_member_who_is_no_owner_gets_a_403_for_links(member: User, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    api = api_of(member)
    answers = [
        api.get(LINKS), api.post(LINKS, {}), api.get(f"{LINKS}{link.public_id}/"),
        api.post(f"{LINKS}{link.public_id}/revoke/"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [403] * 4
    assert SignupLink.objects.get().revoked_at is None


def test_an_owner_elsewhere_sees_only_the_links_they_own(
    member: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=member, tenant=other_tenant, role=Membership.Role.OWNER)
    services.create_link(tenant)
    theirs, _ = services.create_link(other_tenant)
    assert listed(api_of(member).get(LINKS), "id") == [str(theirs.public_id)]


# --- Onboardings ---------------------------------------------------------------------------------


def test_a_key_starts_reads_and_withdraws_an_onboarding_of_any_tenant(
    partner: APIClient, tenant: Tenant
) -> None:
    started = partner.post(ONBOARDINGS, {"connection_mode": "business_app", "tenant": "cakes"})
    assert started.status_code == 201
    assert started.json()["launch"]
    one = f"{ONBOARDINGS}{started.json()['id']}/"
    assert partner.get(one).json()["tenant"] == "cakes"
    ended = partner.post(f"{one}withdraw/")
    assert ended.json()["state"] == "cancelled"
    row = Onboarding.objects.get()
    assert {move.actor.split("_")[0] for move in row.transitions.all()} == {"key:onb"}


def test_a_key_reuses_its_own_attempt_never_a_persons_or_a_guests(
    partner: APIClient, api: APIClient, guest_api: APIClient
) -> None:
    sent = {"connection_mode": "business_app", "tenant": "cakes"}
    others = {
        api.post(ONBOARDINGS, sent).json()["id"],
        guest_api.post(ONBOARDINGS, sent).json()["id"],
    }
    first = partner.post(ONBOARDINGS, sent).json()["id"]
    assert first not in others
    again = partner.post(ONBOARDINGS, sent)
    assert (again.status_code, again.json()["id"]) == (200, first)


def test_a_key_may_host_the_signup_itself(
    partner: APIClient, tenant: Tenant, sandbox: Sandbox, worker: Worker
) -> None:
    sent = {"connection_mode": "business_platform", "tenant": "cakes"}
    one = f"{ONBOARDINGS}{partner.post(ONBOARDINGS, sent).json()['id']}/"
    window = sandbox.finish(scenario="approve")
    result = {n: window[n] for n in ("code", "waba_id", "phone_number_id", "event")}
    assert partner.post(f"{one}signup/", result).status_code == 202
    worker.run()
    assert partner.get(one).json()["state"] == "connected"
    assert listed(partner.get(NUMBERS, {"healthy": "true"}), "tenant") == ["cakes"]
    assert listed(partner.get(ACCOUNTS), "waba_id") == [window["waba_id"]]


def test_customers_read_that_their_partner_did_it_not_which_key(
    partner: APIClient, api: APIClient, tenant: Tenant
) -> None:
    sent = {"connection_mode": "business_app", "tenant": "cakes"}
    one = f"{ONBOARDINGS}{partner.post(ONBOARDINGS, sent).json()['id']}/"
    partner.post(f"{one}signup/", {"event": "LAUNCHED"})
    timeline = api.get(f"{one}timeline/")
    assert listed(timeline, "actor") == ["partner", "partner"]
    assert "onb_" not in timeline.content.decode()


def test_a_backend_that_polls_is_nobody_at_the_page(
    partner: APIClient, api: APIClient, tenant: Tenant
) -> None:
    from onboarding import quota

    one = api.post(ONBOARDINGS, {"connection_mode": "business_app"}).json()["id"]
    row = Onboarding.objects.get()
    partner.get(f"{ONBOARDINGS}{one}/")
    assert not quota.is_at_page(row.pk)
    api.get(f"{ONBOARDINGS}{one}/")
    assert quota.is_at_page(row.pk)


def test_onboardings_are_narrowed_by_each_filter(
    partner: APIClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    number = number_of(tenant, "111", "222", e164="+4915112345678")
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="needs_attention",
        reason="account_held", claimed_waba_id="111", number=number,
    )  # fmt: skip
    Onboarding.objects.create(tenant=other_tenant, connection_mode="business_platform")
    day = row.created_at.isoformat()
    fits = [
        {"tenant": "cakes"}, {"state": "needs_attention"}, {"connection_mode": "business_app"},
        {"waba_id": "111"}, {"phone_number": "+4915112345678"}, {"reason": "account_unconfirmed"},
        {"tenant": "cakes", "created_after": day},
    ]  # fmt: skip
    for query in fits:
        assert listed(partner.get(ONBOARDINGS, query), "id") == [str(row.public_id)], query
    for query in (
        {"tenant": "nobody"},
        {"waba_id": "9"},
        {"created_before": "2020-01-01T00:00:00Z"},
    ):
        assert listed(partner.get(ONBOARDINGS, query), "id") == [], query


def test_a_filter_by_a_reason_for_staff_only_tells_nothing(api: APIClient, tenant: Tenant) -> None:
    Onboarding.objects.create(
        tenant=tenant,
        connection_mode="business_app",
        state="needs_attention",
        reason="account_held",
    )
    answer = api.get(ONBOARDINGS, {"reason": "account_held"})
    assert (answer.status_code, list(error(answer)["fields"])) == (400, ["reason"])
    assert len(api.get(ONBOARDINGS, {"reason": "account_unconfirmed"}).json()["results"]) == 1


# --- Accounts and numbers ------------------------------------------------------------------------


def test_numbers_are_narrowed_by_each_filter(
    partner: APIClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    at = "2026-11-24T10:00:00Z"
    number_of(tenant, "1", "10", e164="+4915112345678", status="CONNECTED", connected_at=at)
    number_of(other_tenant, "2", "20", status="BANNED", connected_at=at, health="health_banned")
    number_of(other_tenant, "2", "21", status="PENDING")
    fits = {
        "10": [{"tenant": "cakes"}, {"waba_id": "1"}, {"status": "CONNECTED"},
               {"e164": "+4915112345678"}, {"healthy": "true"}],
        "20": [{"healthy": "false"}, {"tenant": "other", "status": "BANNED"}],
    }  # fmt: skip
    for found, queries in fits.items():
        for query in queries:
            assert listed(partner.get(NUMBERS, query), "phone_number_id") == [found], query
    assert partner.get(f"{NUMBERS}21/").json()["healthy"] is None
    assert partner.get(f"{NUMBERS}20/").json()["health"] == "health_banned"


def test_a_member_reads_the_accounts_and_numbers_of_their_own_tenants(
    member: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    number_of(tenant, "1", "10")
    number_of(other_tenant, "2", "20")
    api = api_of(member)
    assert listed(api.get(ACCOUNTS), "waba_id") == ["1"]
    assert listed(api.get(NUMBERS), "phone_number_id") == ["10"]
    assert api.get(f"{NUMBERS}10/").json()["tenant"] == "cakes"
    assert listed(api.get(NUMBERS, {"tenant": "other"}), "phone_number_id") == []


@pytest.mark.parametrize("url", [TENANTS, LINKS, ACCOUNTS, NUMBERS])
def test_what_is_not_for_a_guest_is_not_there(
    guest_api: APIClient, tenant: Tenant, url: str
) -> None:
    number_of(tenant, "1", "1")
    link = SignupLink.objects.get()
    one = {TENANTS: "cakes", LINKS: link.public_id, ACCOUNTS: "1", NUMBERS: "1"}[url]
    for address in (url, f"{url}{one}/"):
        answer = guest_api.get(address)
        assert (answer.status_code, error(answer)["code"]) == (404, "not_found")


STRANGE = [
    ("get", f"{TENANTS}cakes/"), ("patch", f"{TENANTS}cakes/"), ("get", TENANTS),
    ("post", TENANTS), ("get", f"{LINKS}{{link}}/"), ("post", f"{LINKS}{{link}}/revoke/"),
    ("get", f"{ACCOUNTS}1/"), ("get", f"{NUMBERS}1/"),
    ("post", f"{ONBOARDINGS}{{row}}/search/"), ("post", f"{ONBOARDINGS}{{row}}/reconnect/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url"), STRANGE)
def test_a_stranger_finds_nothing(
    stranger_api: APIClient, tenant: Tenant, method: str, url: str
) -> None:
    number_of(tenant, "1", "1")
    link, _ = services.create_link(tenant)
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app")
    for ids in ((link.public_id, row.public_id), (uuid4(), uuid4())):
        path = url.format(link=ids[0], row=ids[1])
        answer = getattr(stranger_api, method)(path, {"name": "x"} if method != "get" else None)
        assert answer.status_code == 404
    assert SignupLink.objects.get().revoked_at is None
    assert Tenant.objects.get(pk=tenant.pk).name == "John's Cake Shop"


def test_a_stranger_makes_no_link_for_another_tenant(
    stranger_api: APIClient, tenant: Tenant
) -> None:
    assert stranger_api.post(LINKS, {"tenant": "cakes"}).status_code == 404
    assert not SignupLink.objects.exists()


SCOPED = [
    ("get", TENANTS, "tenants:read"), ("post", TENANTS, "tenants:write"),
    ("patch", f"{TENANTS}cakes/", "tenants:write"), ("get", LINKS, "links:read"),
    ("post", LINKS, "links:write"), ("post", f"{LINKS}{uuid4()}/revoke/", "links:write"),
    ("get", ONBOARDINGS, "onboardings:read"), ("post", ONBOARDINGS, "onboardings:write"),
    ("post", f"{ONBOARDINGS}{uuid4()}/withdraw/", "onboardings:write"),
    ("get", f"{ONBOARDINGS}{uuid4()}/timeline/", "onboardings:read"),
    ("get", ACCOUNTS, "accounts:read"), ("get", NUMBERS, "numbers:read"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "scope"), SCOPED)
def test_each_operation_asks_its_own_scope(
    tenant: Tenant, method: str, url: str, scope: str
) -> None:
    from tenants.models import ApiKey

    others = [each for each in ApiKey.Scope.values if each != scope]
    refused = getattr(partner_api(*others), method)(url)
    assert (refused.status_code, error(refused)["code"]) == (403, "scope_missing")
    assert scope in error(refused)["message"]
    assert getattr(partner_api(scope), method)(url).status_code in (200, 400, 404)


# --- Lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": ""}, {"limit": "9" * 500},
        {"limit": "00001000"}, {"limit": "１"}, {"cursor": ""}, {"cursor": "!"}, {"cursor": "x y"},
        {"cursor": base64.b64encode(b"p=yesterday").decode()},
        {"cursor": base64.b64encode(b"p=2026-13-45T00:00:00Z").decode()},
        {"cursor": base64.b64encode(b"p=2026-01-01").decode()},
        {"cursor": base64.b64encode(b"o=x").decode()},
        {"cursor": base64.b64encode(b"p=%00").decode()},
        {"tenat": "cakes"}, {"tenat": "\0"},
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_a_400_by_name(
    partner: APIClient, url: str, query: dict[str, str]
) -> None:
    answer = partner.get(url, query)
    assert (answer.status_code, list(error(answer)["fields"])) == (400, list(query))


@pytest.mark.parametrize(
    ("url", "query"),
    [
        (ONBOARDINGS, {"state": "done"}), (ONBOARDINGS, {"reason": "x"}),
        (ONBOARDINGS, {"connection_mode": ""}), (ONBOARDINGS, {"created_after": "yesterday"}),
        (ONBOARDINGS, {"created_before": "0001-01-01T00:00:00+14:00"}),
        (ONBOARDINGS, {"waba_id": "x"}), (ONBOARDINGS, {"phone_number": "123"}),
        (ONBOARDINGS, {"tenant": "a\0"}), (LINKS, {"tenant": "a b"}),
        (TENANTS, {"external_id": ""}),
        (ACCOUNTS, {"tenant": ""}), (NUMBERS, {"status": "connected"}),
        (NUMBERS, {"healthy": "maybe"}), (NUMBERS, {"e164": "+0"}),
        (NUMBERS, {"waba_id": "1" * 41}),
    ],
)  # fmt: skip
def test_an_unknown_filter_value_is_a_400_that_names_the_field(
    partner: APIClient, url: str, query: dict[str, str]
) -> None:
    answer = partner.get(url, query)
    assert (answer.status_code, list(error(answer)["fields"])) == (400, list(query))


def test_a_list_goes_on_by_its_cursor_newest_first_and_back(partner: APIClient) -> None:
    slugs = [partner.post(TENANTS, {"name": f"t{n}"}).json()["slug"] for n in range(5)]
    seen, address = [], f"{TENANTS}?limit=2"
    while address:
        page = partner.get(address)
        seen += listed(page, "slug")
        last, address = page.json(), page.json()["next"]
    assert seen == slugs[::-1]
    assert listed(partner.get(last["previous"]), "slug") == ["t2", "t1"]


@pytest.mark.parametrize("url", [LINKS, ACCOUNTS, NUMBERS, TENANTS])
def test_a_list_costs_the_same_for_one_row_and_for_many(partner: APIClient, url: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert partner.get(url).json()["results"]
        return len(seen)

    def fill(n: int) -> None:
        tenant = Tenant.objects.create(name=f"t{n}", slug=f"t{n}")
        services.create_link(tenant)
        number_of(tenant, f"{n}", f"{n}")

    fill(1)
    queries()
    one = queries()
    for n in range(2, 6):
        fill(n)
    assert queries() == one


# --- The envelope --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b"5", b"null", b"\xff\xfe", b'{"name": NaN}', b'{"name": 1e999}',
        b"[" * 50_000, b'{"name": ' + b"9" * 5000 + b"}", b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}', b'{"name": {"a": 1}}', b'{"name": true}', b'{"name": null}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", [TENANTS, LINKS, ONBOARDINGS])
def test_a_body_that_makes_no_sense_is_a_400_in_the_envelope(
    partner: APIClient, url: str, body: bytes
) -> None:
    answer = partner.post(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert error(answer)["code"] in ("invalid", "parse_error")
    assert error(answer)["request_id"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "nonsense"]
)
def test_only_json_is_taken(partner: APIClient, kind: str) -> None:
    answer = partner.post(TENANTS, b"name=x", content_type=kind)
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["utf-16", "rot13", "base64", "hex", "nonsense"])
def test_json_is_read_as_utf8_whatever_the_charset_says(partner: APIClient, charset: str) -> None:
    answer = partner.post(
        TENANTS, b'{"name": "x"}', content_type=f"application/json; charset={charset}"
    )
    assert answer.status_code == 201


def test_a_malformed_form_of_a_session_is_told_in_the_envelope(owner: User) -> None:
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(owner, backend="tenants.login.Backend")
    for kind in ("multipart/form-data", "application/x-www-form-urlencoded; charset=utf-16"):
        answer = api.post(ONBOARDINGS, b"x", content_type=kind)
        assert answer.status_code in (400, 403, 415)
        assert error(answer)["code"]


def test_only_json_is_answered(partner: APIClient) -> None:
    answer = partner.get(TENANTS, headers={"Accept": "text/html"})
    assert (answer.status_code, error(answer)["code"]) == (406, "not_acceptable")


def test_a_body_without_end_is_a_413(partner: APIClient, settings: Any) -> None:
    answer = partner.post(TENANTS, {"name": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    assert (answer.status_code, error(answer)["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v2/onboardings/", "/api/v1/tenants/a%00b/", "/api/v1/signup-links/1/",
     f"/api/v1/onboardings/{'-' * 36}/", "/api/v1/phone-numbers/x/", "/api/v1/tenants"],
)  # fmt: skip
def test_every_other_address_is_a_404_in_the_envelope(partner: APIClient, path: str) -> None:
    for method in ("get", "post"):
        answer = getattr(partner, method)(path)
        assert (answer.status_code, error(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "url"),
    [("delete", TENANTS), ("put", f"{TENANTS}cakes/"), ("delete", f"{TENANTS}cakes/"),
     ("patch", LINKS), ("post", ACCOUNTS), ("post", f"{NUMBERS}1/"), ("put", ONBOARDINGS)],
)  # fmt: skip
def test_a_method_that_is_none_is_a_405_in_the_envelope(
    partner: APIClient, method: str, url: str
) -> None:
    answer = getattr(partner, method)(url, {}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, error(answer)["code"]) == (405, "method_not_allowed")


# --- Limits --------------------------------------------------------------------------------------


def test_each_answer_tells_how_the_key_stands(partner: APIClient, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 60
    answers = [partner.get(TENANTS) for _ in range(2)]
    assert [answer["RateLimit-Limit"] for answer in answers] == ["60", "60"]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["59", "58"]
    assert 0 < int(answers[1]["RateLimit-Reset"]) <= 60


def test_too_many_requests_are_a_429_with_the_time_to_wait(tenant: Tenant, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 2
    partner, other = partner_api(), partner_api()
    assert [partner.get(TENANTS).status_code for _ in range(3)] == [200, 200, 429]
    refused = partner.get(TENANTS)
    assert (error(refused)["code"], refused["RateLimit-Remaining"]) == ("throttled", "0")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert other.get(TENANTS).status_code == 200, "each key has its own"
    cache.clear()
    assert partner.get(TENANTS).status_code == 200


def test_what_metas_window_gave_is_not_held_up_by_other_requests(
    api: APIClient, settings: Any
) -> None:
    settings.API_RATE_PER_MINUTE = 1
    started = api.post(ONBOARDINGS, {"connection_mode": "business_app"}).json()
    one = f"{ONBOARDINGS}{started['id']}/"
    assert api.get(one).status_code == 429
    answers = [api.post(f"{one}signup/", {"event": "LAUNCHED"}) for _ in range(60)]
    assert {answer.status_code for answer in answers} == {202}


def test_results_for_made_up_attempts_count_like_anything_else(
    api: APIClient, settings: Any
) -> None:
    settings.API_RATE_PER_MINUTE = 2
    made_up = [api.post(f"{ONBOARDINGS}{uuid4()}/signup/", {}).status_code for _ in range(3)]
    assert made_up == [404, 404, 429]
