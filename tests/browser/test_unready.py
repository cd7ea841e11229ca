"""The partner's set-up is not finished: the customer reads who must act, and no setting's name."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tenants.models import Tenant, User
from tests.browser.test_accessibility import faults as violations
from tests.onboarding.card_states import planted


def test_a_page_that_is_not_ready_asks_nothing_and_says_who_must_act(
    page: Page, settings: Any
) -> None:
    config, settings.META_CONFIG_ID = settings.META_CONFIG_ID, {"business_platform": ""}
    page.goto("/connect/?new")
    expect(page.locator("#unready")).to_contain_text("Next move: Your partner")
    expect(page.locator("#unready .reference bdi")).not_to_be_empty()
    expect(page.locator("#choose-form")).to_be_hidden()
    assert violations(page) == []
    assert page.faults == []  # type: ignore[attr-defined]
    settings.META_CONFIG_ID = config
    page.click("#unready a")
    expect(page.locator("#choose-form")).to_be_visible()


def test_who_starts_again_on_a_page_that_is_not_ready_is_led_to_the_reason(
    page: Page, owner: User, tenant: Tenant, settings: Any
) -> None:
    settings.META_CONFIG_ID = {"business_platform": "", "business_app": ""}
    row = planted(tenant, "closed", started_by=owner)
    page.goto(f"/connect/?onboarding={row.public_id}")
    expect(page.locator("#unready")).to_be_hidden()
    page.click("[data-act=launch]")
    expect(page.locator("#unready-title")).to_be_focused()
    row.refresh_from_db()
    assert row.state == "cancelled"
