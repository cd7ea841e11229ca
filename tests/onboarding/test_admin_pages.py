"""Every page of the admin, found by its addresses: it opens for who may, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, get_resolver

from onboarding import tombstones
from onboarding.models import Delivery, OutboundEvent, StaffLetter, WebhookEndpoint, WebhookSecret
from tenants.keys import create_key
from tenants.models import ApiKey, User
from tests.conftest import pages_of, person
from tests.onboarding.test_erase import asker, customer, planted  # noqa: F401 - fixtures

OPEN_TO_ALL_STAFF = {"index", "password_change", "password_change_done", "search"}
"""They show what else the person may see, or nothing."""

NO_PAGES = {"autocomplete", "view_on_site", "login", "logout", "app_list", "jsi18n", "None"}
"""Parts of pages, ways in and out, and the ways to other pages."""

SHOWN_ONCE = "made"
"""Pages that show a secret which was made just now; without one they lead back to the list."""


def addresses() -> dict[str, str]:
    """The name and the route of each address under /admin/."""
    found: dict[str, str] = {}

    def walk(resolver: URLResolver, before: str) -> None:
        for each in resolver.url_patterns:
            route = before + str(each.pattern)
            if isinstance(each, URLResolver):
                walk(each, route)
            elif isinstance(each, URLPattern) and route.startswith("admin/"):
                found[str(each.name)] = route

    walk(get_resolver(), "")
    return {name: route for name, route in found.items() if name not in NO_PAGES}


def path_of(name: str, route: str, rows: dict[str, Any]) -> str:
    """With the key of the model's first row, and the first choice of whatever else is asked for."""
    row = next((rows[prefix] for prefix in rows if name.startswith(f"{prefix}_")), None)
    row = row or (rows["tenants_user"] if name == "auth_user_password_change" else None)
    for argument in ("<path:object_id>", "<int:object_id>", "<id>", "<int:pk>"):
        route = route.replace(argument, str(row.pk) if row else "0")
    chosen = {"<str:act>": "approve", "<slug:kind>": "connected", "<slug:language>": "en"}
    for argument, value in chosen.items():
        route = route.replace(argument, value)
    return "/" + route


@pytest.fixture
def rows(planted: list[str], db: None) -> dict[str, Any]:  # noqa: F811 - the fixture
    """The first row of each model of the admin, by the beginning of its addresses' names."""
    create_key("crm", ApiKey.Scope.values, actor="command")
    Group.objects.create(name="Night shift")
    Authenticator.objects.create(user=User.objects.first(), type="totp", data={})
    endpoint = WebhookEndpoint.objects.create(url="https://crm.example/hook", secret="s")
    Delivery.objects.create(endpoint=endpoint, event=OutboundEvent.objects.first())
    StaffLetter.objects.create(key="digest-1", kind="digest")
    tombstones.bury(["700000000000001"])
    WebhookSecret.objects.create(endpoint_id="we_1", url="https://x.example/", secret="s")
    return {
        f"{model._meta.app_label}_{model._meta.model_name}": model._default_manager.first()
        for model in admin.site._registry
    }


def test_every_model_of_the_desk_has_a_row_to_open(rows: dict[str, Any]) -> None:
    assert {name for name, row in rows.items() if row is None} == set()


def test_every_page_opens_for_a_superuser(rows: dict[str, Any], reviewer: User) -> None:
    desk = pages_of(reviewer)
    answers = {}
    for name, route in addresses().items():
        answer = desk.get(path_of(name, route, rows))
        answers[name] = answer.status_code
    faults = {name: status for name, status in answers.items() if status not in expected(name)}
    assert faults == {}


def expected(name: str) -> tuple[int, ...]:
    """What a superuser's GET may answer. What is written by the product alone refuses to be added,
    and a decision is not taken by a link."""
    ending = name.rpartition("_")[2]
    if ending in ("changelist", "change", "history"):
        return (200,)
    if ending in ("add", "delete"):
        return (200, 403)
    return (200, 302, 405)


def test_no_page_opens_for_staff_without_rights(rows: dict[str, Any]) -> None:
    desk = pages_of(person("new@partner.example", staff=True))
    answers = {
        name: desk.get(path_of(name, route, rows)).status_code
        for name, route in addresses().items()
        if name not in OPEN_TO_ALL_STAFF and not name.endswith(SHOWN_ONCE)
    }
    assert {name: status for name, status in answers.items() if status not in (403, 405)} == {}


def test_no_page_opens_for_a_customer(rows: dict[str, Any], owner: User) -> None:
    person_of_a_tenant = pages_of(owner)
    for name, route in addresses().items():
        answer = person_of_a_tenant.get(path_of(name, route, rows))
        assert answer.status_code == 302, name
        assert "login" in answer["Location"], name
