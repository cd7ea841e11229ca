"""A stranger finds nothing at any address of a tenant; the addresses come from the URLconf.

An address that is in neither table below fails: whoever adds one decides whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from onboarding import services
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from tenants.models import Invitation, Membership, Tenant, User
from tests.conftest import api_of, pages_of

NOBODYS = {
    # For everybody, and the same for everybody.
    "home", "theme-css", "language", "api-schema", "api-docs", "csrf", "webhook-ycloud",
    "webhook-ycloud-account",  # names an account of the partner's
    "healthz", "readyz", "metrics",
    "api-nothing-here", "nothing-here", "leave-link", "connect-lost",
    # One's own: they show what the asker's tenants have, and no address names a row.
    "connect", "connect-dialog", "connect-elsewhere", "companies", "invitation", "choose-whom",
    "mail-confirm", "mail-stop",
    # Lists, see below.
    "onboarding-list", "tenant-list", "signup-link-list", "business-account-list",
    "phone-number-list",
    # An address that is a secret itself.
    "open-link", "connect-return", "open-invitation", "open-mail-confirm", "open-mail-stop",
}  # fmt: skip
NOBODYS_NAMESPACES = re.compile(r"^(account|mfa|usersessions)_|^account$")
"""Pages of a login about itself (django-allauth)."""

METHODS = ("get", "head", "post", "put", "patch", "delete")


def addresses() -> Iterator[tuple[str, str]]:
    """The name and the route of each address outside the admin."""
    yield from _of(get_resolver().url_patterns, "")


def _of(patterns: list[Any], before: str) -> Iterator[tuple[str, str]]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver) and not route.startswith("admin/"):
            yield from _of(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield each.name or route, route


class Victim:
    """A tenant with one of everything that an address can name."""

    def __init__(self, tenant: Tenant, owner: User) -> None:
        self.tenant = tenant
        self.account = WhatsAppBusinessAccount.objects.create(
            tenant=tenant, waba_id="400000000000777", name="Their secret name"
        )
        self.number = PhoneNumber.objects.create(
            tenant=tenant, business_account=self.account, phone_number_id="500000000000777",
            e164="+34600777777",
        )  # fmt: skip
        self.onboarding = Onboarding.objects.create(
            tenant=tenant, connection_mode="business_platform", state="in_review",
            reason="approval_needed", business_account=self.account, number=self.number,
        )  # fmt: skip
        self.link, _ = services.create_link(tenant, expected_number="+34600777777")
        self.membership = Membership.objects.get(user=owner)
        self.invitation = Invitation.objects.create(
            tenant=tenant, email="new@cakes.example", role="member", token_hash="x" * 64,
            invited_by=owner, sent_at="2026-11-27T00:00Z", expires_at="2036-11-27T00:00Z",
        )  # fmt: skip


NAMED: dict[str, Callable[[Victim], str]] = {
    "public_id": lambda v: str(v.onboarding.public_id),
    "id": lambda v: str(v.onboarding.public_id),
    "slug": lambda v: v.tenant.slug,
    "waba_id": lambda v: v.account.waba_id,
    "phone_number_id": lambda v: v.number.phone_number_id,
}
"""What a part of an address stands for, unless the address is one of these."""
NAMED_OF: dict[tuple[str, str], Callable[[Victim], str]] = {
    ("company-invitation-resend", "public_id"): lambda v: str(v.invitation.public_id),
    ("company-invitation-revoke", "public_id"): lambda v: str(v.invitation.public_id),
    ("revoke-company-link", "public_id"): lambda v: str(v.link.public_id),
    ("signup-link-detail", "id"): lambda v: str(v.link.public_id),
    ("signup-link-revoke", "id"): lambda v: str(v.link.public_id),
}
KEYS_ALONE = {"tenant-detail"}
"""Of the partner's backend: nothing for people, their owners included."""

PART = re.compile(r"<(?:\w+:)?(\w+)>(?=/)|\(\?P<(\w+)>.*?\)(?=/)")


def tenants_addresses() -> list[tuple[str, str]]:
    return [
        (name, route) for name, route in addresses()
        if name not in NOBODYS and not NOBODYS_NAMESPACES.match(name)
        and not route.startswith("admin/")
    ]  # fmt: skip


def filled(name: str, route: str, victim: Victim) -> str:
    def value(part: re.Match[str]) -> str:
        word = part[1] or part[2]
        named = NAMED_OF.get((name, word)) or NAMED.get(word)
        assert named, f"say what <{word}> of {name} stands for"
        return named(victim)

    return "/" + PART.sub(value, route).replace("^", "").replace("$", "").replace("\\Z", "")


def asked(client: Client, method: str, address: str) -> Any:
    """The request as the page or a program would make it; a body that makes no sense to any act."""
    if address.startswith("/api/") and method in ("post", "put", "patch"):
        return client.generic(method.upper(), address, "{}", "application/json")
    return getattr(client, method)(address)


@pytest.fixture
def victim(tenant: Tenant, owner: User) -> Victim:
    return Victim(tenant, owner)


@pytest.mark.parametrize(("name", "route"), tenants_addresses())
def test_each_address_that_is_not_everybodys_names_a_row(name: str, route: str) -> None:
    assert PART.search(route), f"{name} ({route}): say whose it is in this file"


@pytest.mark.parametrize(("name", "route"), tenants_addresses())
def test_a_stranger_finds_nothing_at_any_address_of_a_tenant(
    victim: Victim, owner: User, stranger: User, name: str, route: str
) -> None:
    address = filled(name, route, victim)
    found = set()
    for method in METHODS:
        theirs = asked(pages_of(owner), method, address).status_code
        for asker in (pages_of(stranger), api_of(stranger)):
            answer = asked(asker, method, address)
            allowed = {404, 405} if theirs == 405 else {404}
            assert answer.status_code in allowed, f"{method} {address}: {answer.status_code}"
            assert "secret name" not in answer.content.decode()
        found.add(theirs)
    there = found - {404, 405}
    assert there or name in KEYS_ALONE, f"{address} is nothing to its owner: is it filled right?"


@pytest.mark.parametrize(("name", "route"), tenants_addresses())
def test_nobody_is_asked_to_sign_in_at_any_address_of_a_tenant(
    victim: Victim, name: str, route: str
) -> None:
    address = filled(name, route, victim)
    for method in METHODS:
        answer = asked(Client(), method, address)
        assert answer.status_code in (302, 401, 403, 404, 405), f"{method} {address}"
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/login/")


def test_what_is_everybodys_is_still_there() -> None:
    known = {name for name, _ in addresses()}
    assert known >= NOBODYS, NOBODYS - known


@pytest.mark.parametrize("name", sorted(n for n in NOBODYS if n.endswith("-list")))
def test_no_list_shows_a_stranger_anything(victim: Victim, stranger: User, name: str) -> None:
    address = reverse(name)
    for query in ("", "?tenant=cakes", "?limit=100"):
        answer = api_of(stranger).get(address + query)
        assert answer.status_code in (200, 400, 403, 404), query
        assert answer.json().get("results", []) == [], query
        assert "cakes" not in answer.content.decode().replace(query[1:], "")
