"""YCloud accounts at the desk and in the API: keys are written and never shown, acts are noted."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from onboarding import groups, tasks, vitals, ycloud_accounts
from onboarding.messages import troubles
from onboarding.models import StaffLetter, YCloudAccount, YCloudAssignment
from sandbox.world import KEYS
from tenants import walls
from tenants.models import AuditEntry, Tenant, User
from tests.config.test_metrics import scraped
from tests.conftest import Sandbox, pages_of, person

LIST = "/admin/onboarding/ycloudaccount/"
ASSIGNED = "/admin/onboarding/ycloudassignment/"
KEY, OTHER_KEY = "a-long-key-of-ycloud-1234", "another-key-of-ycloud-5678"
NEW = {
    "name": "Second", "slug": "second", "new_key": KEY, "new_secrets": "whsec_planted_one\n",
    "per_second": "100", "per_hour": "5000", "takes_new": "on",
}  # fmt: skip


@pytest.fixture
def staff(reviewer: User) -> Client:
    return pages_of(reviewer)


@pytest.fixture
def second(db: None) -> YCloudAccount:
    return YCloudAccount.objects.create(
        name="Second", slug="second", api_key=KEY, webhook_secrets="whsec_planted_one"
    )


def environments() -> YCloudAccount:
    return YCloudAccount.objects.get(from_environment=True)


def press(staff: Client, act: str, *rows: Any, at: str = LIST) -> str:
    sent = {"action": act, "_selected_action": [row.pk for row in rows]}
    return str(staff.post(at, sent, follow=True).content.decode())


def entry(act: str) -> AuditEntry:
    return AuditEntry.objects.get(act=act)


# --- Accounts -------------------------------------------------------------------------------------


def test_an_account_is_added_with_its_key_sealed(staff: Client) -> None:
    assert staff.post(f"{LIST}add/", NEW).status_code == 302
    row = YCloudAccount.objects.get(slug="second")
    assert (row.api_key, row.secrets, row.per_hour) == (KEY, ["whsec_planted_one"], 5000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key, webhook_secrets FROM onboarding_ycloudaccount")
        stored = str(cursor.fetchall())
    assert KEY not in stored
    assert "whsec_planted" not in stored


def test_a_key_and_secrets_are_never_shown_again(staff: Client, second: YCloudAccount) -> None:
    pages = [f"{LIST}{second.pk}/change/", LIST, f"{LIST}{second.pk}/history/"]
    for page in pages:
        shown = staff.get(page).content.decode()
        assert KEY not in shown
        assert "whsec_planted" not in shown
    assert "…1234" in staff.get(LIST).content.decode()


def test_what_is_left_empty_stays_as_it_is(staff: Client, second: YCloudAccount) -> None:
    sent = NEW | {"new_key": "", "new_secrets": "", "name": "Renamed", "per_hour": "7000"}
    assert staff.post(f"{LIST}{second.pk}/change/", sent).status_code == 302
    second.refresh_from_db()
    assert (second.name, second.per_hour, second.api_key) == ("Renamed", 7000, KEY)
    assert second.secrets == ["whsec_planted_one"]


def test_a_new_key_is_noted_without_its_value(staff: Client, second: YCloudAccount) -> None:
    sent = NEW | {"new_key": OTHER_KEY, "new_secrets": "whsec_planted_two"}
    staff.post(f"{LIST}{second.pk}/change/", sent)
    assert ycloud_accounts.of(second.pk).api_key == OTHER_KEY
    noted = entry("ycloudaccount.changed")
    assert {"api_key", "webhook_secrets"} <= noted.after.keys()
    for planted in (KEY, OTHER_KEY, "whsec_planted"):
        assert planted not in f"{noted.before}{noted.after}"


@pytest.mark.parametrize(
    "wrong",
    [{"new_key": ""}, {"new_key": "short"}, {"per_hour": "0"}, {"slug": "environment"},
     {"new_secrets": "\n".join("abcdef")}],
)  # fmt: skip
def test_an_account_that_could_not_be_called_is_not_added(
    staff: Client, wrong: dict[str, str]
) -> None:
    assert staff.post(f"{LIST}add/", NEW | wrong).status_code == 200
    assert YCloudAccount.objects.count() == 1


def test_there_are_no_more_accounts_than_can_be_watched(staff: Client) -> None:
    for n in range(ycloud_accounts.MOST - 1):
        YCloudAccount.objects.create(name=str(n), slug=f"n{n}", api_key=KEY)
    assert staff.post(f"{LIST}add/", NEW).status_code == 200
    assert not YCloudAccount.objects.filter(slug="second").exists()


def test_the_environments_account_takes_no_key_and_no_quota(staff: Client, settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 4321
    row = environments()
    page = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "from the environment" in page
    assert "4321 an hour" in page
    assert 'name="new_key"' not in page
    staff.post(f"{LIST}{row.pk}/change/", {"name": "Ours", "takes_new": "on", "new_key": KEY})
    row.refresh_from_db()
    assert (row.name, row.api_key) == ("Ours", "")
    assert settings.YCLOUD_API_KEY not in page


def test_a_slug_never_changes(staff: Client, second: YCloudAccount) -> None:
    staff.post(f"{LIST}{second.pk}/change/", NEW | {"slug": "other"})
    second.refresh_from_db()
    assert second.slug == "second"


def test_one_account_is_the_default_and_the_change_is_noted(
    staff: Client, second: YCloudAccount, tenant: Tenant
) -> None:
    press(staff, "make_default", second)
    assert [row.slug for row in YCloudAccount.objects.filter(is_default=True)] == ["second"]
    assert ycloud_accounts.for_new(tenant.pk) == second.pk
    assert entry("ycloudaccount.make_default").after == {"is_default": True}
    # The default neither ends nor stops taking what is new.
    assert "is the default" in press(staff, "end", second)
    sent = {name: value for name, value in NEW.items() if name != "takes_new"}
    assert staff.post(f"{LIST}{second.pk}/change/", sent).status_code == 200
    second.refresh_from_db()
    assert (second.ended_at, second.takes_new) == (None, True)


def test_an_account_is_ended_and_taken_up_again(staff: Client, second: YCloudAccount) -> None:
    press(staff, "end", second)
    second.refresh_from_db()
    assert second.ended_at is not None
    assert ycloud_accounts.sender("second") is None
    assert "takes nothing new" in press(staff, "make_default", second)
    press(staff, "take_up", second)
    assert ycloud_accounts.sender("second") is not None
    assert {each.act for each in AuditEntry.objects.all()} == {
        "ycloudaccount.end", "ycloudaccount.take_up",
    }  # fmt: skip


def test_the_environments_account_is_not_ended_at_the_desk(
    staff: Client, second: YCloudAccount
) -> None:
    press(staff, "make_default", second)
    assert "YCLOUD_API_KEY" in press(staff, "end", environments())
    assert environments().ended_at is None


def test_an_account_is_never_deleted(staff: Client, second: YCloudAccount) -> None:
    assert staff.post(f"{LIST}{second.pk}/delete/", {"post": "yes"}).status_code == 403


def test_whoever_may_view_sees_no_form_and_presses_nothing(second: YCloudAccount) -> None:
    groups.ship(apps)
    viewer = person("viewer@partner.example", staff=True)
    viewer.groups.add(Group.objects.get(name="Reviewers"))
    client = pages_of(viewer)
    page = client.get(f"{LIST}{second.pk}/change/")
    assert page.status_code == 200
    assert 'name="new_key"' not in page.content.decode()
    assert client.post(f"{LIST}{second.pk}/change/", NEW).status_code == 403
    assert client.post(f"{LIST}add/", NEW).status_code == 403
    press(client, "end", second)
    second.refresh_from_db()
    assert second.ended_at is None


def test_operators_may_add_and_assign(tenant: Tenant) -> None:
    groups.ship(apps)
    operator = person("operator@partner.example", staff=True)
    operator.groups.add(Group.objects.get(name="Operators"))
    client = pages_of(operator)
    assert client.post(f"{LIST}add/", NEW).status_code == 302
    row = YCloudAccount.objects.get(slug="second")
    sent = {"tenant": tenant.pk, "ycloud_account": row.pk}
    assert client.post(f"{ASSIGNED}add/", sent).status_code == 302
    assert ycloud_accounts.for_new(tenant.pk) == row.pk


def test_a_right_that_came_later_is_added_and_what_was_taken_out_stays_out(db: None) -> None:
    groups.ship(apps)
    operators = Group.objects.get(name="Operators")
    operators.permissions.remove(*Permission.objects.filter(codename="operate_webhookendpoint"))
    operators.permissions.remove(*Permission.objects.filter(codename="operate_ycloudaccount"))
    groups.add(apps, {"Operators": {"operate_ycloudaccount"}})
    held = set(operators.permissions.values_list("codename", flat=True))
    assert "operate_ycloudaccount" in held
    assert "operate_webhookendpoint" not in held


def test_its_secrets_are_encrypted_anew_with_the_first_key(
    second: YCloudAccount, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert "onboarding.YCloudAccount.api_key: 1 encrypted anew" in out.getvalue()
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    second.refresh_from_db()
    assert (second.api_key, second.secrets) == (KEY, ["whsec_planted_one"])


# --- Tenants --------------------------------------------------------------------------------------


def test_tenants_are_assigned_one_by_one_and_many_at_once(
    staff: Client, second: YCloudAccount, tenant: Tenant, other_tenant: Tenant
) -> None:
    first = environments()
    for each in (tenant, other_tenant):
        sent = {"tenant": each.pk, "ycloud_account": first.pk}
        assert staff.post(f"{ASSIGNED}add/", sent).status_code == 302
    press(staff, "assign_to_second", *YCloudAssignment.objects.all(), at=ASSIGNED)
    assert ycloud_accounts.for_new(tenant.pk) == ycloud_accounts.for_new(other_tenant.pk)
    assert ycloud_accounts.for_new(tenant.pk) == second.pk
    noted = AuditEntry.objects.filter(act="ycloudassignment.assign_to_second")
    assert {each.tenant_slug for each in noted} == {"cakes", "other"}
    row = YCloudAssignment.objects.get(tenant=tenant)
    staff.post(f"{ASSIGNED}{row.pk}/delete/", {"post": "yes"})
    assert ycloud_accounts.for_new(tenant.pk) is None


def test_a_tenants_own_request_sees_its_own_assignment_alone(
    second: YCloudAccount, tenant: Tenant, other_tenant: Tenant
) -> None:
    for each in (tenant, other_tenant):
        YCloudAssignment.objects.create(tenant=each, ycloud_account=second)
    walls.current.set(walls.NOTHING)
    with walls.seeing([tenant.pk]):
        assert [row.tenant_id for row in YCloudAssignment.objects.all()] == [tenant.pk]
        assert ycloud_accounts.for_new(tenant.pk) == second.pk
    walls.current.set(walls.EVERYTHING)


def test_the_partners_backend_says_where_a_tenant_begins(
    partner: APIClient, second: YCloudAccount
) -> None:
    made = partner.post("/api/v1/tenants/", {"name": "Baker", "ycloud_account": "second"})
    assert (made.status_code, made.json()["ycloud_account"]) == (201, "second")
    tenant = Tenant.objects.get(slug="baker")
    assert ycloud_accounts.for_new(tenant.pk) == second.pk
    assert entry("tenant.ycloud_account_assigned").after == {"ycloud_account": "second"}
    url = "/api/v1/tenants/baker/"
    assert partner.patch(url, {"name": "Bakers"}).json()["ycloud_account"] == "second"
    assert partner.patch(url, {"ycloud_account": None}).json()["ycloud_account"] is None
    assert ycloud_accounts.for_new(tenant.pk) is None
    assert partner.get(url).json()["ycloud_account"] is None


def test_an_account_that_takes_nothing_new_is_refused_and_makes_no_tenant(
    partner: APIClient, second: YCloudAccount
) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(takes_new=False)
    for slug in ("second", "nobody"):
        answer = partner.post("/api/v1/tenants/", {"name": "Baker", "ycloud_account": slug})
        assert answer.status_code == 400
    assert not Tenant.objects.exists()


def test_the_list_of_tenants_asks_for_all_assignments_at_once(
    partner: APIClient, second: YCloudAccount
) -> None:
    def queries(many: int) -> int:
        Tenant.objects.bulk_create(
            Tenant(name=f"{many} {n}", slug=f"t{many}-{n}") for n in range(many)
        )
        for each in Tenant.objects.filter(ycloud_assignment__isnull=True):
            YCloudAssignment.objects.create(tenant=each, ycloud_account=second)
        with CaptureQueriesContext(connection) as counted:
            assert partner.get("/api/v1/tenants/").status_code == 200
        return len(counted)

    queries(1)
    assert queries(2) == queries(20)


# --- Figures --------------------------------------------------------------------------------------


def test_balance_and_quota_of_each_account_are_shown(
    sandbox: Sandbox, second: YCloudAccount, staff: Client
) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(api_key=KEYS[1], per_hour=50)
    sandbox.server.world.balances[KEYS[1]] = 3.0
    assert tasks.read_balance()
    found = scraped()
    assert found["onboarding_balance", "environment"] == 25.0
    assert found["onboarding_balance", "second"] == 3.0
    assert found["onboarding_quota_used", "second"] == 1
    assert found["onboarding_quota_limit", "second"] == 50
    page = staff.get("/admin/").content.decode()
    assert "Balance at YCloud: Second" in page
    assert "Quota at YCloud: Second" in page


def test_with_one_account_the_desk_names_none(sandbox: Sandbox, staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert "Balance at YCloud" in page
    assert "Balance at YCloud:" not in page


def test_a_low_balance_of_the_second_account_is_a_trouble_of_its_own(
    sandbox: Sandbox, second: YCloudAccount
) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(api_key=KEYS[1])
    sandbox.server.world.balances[KEYS[1]] = 3.0
    tasks.read_balance()
    troubles.watch()
    letter = StaffLetter.objects.get()
    assert (letter.trouble, letter.detail) == (f"balance_low:{second.pk}", "Second: 3.00 USD")
    assert str(troubles.words_of(letter.trouble).what)


def test_where_ycloud_hangs_the_other_balances_wait_for_the_next_time(
    sandbox: Sandbox, second: YCloudAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "BALANCES_SECONDS", -1.0)
    assert not tasks.read_balance()
    assert sandbox.calls == []


def test_an_account_whose_key_fails_does_not_keep_the_others_balances_from_being_read(
    sandbox: Sandbox, second: YCloudAccount, settings: Any
) -> None:
    settings.YCLOUD_API_KEY = "wrong"
    YCloudAccount.objects.filter(pk=second.pk).update(api_key=KEYS[1])
    assert not tasks.read_balance()
    assert scraped()["onboarding_balance", "second"] == 25.0
