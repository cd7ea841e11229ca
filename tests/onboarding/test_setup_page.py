"""The *Set-up* page: who sees it, what it shows, and its buttons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client

from onboarding import doctor
from onboarding.doctor import dashboard
from onboarding.models import SetupTick, WebhookSecret
from tenants.models import AuditEntry, User
from tests.conftest import Sandbox, pages_of, person

PAGE = "/admin/setup/"


def staff(name: str, *rights: str) -> User:
    user = person(f"{name}@partner.example", staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


@pytest.fixture(autouse=True)
def _nobody_listens(db: None, sandbox: Sandbox, settings: Any) -> None:
    settings.SITE_URL = "http://localhost:9"


@pytest.fixture
def reader(db: None) -> Client:
    return pages_of(staff("reader", "view_setup"))


@pytest.fixture
def desk(db: None) -> Client:
    return pages_of(staff("ann", "view_setup", "change_setup"))


def press(desk: Client, act: str, **sent: str) -> Any:
    return desk.post(PAGE, {"act": act, **sent}, follow=True)


def shown(client: Client) -> str:
    return client.get(PAGE).content.decode()


# --- Who -----------------------------------------------------------------------------------------


def test_staff_without_the_right_are_refused() -> None:
    client = pages_of(staff("other", "view_onboarding"))
    assert client.get(PAGE).status_code == 403
    assert press(client, "check").status_code == 403


def test_customers_and_nobody_are_asked_to_sign_in_as_staff(owner: User, client: Client) -> None:
    for who in (client, pages_of(owner)):
        assert who.get(PAGE).status_code == 302
        assert who.post(PAGE, {"act": "check"}).status_code == 302


@pytest.mark.parametrize("act", ["install", "tick", "untick"])
def test_who_may_only_look_changes_nothing(reader: Client, sandbox: Sandbox, act: str) -> None:
    page = shown(reader)
    assert "Install the webhook</button>" not in page
    assert "setup-tick" not in page
    assert press(reader, act, code="app_live").status_code == 403
    assert not SetupTick.objects.exists()
    assert not sandbox.calls


def test_a_foreign_site_cannot_press_a_button(desk: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies
    assert strict.post(PAGE, {"act": "tick", "code": "app_live"}).status_code == 403
    assert not SetupTick.objects.exists()


def test_a_button_that_there_is_not_is_refused(desk: Client) -> None:
    assert press(desk, "explode").status_code == 400
    assert press(desk, "tick", code="nonsense").status_code == 400


# --- Looking -------------------------------------------------------------------------------------


def test_the_page_looks_at_nothing_by_itself(reader: Client, sandbox: Sandbox) -> None:
    assert "Nobody has looked yet" in shown(reader)
    assert not sandbox.calls


def test_checking_shows_each_finding_with_its_remedy_and_keeps_it(
    reader: Client, sandbox: Sandbox
) -> None:
    page = press(reader, "check").content.decode()
    assert "YCloud has no endpoint for http://localhost:9/webhooks/ycloud/." in page
    assert "Run `manage.py doctor --install-webhook`" in page
    assert "The balance at YCloud is 25.00 USD." in page
    asked = len(sandbox.calls)
    assert "The balance at YCloud is 25.00 USD." in shown(reader)
    assert len(sandbox.calls) == asked


def test_every_group_has_its_heading_and_counts(reader: Client) -> None:
    page = press(reader, "check").content.decode()
    for group in doctor.Group:
        assert f'id="group-{group}"' in page
    assert 'class="setup-chip setup-error"' in page
    assert "Error</span>" in page  # a word beside each icon


def test_what_is_found_is_shown_as_text(reader: Client, settings: Any) -> None:
    settings.PARTNER_NAME = "<script>alert(1)</script>"
    page = press(reader, "check").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_no_secret_is_shown(reader: Client, settings: Any) -> None:
    settings.YCLOUD_API_KEY = "wrong-ycloud-key"
    settings.META_APP_SECRET = "wrong-app-secret"
    settings.YCLOUD_WEBHOOK_SECRETS = ["whsec_of_the_environment"]
    page = press(reader, "check").content.decode()
    hidden = [
        settings.YCLOUD_API_KEY, settings.META_APP_SECRET, *settings.YCLOUD_WEBHOOK_SECRETS,
        settings.SECRET_KEY, *settings.FIELD_ENCRYPTION_KEYS,
        settings.DATABASES["default"]["PASSWORD"],
    ]  # fmt: skip
    for secret in filter(None, hidden):
        assert secret not in page
        assert secret not in json.dumps(cache.get("setup_findings"))


def test_a_result_of_another_release_is_no_error(reader: Client) -> None:
    cache.set("setup_findings", ("2026-11-27T10:00:00+00:00", [{"code": "x", "unheard_of": 1}]))
    assert "Nobody has looked yet" in shown(reader)


def test_where_nothing_can_be_kept_the_result_is_shown_at_once(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.admin.setup._keep", lambda *_: False)
    answer = reader.post(PAGE, {"act": "check"})
    assert answer.status_code == 200
    assert "The balance at YCloud is 25.00 USD." in answer.content.decode()


def test_the_sandbox_is_explained_with_what_is_to_be_done_for_going_live(
    reader: Client, settings: Any
) -> None:
    assert "Both sides are the sandbox" in shown(reader)
    settings.SANDBOX_ORIGIN = ""
    assert "Both sides are the sandbox" not in shown(reader)


def test_the_page_is_never_kept_by_a_browser(reader: Client) -> None:
    assert "no-store" in reader.get(PAGE)["Cache-Control"]


# --- The webhook ---------------------------------------------------------------------------------


def test_the_webhook_is_installed_by_a_button_and_its_group_looked_at_anew(
    desk: Client, sandbox: Sandbox
) -> None:
    press(desk, "check")
    page = press(desk, "install").content.decode()
    assert "Installed: http://localhost:9/webhooks/ycloud/" in page
    assert "YCloud sends 6 kinds of events here." in page
    assert "YCloud has no endpoint" not in page
    assert "The balance at YCloud" in page
    assert AuditEntry.objects.get(act="webhook.installed").actor == "ann@partner.example"
    assert WebhookSecret.objects.get().secret not in page


def test_installing_before_anybody_looked_leaves_the_looking_to_be_done(desk: Client) -> None:
    assert "Nobody has looked yet" in press(desk, "install").content.decode()


def test_a_webhook_that_cannot_be_installed_says_why(desk: Client, sandbox: Sandbox) -> None:
    for n in range(20):
        sandbox.server.world.endpoints[str(n)] = {"id": str(n), "url": f"https://x/{n}"}
    assert "20 webhook endpoints" in press(desk, "install").content.decode()


# --- By hand -------------------------------------------------------------------------------------


def test_a_tick_is_kept_with_who_and_noted_and_can_be_taken_back(desk: Client) -> None:
    page = press(desk, "tick", code="app_live").content.decode()
    assert 'id="item-app_live" class="setup-done"' in page
    assert SetupTick.objects.get().ticked_by == "ann@partner.example"
    press(desk, "tick", code="app_live")  # twice is once
    press(desk, "untick", code="app_live")
    press(desk, "untick", code="app_live")
    assert not SetupTick.objects.exists()
    noted = AuditEntry.objects.order_by("pk").values_list("act", "before", "after")
    assert list(noted) == [
        ("setup.ticked", {}, {"code": "app_live"}),
        ("setup.unticked", {"code": "app_live"}, {}),
    ]


def test_all_items_are_listed_with_what_has_to_be_entered(reader: Client, settings: Any) -> None:
    settings.SITE_URL = "https://connect.cakes.com"
    page = shown(reader)
    for item in dashboard.ITEMS:
        assert f'id="item-{item.code}"' in page
    assert 'data-copy="https://connect.cakes.com/connect/return/"' in page
