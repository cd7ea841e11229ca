"""The desk in a real Chromium: a reviewer finds a stuck case and says no; the customer reads it."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import expect

from onboarding import groups
from onboarding.models import Onboarding
from tests.browser.conftest import Signup, sign_in, watched
from tests.conftest import person

REASON = "We could not reach you under this number."


def test_a_reviewer_finds_the_stuck_case_and_the_customer_reads_the_reason(
    browser: Any, signup: Signup, site: str,
    settings: Any,
) -> None:  # fmt: skip
    settings.ONBOARDING_APPROVAL = "always"
    signup.goes_through()
    signup.sees("in_review")
    row = Onboarding.objects.get()
    assert row.number is not None

    groups.ship(apps)
    reviewer = person("reviewer@partner.example", staff=True)
    reviewer.groups.add(Group.objects.get(name="Reviewers"))
    theirs = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    sign_in(theirs, reviewer, Client())  # a login of its own
    desk = watched(theirs.new_page())
    desk.goto("/admin/onboarding/onboarding/")
    desk.fill("#searchbar", row.number.e164)
    desk.press("#searchbar", "Enter")
    desk.click("#result_list tbody th a")
    expect(desk.locator(".record-title .pill")).to_have_text("in review")
    expect(desk.locator(".record-acts")).to_contain_text("Approve")
    assert desk.evaluate("document.documentElement.scrollWidth") <= 1280
    desk.click(".record-acts >> text=Reject")
    desk.fill("textarea[name=note]", REASON)
    expect(desk.locator(".preview .said")).to_have_text(REASON)
    desk.click(".record-ask button")
    expect(desk.locator(".record-title .pill")).to_have_text("rejected")
    expect(desk.locator("#timeline")).to_contain_text(REASON)
    expect(desk.locator(".record-acts")).not_to_contain_text("Reject")
    assert desk.faults == []  # type: ignore[attr-defined]

    signup.sees("rejected")
    expect(signup.page.locator("#said")).to_have_text(REASON)
    theirs.close()


def test_the_record_fits_a_phone(browser: Any, signup: Signup, site: str, settings: Any) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    signup.goes_through()
    signup.sees("in_review")
    admin = person("admin@partner.example", staff=True, superuser=True)
    phone = browser.new_context(base_url=site, viewport={"width": 360, "height": 740})
    sign_in(phone, admin, Client())
    desk = phone.new_page()
    row = Onboarding.objects.get()
    for path in ("", f"{row.pk}/change/", f"{row.pk}/decide/reject/", f"{row.pk}/decide/retry/"):
        desk.goto(f"/admin/onboarding/onboarding/{path}")
        assert desk.evaluate("document.documentElement.scrollWidth") <= 360, path
    phone.close()
