"""Continue in this tab: Meta's full-page dialog, and the way back that counts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from onboarding import launch, services
from onboarding.doctor import csp, meta
from onboarding.models import Onboarding, SignupEvent
from onboarding.models.onboarding import Grant
from tenants import access
from tenants.models import Tenant, User
from tests.at_once import at_once
from tests.conftest import Sandbox, Worker, pages_of

DIALOG, RETURN = "/connect/dialog/", "/connect/return/"
CODE = "AQ" + "c0de" * 12


@pytest.fixture
def pages(owner: User) -> Client:
    return pages_of(owner)


@pytest.fixture
def guest(tenant: Tenant) -> Client:
    _, token = services.create_link(tenant)
    client = Client()
    client.get(f"/s/{token}/")
    return client


@pytest.fixture
def row(tenant: Tenant, owner: User) -> Onboarding:
    return Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", started_by=owner
    )


def asked(answer: Any) -> dict[str, str]:
    """What Meta's page is asked, from the redirect to it."""
    assert answer.status_code == 303, answer.content
    return dict(parse_qsl(urlsplit(answer["Location"]).query))


def left(client: Client, row: Onboarding) -> str:
    """The browser leaves for Meta's page: the state."""
    return asked(client.post(DIALOG, {"onboarding": row.public_id}))["state"]


def back(client: Client, state: str, **said: str) -> Any:
    return client.get(RETURN, {"state": state, **(said or {"code": CODE})})


# --- Leaving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["business_platform", "business_app"])
def test_metas_page_is_asked_what_its_window_would_be(
    pages: Client, row: Onboarding, mode: str, settings: Any
) -> None:
    Onboarding.objects.update(connection_mode=mode)
    settings.SITE_URL = "https://connect.cakes.com"
    answer = pages.post(DIALOG, {"onboarding": row.public_id})
    address = urlsplit(answer["Location"])
    assert address._replace(query="").geturl() == "https://www.facebook.com/v22.0/dialog/oauth"
    sent = asked(answer)
    assert json.loads(sent.pop("extras")) == launch.extras(mode)
    assert len(sent.pop("state")) > 43
    assert sent == {
        "client_id": "100000000000001", "config_id": "200000000000001", "response_type": "code",
        "redirect_uri": "https://connect.cakes.com/connect/return/",
        "override_default_response_type": "true",
    }  # fmt: skip


def test_the_launch_is_noted(pages: Client, row: Onboarding) -> None:
    left(pages, row)
    row.refresh_from_db()
    assert row.launched_at is not None
    assert SignupEvent.objects.get().event == "LAUNCHED"


def test_the_state_is_kept_as_a_hash_and_in_a_cookie_of_the_way_back_alone(
    pages: Client, row: Onboarding, settings: Any
) -> None:
    settings.HTTPS = True
    answer = pages.post(DIALOG, {"onboarding": row.public_id})
    state = asked(answer)["state"]
    (cookie,) = [c for name, c in answer.cookies.items() if name.startswith("signup_dialog_")]
    assert cookie.value == state
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["secure"]) == (
        RETURN, True, "Lax", True,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM onboarding_onboarding t")
        assert state not in str(cursor.fetchall())


def test_a_cancelled_attempt_is_launched_again(pages: Client, row: Onboarding) -> None:
    Onboarding.objects.update(state="cancelled", reason="meta_cancelled", error_code="1")
    left(pages, row)
    row.refresh_from_db()
    assert (row.state, row.error_code) == ("started", "")


@pytest.mark.parametrize("state", ["signed_up", "awaiting_payment", "connected", "rejected"])
def test_an_attempt_that_went_on_leads_to_its_card(
    pages: Client, row: Onboarding, state: str
) -> None:
    Onboarding.objects.update(state=state)
    answer = pages.post(DIALOG, {"onboarding": row.public_id})
    assert answer.status_code == 303
    assert answer["Location"] == f"/connect/?onboarding={row.public_id}"
    assert not SignupEvent.objects.exists()


@pytest.mark.parametrize("named", ["a foreign one", "nobody's", "nonsense"])
def test_a_stranger_finds_no_attempt(stranger: User, row: Onboarding, named: str) -> None:
    public_id = {"a foreign one": row.public_id, "nobody's": uuid4()}.get(named, named)
    answer = pages_of(stranger).post(DIALOG, {"onboarding": public_id})
    assert answer.status_code == 404
    assert not SignupEvent.objects.exists()


def test_a_guest_does_not_find_what_a_member_began(guest: Client, row: Onboarding) -> None:
    assert guest.post(DIALOG, {"onboarding": row.public_id}).status_code == 404


def test_nobody_is_asked_to_sign_in(client: Client, row: Onboarding) -> None:
    answer = client.post(DIALOG, {"onboarding": row.public_id})
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("use", "mode"),
    [("new", "business_platform"), ("other", "business_platform"), ("app", "business_app")],
)
@pytest.mark.parametrize("who", ["member", "guest"])
def test_without_javascript_the_form_begins_the_attempt(
    request: pytest.FixtureRequest, tenant: Tenant, owner: User, use: str, mode: str, who: str
) -> None:
    client = request.getfixturevalue("guest" if who == "guest" else "pages")
    assert asked(client.post(DIALOG, {"use": use, "tenant": "cakes"}))["state"]
    row = Onboarding.objects.get()
    assert (row.connection_mode, row.tenant) == (mode, tenant)
    assert (row.started_by == owner) == (who == "member")


def test_without_an_answer_to_the_question_the_page_says_so(pages: Client) -> None:
    answer = pages.post(DIALOG, {"use": "nonsense"}, follow=True)
    assert "Choose first how the number is used today." in answer.content.decode()
    assert not Onboarding.objects.exists()


def test_an_expired_link_begins_nothing(guest: Client, tenant: Tenant) -> None:
    tenant.signuplink_set.update(expires_at=timezone.now())
    answer = guest.post(DIALOG, {"use": "new"}, follow=True)
    assert "Your link has expired" in answer.content.decode()
    assert not Onboarding.objects.exists()


def test_another_tenant_is_not_found(pages: Client, other_tenant: Tenant) -> None:
    assert pages.post(DIALOG, {"use": "new", "tenant": "other"}).status_code == 404


@pytest.mark.parametrize("missing", ["META_APP_SECRET", "META_APP_ID", "YCLOUD_API_KEY"])
def test_it_is_offered_only_where_it_can_work(
    pages: Client, row: Onboarding, settings: Any, missing: str
) -> None:
    def offered() -> Any:
        return json.loads(
            pages.get("/connect/?new").content.decode()
            .split('id="page-config" type="application/json">')[1].split("</script>")[0]
        )["dialog_url"]  # fmt: skip

    assert offered() == DIALOG
    setattr(settings, missing, "")
    assert offered() is None
    assert pages.post(DIALOG, {"onboarding": row.public_id}).status_code == 404


def test_a_post_without_the_token_of_the_form_is_refused(owner: User, row: Onboarding) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="tenants.login.Backend")
    assert client.post(DIALOG, {"onboarding": row.public_id}).status_code == 403


def test_it_is_counted_like_any_launch(pages: Client, row: Onboarding, settings: Any) -> None:
    settings.LAUNCHES_PER_MINUTE = 2
    posted = {"onboarding": row.public_id}
    assert [pages.post(DIALOG, posted).status_code for _ in range(3)] == [303, 303, 429]


def test_the_signup_page_alone_may_send_its_forms_to_meta(pages: Client, settings: Any) -> None:
    meta = "form-action 'self' https://www.facebook.com"
    assert meta in pages.get("/connect/")["Content-Security-Policy"]
    for address in ("/", "/accounts/", RETURN):
        assert "facebook" not in pages.get(address)["Content-Security-Policy"]
    settings.META_APP_SECRET = ""
    assert "form-action 'self';" in pages.get("/connect/")["Content-Security-Policy"] + ";"


def test_with_the_sandbox_its_origin_alone_is_let_in(pages: Client, settings: Any) -> None:
    settings.META_DIALOG_URL = "http://127.0.0.1:8001/dialog/oauth"
    assert launch.dialog_origins() == ["http://127.0.0.1:8001"]


# --- Coming back ---------------------------------------------------------------------------------


def test_the_code_is_taken_and_the_address_left_at_once(pages: Client, row: Onboarding) -> None:
    answer = back(pages, left(pages, row))
    assert answer.status_code == 303
    assert answer["Location"] == f"/connect/?onboarding={row.public_id}#main"
    row.refresh_from_db()
    assert (row.state, row.grant, row.code, row.login_status) == (
        "signed_up", Grant.WAITING, CODE, "connected",
    )  # fmt: skip
    assert row.code_by_dialog


def test_a_guest_comes_back_too(guest: Client, tenant: Tenant) -> None:
    state = asked(guest.post(DIALOG, {"use": "app"}))["state"]
    back(guest, state)
    row = Onboarding.objects.get()
    assert (row.state, row.code) == ("signed_up", CODE)
    assert SignupEvent.objects.filter(actor="link", with_code=True).exists()


def test_who_chose_to_act_with_the_link_comes_back_as_its_guest(guest: Client, owner: User) -> None:
    guest.force_login(owner, backend="tenants.login.Backend")
    assert guest.post(DIALOG, {"use": "new"})["Location"] == "/s/choose/"
    guest.post("/s/choose/", {"whom": "link"})
    back(guest, asked(guest.post(DIALOG, {"use": "new"}))["state"])
    row = Onboarding.objects.get()
    assert (row.state, row.started_by) == ("signed_up", None)


def is_lost(answer: Any) -> bool:
    return (answer.status_code, answer["Location"]) == (303, "/connect/lost/")


def assert_lost(answer: Any) -> None:
    assert is_lost(answer)
    page = Client().get(answer["Location"]).content.decode()
    assert "could not be used" in page
    assert 'href="/connect/"' in page
    assert not SignupEvent.objects.exclude(event="LAUNCHED").exists()
    assert not Onboarding.objects.exclude(state="started").exists()


def test_a_used_address_counts_no_second_time(pages: Client, row: Onboarding) -> None:
    state = left(pages, row)
    cookies = pages.cookies.copy()
    back(pages, state)
    events = SignupEvent.objects.count()
    for name, kept in cookies.items():
        pages.cookies[name] = kept.value  # also where the browser had kept the cookie
    again = pages.get(RETURN, {"state": state, "code": CODE.replace("c0de", "other")})
    assert is_lost(again)
    row.refresh_from_db()
    assert row.code == CODE
    assert SignupEvent.objects.count() == events


def test_the_cookie_goes_with_its_use(pages: Client, row: Onboarding) -> None:
    answer = back(pages, left(pages, row))
    (cookie,) = [c for name, c in answer.cookies.items() if name.startswith("signup_dialog_")]
    assert (cookie.value, cookie["path"], cookie["max-age"]) == ("", RETURN, 0)


def test_the_state_of_another_browser_counts_for_nothing(
    pages: Client, owner: User, row: Onboarding
) -> None:
    """The same person, another browser: somebody sent them an address to open."""
    state = left(pages, row)
    assert_lost(back(pages_of(owner), state))


def test_another_person_in_the_same_browser_does_not_come_back_for_the_first(
    pages: Client, row: Onboarding, stranger: User
) -> None:
    state = left(pages, row)
    pages.force_login(stranger, backend="tenants.login.Backend")
    assert_lost(back(pages, state))


def test_a_guest_of_the_company_does_not_come_back_for_a_member(
    pages: Client, row: Onboarding, tenant: Tenant
) -> None:
    state = left(pages, row)
    del pages.cookies["sessionid"]
    pages.get(f"/s/{services.create_link(tenant)[1]}/")
    assert_lost(back(pages, state))


def test_whoever_signed_out_on_the_way_is_told(pages: Client, row: Onboarding) -> None:
    state = left(pages, row)
    del pages.cookies["sessionid"]
    assert_lost(back(pages, state))


def test_whoever_signed_in_on_the_way_is_told(guest: Client, owner: User) -> None:
    state = asked(guest.post(DIALOG, {"use": "new"}))["state"]
    guest.force_login(owner, backend="tenants.login.Backend")
    assert_lost(back(guest, state))


def test_a_guest_whose_link_was_ended_on_the_way_is_told(guest: Client, tenant: Tenant) -> None:
    state = asked(guest.post(DIALOG, {"use": "new"}))["state"]
    services.revoke_link(tenant.signuplink_set.get())
    assert_lost(back(guest, state))


@pytest.mark.parametrize(("minutes", "lost"), [(29, False), (31, True)])
def test_a_state_lives_for_half_an_hour(
    pages: Client, row: Onboarding, minutes: int, lost: bool
) -> None:
    with time_machine.travel("2026-11-24T10:00:00Z", tick=True) as clock:
        state = left(pages, row)
        clock.shift(timedelta(minutes=minutes))
        # A browser whose clock stands still would keep the cookie for longer.
        answer = back(pages, state)
    assert is_lost(answer) == lost


@pytest.mark.parametrize(
    "query",
    [
        {}, {"code": CODE}, {"state": "dlg_guessed", "code": CODE},
        {"state": "dlg_\0", "code": CODE},
    ],
)  # fmt: skip
def test_an_address_without_a_state_of_ours_counts_for_nothing(
    pages: Client, row: Onboarding, query: dict[str, str]
) -> None:
    left(pages, row)
    assert_lost(pages.get(RETURN, query))


@pytest.mark.parametrize("code", ["", "x" * 4001, "a\0b", "a b", "é"])
def test_a_code_that_is_none_uses_nothing_up(pages: Client, row: Onboarding, code: str) -> None:
    state = left(pages, row)
    assert_lost(pages.get(RETURN, {"state": state, "code": code}))
    assert not is_lost(back(pages, state))


def test_a_second_tab_does_not_take_the_first_ones_way_back(
    pages: Client, row: Onboarding, tenant: Tenant, owner: User
) -> None:
    other = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", started_by=owner
    )
    one, two = left(pages, row), left(pages, other)
    assert back(pages, one)["Location"].endswith(f"{row.public_id}#main")
    assert back(pages, two, code=CODE + "2")["Location"].endswith(f"{other.public_id}#main")


@pytest.mark.django_db(transaction=True)
def test_of_two_that_come_back_at_once_one_is_taken(row: Onboarding, owner: User) -> None:
    first = pages_of(owner)
    state = left(first, row)

    def comes(code: str) -> Callable[[], bool]:
        client = Client()
        client.cookies = first.cookies.copy()
        return lambda: is_lost(back(client, state, code=code))

    assert sorted(at_once(comes(CODE + "1"), comes(CODE + "2"))) == [False, True]
    assert SignupEvent.objects.filter(with_code=True).count() == 1


def test_a_customer_who_said_no_has_cancelled(pages: Client, row: Onboarding) -> None:
    answer = back(
        pages, left(pages, row), error="access_denied", error_code="200",
        error_reason="user_denied", error_description="Permissions error",
    )  # fmt: skip
    assert answer["Location"] == f"/connect/?onboarding={row.public_id}#main"
    row.refresh_from_db()
    assert (row.state, row.reason) == ("cancelled", "meta_cancelled")


def test_an_error_of_metas_is_kept_and_cut(pages: Client, row: Onboarding) -> None:
    back(
        pages, left(pages, row), error="server_error", error_code="3441030" * 20,
        error_description="Already registered.\0" + "x" * 900,
    )  # fmt: skip
    row.refresh_from_db()
    assert (row.state, row.reason) == ("cancelled", "meta_error")
    assert (row.error_code[:7], len(row.error_code)) == ("3441030", 40)
    assert row.error_message.startswith("Already registered.x")
    assert len(row.error_message) == 500


@pytest.mark.parametrize("method", ["post", "put", "head", "delete", "options"])
def test_the_way_back_is_for_get_alone(pages: Client, row: Onboarding, method: str) -> None:
    state = left(pages, row)
    answer = getattr(pages, method)(f"{RETURN}?state={state}&code={CODE}")
    assert answer.status_code == 405
    assert not SignupEvent.objects.exclude(event="LAUNCHED").exists()


@pytest.mark.parametrize("taken", [True, False])
def test_the_way_back_leaves_no_trace_in_browsers_and_caches(
    pages: Client, row: Onboarding, taken: bool
) -> None:
    state = left(pages, row)
    answer = back(pages, state if taken else "dlg_another")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert CODE not in answer.content.decode() + str(answer.headers)


@pytest.mark.parametrize("lost", [True, False])
def test_neither_code_nor_state_is_logged(
    pages: Client, row: Onboarding, caplog: pytest.LogCaptureFixture, lost: bool
) -> None:
    caplog.set_level("DEBUG")
    state = left(pages, row)
    back(pages, "dlg_" + "f" * 43 if lost else state)
    pages.post(f"{RETURN}?state={state}&code={CODE}")
    told = "\n".join(record.getMessage() for record in caplog.records if "sql" not in record.msg)
    assert CODE not in told
    assert state not in told


# --- The whole way, with the sandbox's page ------------------------------------------------------


def through(client: Client, row: Onboarding, scenario: str = "") -> None:
    """To the sandbox's page, to its end, and back."""
    address = urlsplit(client.post(DIALOG, {"onboarding": row.public_id})["Location"])
    sent = {**dict(parse_qsl(address.query)), "ending": "finish", "scenario": scenario}
    answer = httpx.post(address._replace(query="").geturl(), data=sent)
    client.get(RETURN + "?" + urlsplit(answer.headers["Location"]).query)


@pytest.mark.parametrize("mode", ["business_platform", "business_app"])
def test_a_code_alone_connects_without_waiting_for_ids(
    worker: Worker, pages: Client, row: Onboarding, sandbox: Sandbox, mode: str
) -> None:
    Onboarding.objects.update(connection_mode=mode)
    began = timezone.now()
    through(pages, row)
    worker.run()
    row.refresh_from_db()
    assert (row.state, row.proven, row.grant) == ("connected", True, Grant.GRANTED)
    assert timezone.now() - began < timedelta(seconds=9), "the window's ids are waited for 10 s"


def test_of_several_accounts_one_is_chosen(
    worker: Worker, pages: Client, row: Onboarding, sandbox: Sandbox
) -> None:
    through(pages, row, "several_accounts")
    worker.run()
    row.refresh_from_db()
    assert (row.state, len(row.choices)) == ("awaiting_account", 2)


def test_an_exchange_that_names_no_way_back_is_refused(
    worker: Worker, pages: Client, row: Onboarding, sandbox: Sandbox
) -> None:
    """So the test above proves that ours names it."""
    through(pages, row)
    Onboarding.objects.update(code_by_dialog=False)
    worker.run()
    row.refresh_from_db()
    assert row.grant == Grant.REFUSED


def test_the_window_after_the_page_names_no_way_back(
    worker: Worker, pages: Client, row: Onboarding, sandbox: Sandbox
) -> None:
    through(pages, row, "error")
    asker = access.member(row.started_by)  # type: ignore[arg-type]
    services.relaunch(row, asker)
    window = sandbox.finish()
    services.record_signup_result(row, asker, {"code": window["code"]})
    worker.run()
    row.refresh_from_db()
    assert (row.code_by_dialog, row.grant) == (False, Grant.GRANTED)


# --- What doctor says of it ----------------------------------------------------------------------


def test_doctor_says_whether_it_is_offered_and_where_meta_leads_back(settings: Any) -> None:
    settings.SANDBOX_ORIGIN = ""
    (finding,) = meta.dialog()
    assert (finding.code, str(finding.level)) == ("meta_dialog", "ok")
    assert finding.value == "http://localhost:8000/connect/return/"
    settings.META_APP_SECRET = ""
    (finding,) = meta.dialog()
    assert (finding.code, str(finding.level)) == ("meta_dialog", "warning")


def test_doctor_finds_a_dialog_that_is_not_https(settings: Any) -> None:
    settings.SANDBOX_ORIGIN = ""
    settings.META_DIALOG_URL = "http://evil.example/dialog/oauth"
    (finding,) = meta.dialog()
    assert (finding.code, str(finding.level)) == ("meta_dialog_url", "error")


def test_doctor_finds_a_policy_that_would_stop_the_form() -> None:
    good = (
        "script-src http://127.0.0.1:9; connect-src http://127.0.0.1:9; "
        "frame-src https://www.facebook.com; form-action 'self' "
    )
    assert str(csp.policy([good + " ".join(launch.dialog_origins())], "here").level) == "ok"
    finding = csp.policy([good + "https://www.facebook.com"], "here")
    assert str(finding.level) == "error"
    assert "https://m.facebook.com (form-action)" in finding.what
