"""Launch, links and login are counted per tenant and per address; nobody chooses their address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding, SignupLink
from tenants.models import Tenant, User
from tests.conftest import api_of, pages_of

API = "/api/v1/onboardings/"
NEW = {"connection_mode": "business_platform"}
FAR = "203.0.113.9"


@pytest.fixture(autouse=True)
def _few(settings: Any, db: None) -> None:
    settings.LAUNCHES_PER_MINUTE = settings.LINK_OPENINGS_PER_MINUTE = 3
    settings.LINKS_PER_HOUR = 2


def test_a_tenants_launches_are_counted_together(owner: User, member: User) -> None:
    one, two = api_of(owner), api_of(member)
    for api, far in ((one, "203.0.113.1"), (two, "203.0.113.2"), (one, "203.0.113.3")):
        assert api.post(API, NEW, REMOTE_ADDR=far).status_code in (200, 201)
    refused = two.post(API, NEW, REMOTE_ADDR="203.0.113.4")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "throttled"
    assert 0 < int(refused["Retry-After"]) <= 60


def test_a_relaunch_is_a_launch(api: APIClient) -> None:
    one = f"{API}{api.post(API, NEW).json()['id']}/launch/"
    assert [api.post(one).status_code for _ in range(3)] == [200, 200, 429]
    assert Onboarding.objects.count() == 1


def test_launches_from_one_address_are_counted_across_tenants(owner: User, stranger: User) -> None:
    one, two = api_of(owner), api_of(stranger)
    for api in (one, two, one):
        assert api.post(API, NEW, REMOTE_ADDR=FAR).status_code in (200, 201)
    assert two.post(API, NEW, REMOTE_ADDR=FAR).status_code == 429
    assert two.post(API, NEW, REMOTE_ADDR="203.0.113.10").status_code in (200, 201)


def test_a_result_is_never_kept_out_by_launches(api: APIClient) -> None:
    id_ = api.post(API, NEW).json()["id"]
    while api.post(API, NEW).status_code != 429:
        pass
    for _ in range(60):
        assert api.post(f"{API}{id_}/signup/", {"event": "LAUNCHED"}).status_code == 202


@pytest.mark.parametrize("known", [True, False])
def test_openings_from_one_address_are_counted_whatever_they_open(
    tenant: Tenant, known: bool
) -> None:
    token = services.create_link(tenant)[1] if known else "nobody-knows-this-token"
    address = f"/s/{token}/"
    codes = [Client().get(address, REMOTE_ADDR=FAR).status_code for _ in range(4)]
    assert codes == [302 if known else 404] * 3 + [429]
    refused = Client().get(address, REMOTE_ADDR=FAR)
    assert refused["Referrer-Policy"] == "no-referrer"
    assert int(refused["Retry-After"]) > 0
    assert token not in refused.content.decode()
    assert Client().get(address, REMOTE_ADDR="203.0.113.10").status_code == codes[0]


def test_invitations_are_counted_with_them() -> None:
    codes = [Client().get("/invitation/no-such/", REMOTE_ADDR=FAR).status_code for _ in range(4)]
    assert codes == [404, 404, 404, 429]


def test_an_address_that_the_client_invents_counts_for_nothing(tenant: Tenant) -> None:
    codes = [
        Client().get("/s/x/", REMOTE_ADDR=FAR, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code
        for n in range(4)
    ]
    assert codes == [404, 404, 404, 429]


def test_behind_a_trusted_proxy_the_clients_own_address_counts(
    tenant: Tenant, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    codes = [
        Client().get("/s/x/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.1.1.{n}, {FAR}")
        .status_code
        for n in range(4)
    ]  # fmt: skip
    assert codes == [404, 404, 404, 429]
    other = Client().get("/s/x/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.10")
    assert other.status_code == 404


def test_the_links_that_owners_make_are_counted_per_tenant(owner: User, tenant: Tenant) -> None:
    page = pages_of(owner)
    sent = {"life_days": "7"}
    assert page.post("/company/cakes/links/", sent).status_code == 302
    assert api_of(owner).post("/api/v1/signup-links/", {"tenant": "cakes"}).status_code == 201
    assert page.post("/company/cakes/links/", sent).status_code == 429
    assert api_of(owner).post("/api/v1/signup-links/", {"tenant": "cakes"}).status_code == 429
    assert SignupLink.objects.count() == 2


def test_logins_from_one_address_are_counted(owner: User) -> None:
    sent = {"login": "nobody@nowhere.example", "password": "wrong-wrong"}
    codes = [
        Client().post("/accounts/login/", sent, REMOTE_ADDR=FAR).status_code for _ in range(12)
    ]
    assert codes[0] == 200
    right = {"login": owner.email, "password": "secret-secret"}
    told = Client().post("/accounts/login/", right, REMOTE_ADDR=FAR)
    assert told.status_code != 302, "even the right password waits now"
    assert Client().post("/accounts/login/", right, REMOTE_ADDR="203.0.113.10").status_code == 302


def test_other_ids_open_an_attempt_once_and_count_like_launches(
    api: APIClient, settings: Any
) -> None:
    settings.LAUNCHES_PER_MINUTE = 4
    one = f"{API}{api.post(API, NEW).json()['id']}/signup/"
    first = {"waba_id": "1", "event": "FINISH", "login_status": "unknown"}
    assert api.post(one, first).status_code == 202
    other = {"waba_id": "2", "event": "FINISH"}
    ids = {api.post(one, other).json()["id"] for _ in range(3)}
    assert len(ids) == 1, "the same ids, the same attempt"
    told = [api.post(one, {"waba_id": str(n), "event": "FINISH"}).status_code for n in (3, 4, 5, 6)]
    assert told[-1] == 429
    assert Onboarding.objects.count() <= 5


def test_an_expired_link_begins_nothing_by_other_ids(guest_api: APIClient, tenant: Tenant) -> None:
    id_ = guest_api.post(API, NEW).json()["id"]
    guest_api.post(f"{API}{id_}/signup/", {"waba_id": "1", "event": "FINISH"})
    SignupLink.objects.update(expires_at="2020-01-01T00:00Z")
    told = guest_api.post(f"{API}{id_}/signup/", {"waba_id": "2", "event": "FINISH"})
    assert (told.status_code, told.json()["id"]) == (202, id_)
    assert Onboarding.objects.count() == 1
