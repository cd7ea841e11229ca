"""The admin's menu: each list has its place, and nobody sees an entry that gives them a 403."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from config import navigation
from tenants.models import User
from tests.conftest import pages_of, person

ELSEWHERE = {"onboarding.tombstonekey"}
"""Lists that the menu leaves out on purpose: the other half of what it names."""


def entries(client: Client) -> list[str]:
    answer = client.get("/admin/")
    groups = answer.context["sidebar_navigation"]
    return [item["link"] for group in groups for item in group["items"]]


def test_each_list_of_the_admin_is_in_the_menu_once() -> None:
    named = [target for _, group in navigation.GROUPS for _, _, target in group]
    lists = [target for target in named if not target.startswith("url:")]
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert len(lists) == len(set(lists))
    assert set(lists) == registered - ELSEWHERE


def test_labels_are_in_sentence_case() -> None:
    own = {"YCloud's", "API", "Journal"}
    for title, group in navigation.GROUPS:
        for label in (title, *(str(entry[0]) for entry in group)):
            first, *rest = str(label).split()
            assert first[0].isupper(), label
            assert all(word.islower() or word in own for word in rest), label


def test_a_superuser_may_open_all_of_it(reviewer: User) -> None:
    client = pages_of(reviewer)
    links = entries(client)
    assert len(links) > 20
    for link in links:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    "codenames",
    [(), ("view_onboarding",), ("view_tenant", "change_membership"), ("add_signuplink",)],
    ids=lambda names: "+".join(names) or "none",
)
def test_nobody_is_shown_what_they_may_not_open(db: None, codenames: tuple[str, ...]) -> None:
    user = person("staff@partner.example", staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = pages_of(user)
    links = entries(client)
    assert reverse("admin:index") in links
    for link in links:
        assert client.get(link).status_code == 200, link
    may_read = [name for name in codenames if not name.startswith("add_")]
    assert len(links) == 1 + len(may_read)


def test_the_open_page_is_marked(reviewer: User) -> None:
    page = pages_of(reviewer).get("/admin/onboarding/onboarding/").content.decode()
    (marked,) = re.findall(r'<a href="([^"]+)" class="[^"]* active"', page)
    assert marked == "/admin/onboarding/onboarding/"


def test_an_empty_list_that_nobody_may_add_to_asks_for_nothing(reviewer: User) -> None:
    client = pages_of(reviewer)
    page = client.get("/admin/onboarding/notice/").content.decode()
    assert "Nothing here yet" in page
    assert "Create a new item" not in page
    assert "/admin/onboarding/notice/add/" not in page
    assert "Add the first one." in client.get("/admin/tenants/tenant/").content.decode()


def test_a_search_that_finds_nothing_says_so(reviewer: User) -> None:
    page = pages_of(reviewer).get("/admin/tenants/tenant/?q=nobody").content.decode()
    assert "Nothing fits" in page


def test_what_a_record_is_called_keeps_its_letters(reviewer: User) -> None:
    page = pages_of(reviewer).get(f"/admin/tenants/user/{reviewer.pk}/change/").content.decode()
    heading = page.partition("<h1")[2].partition("</h1>")[0]
    assert "reviewer@partner.example" in heading
