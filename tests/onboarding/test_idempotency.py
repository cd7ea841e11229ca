"""A POST that is sent again does nothing again and gets the same answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import services, tasks
from onboarding.models import IdempotentAnswer, Onboarding, SignupEvent, SignupLink
from tenants import registry
from tenants.models import Tenant, User
from tests.conftest import api_of, partner_api

TENANTS, LINKS = "/api/v1/tenants/", "/api/v1/signup-links/"
ONBOARDINGS = "/api/v1/onboardings/"


def post(api: APIClient, url: str, body: Any, key: str = "k-1") -> Any:
    return api.post(url, body, headers={"Idempotency-Key": key})


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(partner: APIClient) -> None:
    first, again = (post(partner, TENANTS, {"name": "Cakes"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Tenant.objects.count() == 1


def test_without_the_header_each_request_acts(partner: APIClient) -> None:
    for _ in range(2):
        partner.post(TENANTS, {"name": "Cakes"})
    assert Tenant.objects.count() == 2
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (TENANTS, {"name": "Other"}),
        (LINKS, {"name": "Cakes"}),
        (f"{TENANTS}?x=1", {"name": "Cakes"}),
    ],
)
def test_another_body_or_address_under_the_same_key_is_a_422(
    partner: APIClient, url: str, body: Any
) -> None:
    post(partner, TENANTS, {"name": "Cakes"})
    answer = post(partner, url, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "idempotency_key_reused")
    assert Tenant.objects.count() == 1


def test_each_asker_has_keys_of_their_own(api: APIClient, guest_api: APIClient) -> None:
    sent = {"connection_mode": "business_app", "tenant": "cakes"}
    askers = [api, guest_api, partner_api(), partner_api("onboardings:write")]
    answers = [post(asker, ONBOARDINGS, sent) for asker in askers]
    assert all("Idempotency-Replayed" not in answer for answer in answers)
    again = [post(asker, ONBOARDINGS, sent) for asker in askers]
    assert [answer.json() for answer in again] == [answer.json() for answer in answers]
    assert all(answer["Idempotency-Replayed"] == "true" for answer in again)


def test_a_refusal_is_kept_too(partner: APIClient, tenant: Tenant) -> None:
    wrong = {"name": "Cakes", "slug": "cakes"}
    first = post(partner, TENANTS, wrong)
    assert first.status_code == 409
    Tenant.objects.all().delete()
    again = post(partner, TENANTS, wrong)
    assert (again.status_code, again.json()) == (409, first.json())


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-1"}])
def test_what_a_result_had_written_until_it_was_refused_is_undone(
    headers: dict[str, str], api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    public_id = api.post(ONBOARDINGS, {"connection_mode": "business_platform"}).json()["id"]

    def refuses(row: Onboarding, *_asked: object) -> None:
        SignupEvent.objects.create(onboarding=row, actor="customer", event="LOST")
        raise services.RefusedError("not_now", "Not now.")

    monkeypatch.setattr(services, "record_signup_result", refuses)
    address, sent = f"{ONBOARDINGS}{public_id}/signup/", {"event": "FINISH", "waba_id": "4"}
    answers = [api.post(address, sent, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert ("Idempotency-Replayed" in answers[1]) is bool(headers)
    assert not SignupEvent.objects.exists()


def test_a_fault_of_ours_is_rolled_back_and_forgotten(
    partner: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registry.create_tenant

    def broken(*args: Any, **values: Any) -> Tenant:
        made(*args, **values)
        raise RuntimeError("after the act")

    monkeypatch.setattr(registry, "create_tenant", broken)
    partner.raise_request_exception = False
    partner.handler.raise_request_exception = False  # type: ignore[attr-defined]
    assert post(partner, TENANTS, {"name": "Cakes"}).status_code == 500
    assert not Tenant.objects.exists(), "the act went with its answer"
    monkeypatch.undo()
    assert post(partner, TENANTS, {"name": "Cakes"}).status_code == 201


def test_what_never_reached_the_act_is_not_kept(tenant: Tenant, settings: Any) -> None:
    assert post(APIClient(), TENANTS, {"name": "x"}).status_code == 401
    assert post(partner_api("tenants:read"), TENANTS, {"name": "x"}).status_code == 403
    settings.API_RATE_PER_MINUTE = 1
    partner = partner_api()
    partner.get(TENANTS)
    assert post(partner, TENANTS, {"name": "x"}).status_code == 429
    assert not IdempotentAnswer.objects.exists()


def test_a_key_that_lost_its_scope_gets_no_old_answer(partner: APIClient) -> None:
    from tenants.models import ApiKey

    post(partner, TENANTS, {"name": "Cakes"})
    ApiKey.objects.update(scopes=["tenants:read"])
    assert post(partner, TENANTS, {"name": "Cakes"}).status_code == 403


@pytest.mark.parametrize("key", ["x" * 256, "", " ", "a b", "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_a_400(partner: APIClient, key: str) -> None:
    answer = post(partner, TENANTS, {"name": "Cakes"}, key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key_invalid")
    assert not Tenant.objects.exists()


def test_the_longest_key_is_taken(partner: APIClient) -> None:
    assert post(partner, TENANTS, {"name": "Cakes"}, "x" * 255).status_code == 201


def test_a_links_address_is_repeated_but_not_kept_in_clear(
    partner: APIClient, tenant: Tenant
) -> None:
    first, again = (post(partner, LINKS, {"tenant": "cakes"}) for _ in range(2))
    assert again.json()["url"] == first.json()["url"]
    assert SignupLink.objects.count() == 1
    token = first.json()["url"].split("/")[-2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM onboarding_idempotentanswer t")
        (row,) = cursor.fetchone()
    assert token not in row
    assert "/s/" not in row


def test_after_a_day_the_key_is_free_and_the_answer_deleted(partner: APIClient) -> None:
    with time_machine.travel("2026-11-24T10:00:00Z", tick=False) as clock:
        post(partner, TENANTS, {"name": "Cakes"})
        clock.shift(timedelta(hours=23, minutes=59))
        assert post(partner, TENANTS, {"name": "Cakes"})["Idempotency-Replayed"] == "true"
        tasks.forget_old()
        assert IdempotentAnswer.objects.count() == 1
        clock.shift(timedelta(minutes=2))
        assert post(partner, TENANTS, {"name": "Other"}).status_code == 201
        assert IdempotentAnswer.objects.get().created_at == timezone.now()
        clock.shift(timedelta(hours=25))
        tasks.forget_old()
        assert not IdempotentAnswer.objects.exists()


def test_acts_of_members_and_guests_are_repeatable(api: APIClient, guest_api: APIClient) -> None:
    for asker in (api, guest_api):
        started = post(asker, ONBOARDINGS, {"connection_mode": "business_app"}).json()
        withdraw = f"{ONBOARDINGS}{started['id']}/withdraw/"
        first, again = (post(asker, withdraw, {}, "k-2") for _ in range(2))
        assert (first.status_code, again.json()) == (200, first.json())


# --- At the same time ----------------------------------------------------------------------------


def together(count: int, act: Callable[[], Any]) -> list[Any]:
    """The act in so many threads at once, each with a connection of its own."""
    start = threading.Barrier(count)

    def run(_: int) -> Any:
        start.wait()
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_time_one_acts(transactional_db: None) -> None:
    credentials = partner_api()._credentials  # type: ignore[attr-defined]

    def ask() -> Any:
        client = APIClient()
        client.credentials(**credentials)
        return post(client, TENANTS, {"name": "Cakes"})

    answers = together(8, ask)
    assert Tenant.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum("Idempotency-Replayed" not in a for a in answers if a.status_code == 201) == 1
    assert ask().status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_second_one_while_the_first_is_under_way_is_told_to_wait(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, go_on = threading.Event(), threading.Event()
    made = registry.create_tenant

    def slow(*args: Any, **values: Any) -> Tenant:
        under_way.set()
        assert go_on.wait(20)
        return made(*args, **values)

    monkeypatch.setattr(registry, "create_tenant", slow)
    first = partner_api()
    second = APIClient()
    second.credentials(**first._credentials)  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as pool:

        def ask() -> Any:
            try:
                return post(first, TENANTS, {"name": "Cakes"})
            finally:
                connections.close_all()

        waiting = pool.submit(ask)
        assert under_way.wait(20)
        refused = post(second, TENANTS, {"name": "Cakes"})
        other = post(partner_api(), LINKS, {"tenant": "nobody"})
        go_on.set()
        assert waiting.result(20).status_code == 201
    assert (refused.status_code, refused["Retry-After"]) == (409, "1")
    assert refused.json()["error"]["code"] == "idempotency_under_way"
    assert other.status_code == 404, "the same key of somebody else is another key"
    assert post(second, TENANTS, {"name": "Cakes"})["Idempotency-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_in_the_act_leaves_the_key_free(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registry.create_tenant

    def dies(*args: Any, **values: Any) -> Tenant:
        made(*args, **values)
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError("unreachable")

    monkeypatch.setattr(registry, "create_tenant", dies)
    partner = partner_api()
    partner.handler.raise_request_exception = False  # type: ignore[attr-defined]
    partner.raise_request_exception = False
    assert post(partner, TENANTS, {"name": "Cakes"}).status_code == 500
    connections.close_all()
    assert not Tenant.objects.exists()
    monkeypatch.undo()
    again = post(partner, TENANTS, {"name": "Cakes"})
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again


@pytest.mark.parametrize(
    ("limit", "address", "sent"),
    [
        ("LAUNCHES_PER_MINUTE", "/api/v1/onboardings/", {"connection_mode": "business_app"}),
        ("LINKS_PER_HOUR", "/api/v1/signup-links/", {"tenant": "cakes"}),
    ],
)
def test_a_limit_within_the_act_is_not_kept(
    owner: User, settings: Any, limit: str, address: str, sent: dict[str, str]
) -> None:
    api = api_of(owner)
    setattr(settings, limit, 1)
    assert api.post(address, sent).status_code == 201
    refused = api.post(address, sent, HTTP_IDEMPOTENCY_KEY="once")
    assert (refused.status_code, bool(refused["Retry-After"])) == (429, True)
    setattr(settings, limit, 10)
    again = api.post(address, sent, HTTP_IDEMPOTENCY_KEY="once")
    assert again.status_code in (200, 201)
    assert "Idempotency-Replayed" not in again
