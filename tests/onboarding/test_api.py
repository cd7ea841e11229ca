"""The API's contract: names, errors, ETags, and that a stranger finds nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.fields import DateTimeField
from rest_framework.test import APIClient

from onboarding import services
from onboarding.api.serializers import (
    LaunchedOnboardingSerializer,
    OnboardingSerializer,
    moment,
)
from onboarding.models import Onboarding, SignupEvent
from tenants.models import Membership, Tenant, User
from tests.conftest import Sandbox, Worker, api_of, pages_of

API = "/api/v1/onboardings/"
FIELDS = {
    "id", "tenant", "connection_mode", "state", "reason", "waba_id", "account_name",
    "phone_number_id", "phone_number", "number_status", "quality", "messaging_limit", "proven",
    "requirements", "choices", "created_at", "launched_at", "updated_at", "connected_at",
    "next_look_at",
}  # fmt: skip


def start(api: APIClient, mode: str = "business_platform") -> str:
    return str(api.post(API, {"connection_mode": mode}).json()["id"])


def finish(api: APIClient, sandbox: Sandbox, worker: Worker, scenario: str = "approve") -> str:
    onboarding = start(api)
    window = sandbox.finish(scenario=scenario)
    names = ["waba_id", "phone_number_id", "event"] if window["messages"] else []
    names.append("code")
    api.post(f"{API}{onboarding}/signup/", {n: window[n] for n in names if window[n]})
    worker.run()
    return onboarding


def test_choosing_a_mode_makes_an_attempt_with_what_the_window_needs(api: APIClient) -> None:
    answer = api.post(API, {"connection_mode": "business_platform"})
    body = answer.json()
    assert answer.status_code == 201
    assert set(body) == FIELDS | {"launch"}
    assert set(body["launch"]) == {
        "launch_id", "app_id", "sdk_url", "sdk_version", "config_id", "extras",
    }  # fmt: skip
    assert (body["state"], body["tenant"], body["proven"]) == ("started", "cakes", None)
    assert body["launched_at"] is None


@pytest.mark.parametrize("shown", [OnboardingSerializer, LaunchedOnboardingSerializer])
def test_what_is_written_by_hand_has_each_declared_field_in_its_order(
    shown: type[OnboardingSerializer], api: APIClient
) -> None:
    made = shown(Onboarding.objects.get(public_id=start(api)))
    assert list(made.data) == list(made.fields)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 27, 9, 5, 1, 20, tzinfo=UTC),
        datetime(2026, 11, 27, 9, 5, 1, tzinfo=UTC),
        datetime(2026, 11, 27, 9, 5, 1, 20, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_times_are_written_as_rest_framework_does(at: datetime) -> None:
    assert moment(at) == DateTimeField().to_representation(at)


def test_an_unfinished_attempt_is_reused_for_the_same_person_and_mode(
    api: APIClient, member: User
) -> None:
    first = start(api)
    again = api.post(API, {"connection_mode": "business_platform"})
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert start(api, "business_app") != first
    assert start(api_of(member)) != first, "a colleague begins an attempt of their own"


def test_the_click_sets_launched_at(api: APIClient) -> None:
    onboarding = start(api)
    answer = api.post(f"{API}{onboarding}/signup/", {"event": "LAUNCHED"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "started"
    assert answer.json()["launched_at"] is not None


@pytest.mark.parametrize("field", ["waba_id", "phone_number_id", "business_id"])
@pytest.mark.parametrize("value", ["12x", " ", "１２", 123, 1.5, None, [], {}, "1" * 41, "-1"])
def test_an_id_that_is_no_string_of_digits_is_refused_by_name(
    api: APIClient, field: str, value: Any
) -> None:
    onboarding = start(api)
    answer = api.post(f"{API}{onboarding}/signup/", {field: value})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "invalid"
    assert list(error["fields"]) == [field]
    assert error["request_id"]
    assert Onboarding.objects.get().state == "started"


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"text"', "{", '{"code": "\\u0000"}'])
def test_a_body_that_makes_no_sense_is_a_400(api: APIClient, body: str) -> None:
    onboarding = start(api)
    answer = api.post(f"{API}{onboarding}/signup/", body, content_type="application/json")
    assert answer.status_code in (202, 400)
    if answer.status_code == 400:
        assert answer.json()["error"]["message"]
    assert Onboarding.objects.get().state == "started"


def test_unknown_fields_are_ignored(api: APIClient) -> None:
    onboarding = start(api)
    answer = api.post(f"{API}{onboarding}/signup/", {"event": "LAUNCHED", "new_field": [1]})
    assert answer.status_code == 202


def test_nothing_of_signup_calls_anybody(api: APIClient, sandbox: Sandbox) -> None:
    onboarding = start(api)
    api.post(f"{API}{onboarding}/signup/", {"waba_id": "123", "code": "abc", "event": "FINISH"})
    assert sandbox.calls == []
    assert Onboarding.objects.get().state == "signed_up"


def test_the_same_result_may_come_any_number_of_times(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    onboarding = start(api)
    window = sandbox.finish()
    sent = {"waba_id": window["waba_id"], "phone_number_id": window["phone_number_id"]}
    for _ in range(3):
        api.post(f"{API}{onboarding}/signup/", {**sent, "event": "FINISH"})
        api.post(f"{API}{onboarding}/signup/", {"code": window["code"]})
    worker.run()
    api.post(f"{API}{onboarding}/signup/", {**sent, "event": "FINISH"})
    worker.run()
    assert Onboarding.objects.count() == 1
    assert Onboarding.objects.get().state == "connected"
    assert sandbox.registers == 1


def test_other_ids_after_the_first_open_a_new_onboarding(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    first = finish(api, sandbox, worker)
    second = sandbox.finish()
    sent = {n: second[n] for n in ("waba_id", "phone_number_id", "event")}
    answer = api.post(f"{API}{first}/signup/", sent)
    assert answer.json()["id"] != first
    assert Onboarding.objects.count() == 2


def test_a_code_is_nowhere_in_what_we_keep_or_answer(
    api: APIClient, sandbox: Sandbox, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    onboarding = start(api)
    code = sandbox.finish()["code"]
    answer = api.post(f"{API}{onboarding}/signup/", {"code": code})
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM onboarding_onboarding")
        (kept,) = cursor.fetchone()
    assert kept
    assert code not in kept, "it is sealed while it waits"
    worker.run()
    assert Onboarding.objects.get().code == "", "and wiped after its exchange"
    assert code not in answer.content.decode()
    assert code not in str(list(SignupEvent.objects.values()))
    assert code not in caplog.text


def test_a_read_answers_304_until_something_changes(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    onboarding = start(api)
    first = api.get(f"{API}{onboarding}/")
    etag = first["ETag"]
    assert api.get(f"{API}{onboarding}/", headers={"If-None-Match": etag}).status_code == 304
    api.post(f"{API}{onboarding}/signup/", {"waba_id": "123", "event": "FINISH"})
    assert api.get(f"{API}{onboarding}/", headers={"If-None-Match": etag}).status_code == 200


def test_a_list_is_newest_first_with_a_cursor_and_without_timelines(api: APIClient) -> None:
    ids = [start(api, mode) for mode in ("business_platform", "business_app")]
    body = api.get(API, {"limit": 1}).json()
    assert set(body) == {"next", "previous", "results"}
    assert [each["id"] for each in body["results"]] == [ids[1]]
    assert set(body["results"][0]) == FIELDS
    older = api.get(body["next"]).json()
    assert [each["id"] for each in older["results"]] == [ids[0]]


def test_a_list_costs_the_same_number_of_queries_for_one_row_and_for_many(
    api: APIClient, tenant: Tenant, owner: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            api.get(API)
        return len(seen)

    Onboarding.objects.create(tenant=tenant, started_by=owner, connection_mode="business_app")
    one = queries()
    for _ in range(5):
        Onboarding.objects.create(tenant=tenant, started_by=owner, connection_mode="business_app")
    assert queries() == one


def test_the_timeline_tells_what_happened_in_order(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    onboarding = finish(api, sandbox, worker)
    entries = api.get(f"{API}{onboarding}/timeline/").json()["results"]
    states = [each["state"] for each in entries if each["kind"] == "state"]
    assert states == ["started", "signed_up", "linked", "registering", "connected"]
    assert [each["at"] for each in entries] == sorted(each["at"] for each in entries)


def test_repeated_looks_are_not_in_the_timeline(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    onboarding = finish(api, sandbox, worker, "payment_missing")
    before = len(api.get(f"{API}{onboarding}/timeline/").json()["results"])
    for _ in range(5):
        worker.later(600)
    assert len(api.get(f"{API}{onboarding}/timeline/").json()["results"]) == before


def test_an_act_that_does_not_fit_the_state_is_a_409_with_a_remedy(api: APIClient) -> None:
    onboarding = start(api)
    answer = api.post(f"{API}{onboarding}/number/", {"phone_number_id": "5"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "not_now")
    assert error["remedy"]
    assert error["who"] == "customer"


def test_only_an_offered_account_can_be_chosen(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    onboarding = finish(api, sandbox, worker, "several_accounts")
    worker.later(11)
    answer = api.post(f"{API}{onboarding}/account/", {"waba_id": "123456"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_offered")


def test_an_unknown_address_and_method_are_told_in_the_envelope(api: APIClient) -> None:
    for method in ("get", "post", "delete"):
        answer = getattr(api, method)("/api/v1/nonsense/at/all/")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = api.delete(API)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_a_fault_of_ours_is_told_in_the_envelope_without_its_cause(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret cause")

    monkeypatch.setattr("onboarding.services.start", broken)
    api = APIClient(raise_request_exception=False)
    api.force_login(owner, backend="tenants.login.Backend")
    answer = api.post(API, {"connection_mode": "business_app"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert answer.json()["error"]["request_id"]
    assert "secret cause" not in answer.content.decode()


# --- Who is asking -------------------------------------------------------------------------------


def test_nobody_is_a_401_in_the_envelope(db: None) -> None:
    answer = APIClient().get(API)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_a_missing_csrf_token_is_told_as_such(owner: User) -> None:
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(owner, backend="tenants.login.Backend")
    answer = api.post(API, {"connection_mode": "business_app"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf_failed")
    token = api.get("/api/v1/csrf/").json()["csrfToken"]
    answer = api.post(API, {"connection_mode": "business_app"}, headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def test_a_guest_needs_the_csrf_token_too(tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    api = APIClient(enforce_csrf_checks=True)
    api.get(f"/s/{token}/")
    answer = api.post(API, {"connection_mode": "business_app"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf_failed")


TENANT_URLS = [
    ("get", "{api}{id}/"),
    ("get", "{api}{id}/timeline/"),
    ("post", "{api}{id}/signup/"),
    ("post", "{api}{id}/launch/"),
    ("post", "{api}{id}/account/"),
    ("post", "{api}{id}/number/"),
    ("post", "{api}{id}/resume/"),
    ("post", "{api}{id}/withdraw/"),
    ("get", "/connect/{id}/card/"),
    ("get", "/connect/?onboarding={id}"),
    ("get", "/connect/?tenant=cakes"),
]


@pytest.mark.parametrize(("method", "url"), TENANT_URLS)
def test_a_stranger_finds_nothing_at_any_tenant_url(
    api: APIClient, stranger: User, method: str, url: str
) -> None:
    onboarding = start(api)
    asker = api_of(stranger)
    body = {"waba_id": "1", "phone_number_id": "1", "event": "FINISH"}
    path = url.format(api=API, id=onboarding)
    answer = getattr(asker, method)(path, body if method == "post" else None)
    assert answer.status_code == 404
    unknown = url.format(api=API, id=uuid4()).replace("tenant=cakes", "tenant=nobody")
    missing = getattr(asker, method)(unknown, body if method == "post" else None)
    assert missing.status_code == 404
    assert Onboarding.objects.get().state == "started"
    assert not SignupEvent.objects.exists()


def test_a_stranger_cannot_start_for_a_tenant_that_is_not_theirs(stranger: User) -> None:
    Tenant.objects.create(name="Cakes", slug="cakes")
    answer = api_of(stranger).post(API, {"connection_mode": "business_app", "tenant": "cakes"})
    assert answer.status_code == 404
    assert not Onboarding.objects.exists()


def test_a_list_holds_only_ones_own_tenants_rows(api: APIClient, stranger_api: APIClient) -> None:
    start(api)
    assert stranger_api.get(API).json()["results"] == []


def test_a_guest_sees_what_links_began_and_nothing_that_members_began(
    api: APIClient, guest_api: APIClient
) -> None:
    of_member = start(api)
    of_guest = start(guest_api)
    assert guest_api.get(f"{API}{of_member}/").status_code == 404
    assert [each["id"] for each in guest_api.get(API).json()["results"]] == [of_guest]
    assert api.get(f"{API}{of_guest}/").status_code == 200


def test_a_guest_reads_no_names_of_people(
    guest_api: APIClient, sandbox: Sandbox, worker: Worker, reviewer: User, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    onboarding = finish(guest_api, sandbox, worker)
    services.approve(Onboarding.objects.get(), reviewer)
    worker.run()
    shown = guest_api.get(f"{API}{onboarding}/timeline/").content.decode()
    shown += guest_api.get(f"/connect/{onboarding}/card/").content.decode()
    assert "reviewer" not in shown
    assert "partner.example" not in shown


def test_a_member_of_two_tenants_says_which_one_is_meant(
    owner: User, other_tenant: Tenant, api: APIClient
) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant)
    body = api.post(API, {"connection_mode": "business_app", "tenant": "other"}).json()
    assert body["tenant"] == "other"


def test_the_schema_names_every_endpoint(client: Client) -> None:
    schema = client.get("/api/schema/", {"format": "json"}).content.decode()
    paths = set(json.loads(schema)["paths"])
    acts = ("signup", "launch", "account", "number", "resume", "withdraw", "timeline")
    assert {f"{API}{{id}}/{act}/" for act in acts} <= paths
    assert {API, f"{API}{{id}}/"} <= paths


def test_the_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "http://" not in page.content.decode()
    assert "https://" not in page.content.decode()


def test_the_card_answers_304_while_nothing_changed(api: APIClient, owner: User) -> None:
    onboarding = start(api)
    pages = pages_of(owner)
    first = pages.get(f"/connect/{onboarding}/card/")
    again = pages.get(f"/connect/{onboarding}/card/", headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
