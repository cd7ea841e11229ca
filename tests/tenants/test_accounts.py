"""Signing up, signing in, the second factor, sessions, and where a request comes from."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core import checks, mail, signing
from django.core.management import CommandError, call_command
from django.core.signing import BadSignature
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from tenants import access, cipher, rotation, second_factor
from tenants.address import client_address
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.conftest import pages_of, person

PASSWORD = "a long enough one"
LOGIN, SIGNUP, CONFIRM = "/accounts/login/", "/accounts/signup/", "/accounts/confirm-email/"


def signs_in(client: Client, email: str, password: str = "secret-secret", **more: Any) -> Any:
    return client.post(LOGIN, {"login": email, "password": password}, **more)


def mailed_code() -> str:
    found = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def code_of(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def with_app(user: User) -> str:
    """Give the user an authenticator app; its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


# --- Signing up -----------------------------------------------------------------------------------


@pytest.fixture
def open_signup(settings: Any) -> None:
    settings.TENANT_SELF_SIGNUP = True


NEW = {"company": "Ocean Café", "email": "New@Ocean.example", "password1": PASSWORD}


@pytest.mark.usefixtures("db", "open_signup")
def test_a_company_signs_up_and_its_first_person_owns_it_after_the_mailed_code(
    client: Client,
) -> None:
    assert client.post(SIGNUP, NEW)["Location"] == CONFIRM
    user = User.objects.get(email="new@ocean.example")
    membership = Membership.objects.get(user=user)
    assert membership.tenant.name == "Ocean Café"
    assert membership.tenant.slug.startswith("ocean-cafe-")
    assert membership.role == "owner"
    assert client.get("/connect/").status_code == 302
    assert client.post(CONFIRM, {"code": mailed_code()}).status_code == 302
    assert client.get("/connect/").status_code == 200
    assert AuditEntry.objects.get().act == "tenant.created"


@pytest.mark.usefixtures("db", "open_signup")
def test_a_wrong_code_lets_nobody_in_and_the_third_one_ends_it(client: Client) -> None:
    client.post(SIGNUP, NEW)
    for _ in range(3):
        client.post(CONFIRM, {"code": "ABC234"})
    client.post(CONFIRM, {"code": mailed_code()})
    assert not EmailAddress.objects.get().verified
    assert client.get("/connect/").status_code == 302


@pytest.mark.usefixtures("db", "open_signup")
def test_an_address_with_an_account_is_answered_like_a_new_one_and_makes_nothing(
    client: Client,
) -> None:
    person("new@ocean.example")
    answer = client.post(SIGNUP, NEW)
    assert answer["Location"] == CONFIRM
    assert "There is one already" in mail.outbox[0].body
    assert not Tenant.objects.exists()


@pytest.mark.usefixtures("db", "open_signup")
@pytest.mark.parametrize("company", ["https://evil.example", "www.evil.example", "a\nb", ""])
def test_a_companys_name_carries_no_address_into_mails(client: Client, company: str) -> None:
    assert client.post(SIGNUP, {**NEW, "company": company}).status_code == 200
    assert not User.objects.exists()


@pytest.mark.usefixtures("db")
def test_sign_up_is_closed_unless_the_setting_opens_it(client: Client) -> None:
    assert "Accounts are made for you" in client.post(SIGNUP, NEW).content.decode()
    assert not User.objects.exists()
    assert SIGNUP not in client.get(LOGIN).content.decode()


def test_an_account_made_by_staff_proves_its_address_at_the_first_login(
    client: Client, db: None
) -> None:
    User.objects.create_user("anna", "Anna@Partner.example", "secret-secret")
    assert signs_in(client, "anna@partner.example")["Location"] == CONFIRM
    assert client.post(CONFIRM, {"code": mailed_code()})["Location"] == "/connect/"
    client.post("/accounts/logout/")
    assert signs_in(client, "ANNA@partner.EXAMPLE")["Location"] == "/connect/"


# --- Signing in -----------------------------------------------------------------------------------


def test_guessing_one_accounts_password_is_stopped_from_any_address(
    client: Client, owner: User
) -> None:
    for number in range(5):
        signs_in(client, owner.email, "wrong", REMOTE_ADDR=f"192.0.2.{number + 1}")
    answer = signs_in(client, owner.email, REMOTE_ADDR="192.0.2.99")
    assert answer.status_code == 200
    assert "Too many" in answer.content.decode()


def test_guessing_from_one_address_is_stopped_for_all_accounts(client: Client, owner: User) -> None:
    for number in range(10):
        signs_in(client, f"nobody{number}@cakes.example", "wrong")
    assert "Too many" in signs_in(client, owner.email).content.decode()
    assert signs_in(Client(), owner.email, REMOTE_ADDR="192.0.2.7").status_code == 302


@pytest.mark.usefixtures("db", "open_signup")
def test_too_many_sign_ups_meet_a_page_of_ours(client: Client) -> None:
    for _ in range(10):
        client.post(SIGNUP, {})
    answer = client.post(SIGNUP, {})
    assert answer.status_code == 429
    assert "base.css" in answer.content.decode()


def test_a_forged_header_buys_no_new_guesses(client: Client, owner: User) -> None:
    for number in range(10):
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        signs_in(client, f"nobody{number}@cakes.example", "wrong", headers=forged)
    answer = signs_in(client, owner.email, headers={"X-Forwarded-For": "198.51.100.99"})
    assert "Too many" in answer.content.decode()


def test_behind_a_trusted_proxy_each_client_counts_alone(
    client: Client, owner: User, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(10):
        forged = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"}
        signs_in(client, f"nobody{number}@cakes.example", "wrong", headers=forged)
    same = {"X-Forwarded-For": "203.0.113.77, 198.51.100.1"}
    assert "Too many" in signs_in(client, owner.email, headers=same).content.decode()
    other = {"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}
    assert signs_in(client, owner.email, headers=other).status_code == 302


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.5, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, evil", "10.0.0.1"),
        ("10.0.0.1", "evil, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", "0.0.0.0"),
    ],
)
def test_the_clients_address_is_the_rightmost_that_no_trusted_proxy_has(
    settings: Any, peer: str, header: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    if header:
        request.META["HTTP_X_FORWARDED_FOR"] = header
    assert client_address(request) == address


def test_a_forgotten_password_is_reset_by_mail_and_the_token_leaves_the_address(
    client: Client, owner: User
) -> None:
    client.post("/accounts/password/reset/", {"email": "OWNER@cakes.example"})
    found = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert found
    tokenless = client.get(found[0])["Location"]
    assert found[0] != tokenless
    sent = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post(tokenless, sent).status_code == 302
    assert signs_in(client, owner.email, PASSWORD)["Location"] == "/connect/"
    assert client.get(found[0]).status_code == 200  # the page that says that it was used


def test_whether_an_address_has_an_account_is_not_told_by_the_reset(
    client: Client, owner: User
) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in (owner.email, "nobody@cakes.example")
    ]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]


def confirm_with_password(client: Client, url: str) -> Any:
    sent = {"password": "secret-secret", "next": url}
    return client.post("/accounts/reauthenticate/", sent)


def test_a_new_address_counts_only_after_its_code(client: Client, owner: User) -> None:
    signs_in(client, owner.email)
    confirm_with_password(client, "/accounts/email/")
    sent = {"email": "boss@cakes.example", "action_add": ""}
    assert client.post("/accounts/email/", sent).status_code == 302
    owner.refresh_from_db()
    assert owner.email == "owner@cakes.example"
    assert client.post(CONFIRM, {"code": mailed_code()}).status_code == 302
    owner.refresh_from_db()
    assert owner.email == "boss@cakes.example"
    assert signs_in(Client(), "owner@cakes.example").status_code == 200


def test_changing_the_password_ends_the_other_sessions(client: Client, owner: User) -> None:
    elsewhere = Client()
    signs_in(elsewhere, owner.email)
    signs_in(client, owner.email)
    sent = {"oldpassword": "secret-secret", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/password/change/", sent).status_code == 302
    assert client.get("/accounts/").status_code == 200
    assert elsewhere.get("/accounts/").status_code == 302


def test_an_address_that_staff_change_is_proven_anew_and_the_old_one_opens_nothing(
    client: Client, owner: User, reviewer: User
) -> None:
    desk = pages_of(reviewer)
    page = f"/admin/tenants/user/{owner.pk}/change/"
    form = desk.get(page).context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value not in (None, False)}
    joined = owner.date_joined
    sent |= {
        "email": "Boss@cakes.example", "groups": [], "user_permissions": [],
        "date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}",
    }  # fmt: skip
    assert desk.post(page, sent).status_code == 302
    assert signs_in(Client(), "owner@cakes.example").status_code == 200
    assert signs_in(client, "boss@cakes.example")["Location"] == CONFIRM


# --- The admin behind the same login --------------------------------------------------------------


def test_staff_sign_in_at_the_one_login_and_come_back_to_the_admin(
    client: Client, reviewer: User
) -> None:
    address = "/admin/tenants/tenant/"
    assert client.get(address)["Location"] == f"/admin/login/?next={address}"
    at_login = client.get(address, follow=True)
    assert at_login.redirect_chain[-1][0].startswith(LOGIN)
    sent = {"login": reviewer.email, "password": "secret-secret", "next": address}
    assert client.post(LOGIN, sent)["Location"] == address


def test_staff_without_a_company_come_to_the_admin(client: Client, reviewer: User) -> None:
    assert signs_in(client, reviewer.email)["Location"] == "/admin/"


@pytest.fixture
def strict(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("address", ["/admin/", "/admin/tenants/user/", "/admin/nowhere/"])
def test_staff_without_a_second_factor_are_sent_to_set_one_up(
    client: Client, reviewer: User, address: str
) -> None:
    signs_in(client, reviewer.email)
    assert client.get(address)["Location"] == "/accounts/2fa/"
    assert client.post(address)["Location"] == "/accounts/2fa/"
    assert "Staff need a second factor" in client.get("/accounts/2fa/").content.decode()
    assert client.post("/admin/logout/").status_code == 200


@pytest.mark.usefixtures("transactional_db", "strict")
def test_staff_set_an_app_up_and_are_let_in(client: Client, reviewer: User) -> None:
    signs_in(client, reviewer.email)
    confirm_with_password(client, "/accounts/2fa/totp/activate/")
    client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_a_session_from_before_the_second_factor_has_to_confirm_it(
    client: Client, reviewer: User
) -> None:
    signs_in(client, reviewer.email)
    secret = with_app(reviewer)
    answer = client.get("/admin/")
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/?next=")
    sent = {"code": code_of(secret), "next": "/admin/"}
    assert client.post("/accounts/2fa/reauthenticate/", sent)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_customers_need_no_second_factor(client: Client, owner: User) -> None:
    signs_in(client, owner.email)
    assert client.get("/connect/").status_code == 200


def test_the_check_warns_when_staff_need_no_second_factor(settings: Any) -> None:
    def found() -> set[str]:
        told = checks.run_checks(include_deployment_checks=True)
        return {str(each.id) for each in told if str(each.id).startswith("tenants.")}

    settings.STAFF_MFA_REQUIRED = False
    assert found() == {"tenants.W001"}
    settings.STAFF_MFA_REQUIRED = True
    assert found() == set()


# --- The second factor ----------------------------------------------------------------------------


def test_with_an_app_the_password_alone_opens_nothing(client: Client, owner: User) -> None:
    secret = with_app(owner)
    assert signs_in(client, owner.email)["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/accounts/").status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert answer["Location"] == "/connect/"


def test_a_code_of_the_app_counts_once(owner: User) -> None:
    secret = with_app(owner)
    code, codes = code_of(secret), []
    for _ in range(2):
        client = Client()
        signs_in(client, owner.email)
        codes.append(client.post("/accounts/2fa/authenticate/", {"code": code}).status_code)
    assert codes == [302, 200]


def test_a_recovery_code_counts_once(owner: User) -> None:
    with_app(owner)
    code, codes = RecoveryCodes.activate(owner).generate_codes()[0], []
    for _ in range(2):
        client = Client()
        signs_in(client, owner.email)
        codes.append(client.post("/accounts/2fa/authenticate/", {"code": code}).status_code)
    assert codes == [302, 200]


def test_guessing_codes_is_stopped(client: Client, owner: User) -> None:
    secret = with_app(owner)
    signs_in(client, owner.email)
    for _ in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert answer.status_code == 200


@pytest.mark.usefixtures("transactional_db")
def test_the_first_factor_ends_the_sessions_that_were_opened_without_one(
    client: Client, owner: User
) -> None:
    elsewhere = Client()
    signs_in(elsewhere, owner.email)
    signs_in(client, owner.email)
    confirm_with_password(client, "/accounts/2fa/totp/activate/")
    client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert client.get("/accounts/").status_code == 200
    assert elsewhere.get("/accounts/").status_code == 302


def test_secrets_and_codes_are_sealed_in_the_database(owner: User) -> None:
    secret = with_app(owner)
    RecoveryCodes.activate(owner)
    stored = {row.type: row.data for row in Authenticator.objects.all()}
    assert secret not in str(stored)
    assert cipher.unseal(stored["totp"]["secret"]) == secret
    assert len(cipher.unseal(stored["recovery_codes"]["seed"])) == 80


def test_a_secret_that_no_key_opens_is_nobodys_and_not_empty(owner: User, settings: Any) -> None:
    with_app(owner)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    row = Authenticator.objects.get()
    assert not row.wrap().validate_code(code_of(""))
    adapter = second_factor.MFAAdapter()
    assert adapter.decrypt("x") != adapter.decrypt("x")


def test_secrets_are_sealed_again_with_the_first_key(owner: User, settings: Any) -> None:
    secret = with_app(owner)
    RecoveryCodes.activate(owner)
    old, new = settings.FIELD_ENCRYPTION_KEYS, Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *old]
    assert rotation.rotate_all()["mfa.Authenticator.data"].rotated == 2
    settings.FIELD_ENCRYPTION_KEYS = [new]
    totp = Authenticator.objects.get(type="totp")
    assert cipher.unseal(totp.data["secret"]) == secret


def test_a_login_under_way_leaves_no_code_or_secret_in_a_row(client: Client, db: None) -> None:
    User.objects.create_user("anna", "anna@partner.example", "secret-secret")
    signs_in(client, "anna@partner.example")
    code = mailed_code().replace("-", "")
    row = Session.objects.get(pk=client.session.session_key)
    assert code in str(client.session["account_email_verification_code"]).replace("-", "")
    assert cipher.unseal(row.session_data)
    with pytest.raises(BadSignature):
        signing.loads(row.session_data, salt="django.contrib.sessions.SessionStore")


def test_staff_take_a_lost_factor_away_and_it_is_audited(owner: User, reviewer: User) -> None:
    with_app(owner)
    row = Authenticator.objects.get()
    desk = pages_of(reviewer)
    page = desk.get(f"/admin/mfa/authenticator/{row.pk}/change/").content.decode()
    assert row.data["secret"] not in page
    desk.post(f"/admin/mfa/authenticator/{row.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.act) == (reviewer.username, "authenticator.deleted")


def test_the_command_lets_a_person_in_whom_mail_and_phone_keep_out(
    client: Client, db: None
) -> None:
    anna = User.objects.create_user("anna", "anna@partner.example", "secret-secret")
    with_app(anna)
    call_command("rescue_login", "Anna@partner.example", "--second-factor")
    assert signs_in(client, "anna@partner.example")["Location"] == "/connect/"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.target_id) == ("command", str(anna.pk))
    with pytest.raises(CommandError, match="Nobody"):
        call_command("rescue_login", "nobody@partner.example")


# --- Sessions -------------------------------------------------------------------------------------


@pytest.fixture
def two(owner: User) -> tuple[Client, Client]:
    """The owner at the desk and on the phone."""
    desk, phone = Client(), Client()
    signs_in(desk, owner.email, headers={"User-Agent": "Desk"})
    signs_in(phone, owner.email, headers={"User-Agent": "Phone"}, REMOTE_ADDR="192.0.2.8")
    return desk, phone


def test_sessions_are_listed(two: tuple[Client, Client]) -> None:
    page = two[0].get("/accounts/sessions/").content.decode()
    assert "Desk" in page
    assert "Phone" in page
    assert "192.0.2.8" in page


def test_one_session_is_ended_and_it_ends(two: tuple[Client, Client]) -> None:
    desk, phone = two
    row = UserSession.objects.get(user_agent="Phone")
    desk.post("/accounts/sessions/", {"session": row.pk})
    assert phone.get("/accounts/").status_code == 302
    assert desk.get("/accounts/").status_code == 200


def test_all_other_sessions_are_ended_at_once(two: tuple[Client, Client]) -> None:
    desk, phone = two
    phone.post("/accounts/sessions/", {"others": "1"})
    assert desk.get("/accounts/").status_code == 302
    assert phone.get("/accounts/").status_code == 200


def test_another_persons_session_cannot_be_ended(
    two: tuple[Client, Client], stranger: User
) -> None:
    row = UserSession.objects.get(user_agent="Phone")
    answer = pages_of(stranger).post("/accounts/sessions/", {"session": row.pk})
    assert answer.status_code == 404
    assert two[1].get("/accounts/").status_code == 200


# --- Every page -----------------------------------------------------------------------------------

PUBLIC = [LOGIN, "/accounts/password/reset/", "/accounts/password/reset/done/",
          "/accounts/inactive/", "/accounts/password/reset/key/1-x/",
          "/accounts/password/reset/key/done/", "/accounts/confirm-email/abc/", "/invitation/",
          SIGNUP]  # fmt: skip
OWN = ["/accounts/", "/accounts/email/", "/accounts/password/change/", "/accounts/sessions/",
       "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/",
       "/accounts/2fa/webauthn/add/", "/accounts/reauthenticate/", "/company/cakes/",
       "/company/cakes/members/"]  # fmt: skip


@pytest.mark.usefixtures("open_signup")
@pytest.mark.parametrize("address", PUBLIC + OWN)
def test_each_page_is_ours_and_under_the_strict_policy(
    client: Client, owner: User, address: str
) -> None:
    if address in OWN:
        signs_in(client, owner.email)
        confirm_with_password(client, "/accounts/")
    answer = client.get(address)
    page = answer.content.decode()
    assert answer.status_code in (200, 404)
    assert "base.css" in page
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "Menu:" not in page


def test_the_second_factor_is_asked_for_however_the_admin_is_reached(
    reviewer: User, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = True
    desk = pages_of(reviewer)
    for more in ({}, {"SCRIPT_NAME": "/x"}):
        answer = desk.get("/admin/tenants/apikey/add/", **more)
        assert answer.status_code == 302, more


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may do everything with people, and are no superuser."""
    user = person("clerk@partner.example", staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=["tenants", "auth"])
    )
    return user


def test_staff_give_nobody_rights_and_change_no_superuser(
    clerk: User, reviewer: User, owner: User
) -> None:
    desk = pages_of(clerk)
    for user in (clerk, owner):
        shown = desk.get(f"/admin/tenants/user/{user.pk}/change/")
        assert shown.status_code == 200
        fields = shown.context["adminform"].form.fields
        assert not {"is_superuser", "is_staff", "groups", "user_permissions"} & set(fields)
        desk.post(f"/admin/tenants/user/{user.pk}/change/", {
            "username": user.username, "email": user.email, "is_superuser": "on", "is_staff": "on",
            "is_active": "on", "date_joined_0": "2026-11-27", "date_joined_1": "10:00:00",
        })  # fmt: skip
    assert not User.objects.exclude(pk=reviewer.pk).filter(is_superuser=True).exists()
    assert not User.objects.get(pk=owner.pk).is_staff
    password = f"/admin/tenants/user/{reviewer.pk}/password/"
    assert desk.get(password).status_code == 403
    assert (
        desk.post(f"/admin/tenants/user/{reviewer.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert desk.get("/admin/auth/group/add/").status_code == 403


# --- Who asks -------------------------------------------------------------------------------------


def test_a_membership_counts_from_the_next_request_on_and_no_longer_than_it_lasts(
    owner: User, other_tenant: Tenant
) -> None:
    pages, address = pages_of(owner), f"/company/{other_tenant.slug}/"
    assert pages.get(address).status_code == 404
    joined = Membership.objects.create(user=owner, tenant=other_tenant)
    assert pages.get(address).status_code == 200
    joined.delete()
    assert pages.get(address).status_code == 404


def test_a_person_who_was_made_inactive_is_signed_out_at_once(owner: User) -> None:
    pages = pages_of(owner)
    assert pages.get("/company/cakes/").status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert pages.get("/company/cakes/").status_code == 302


def test_a_person_of_no_company_is_asked_for_by_one_statement_and_has_none(reviewer: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        user = access.with_tenants(reviewer.pk)
        assert user is not None
        assert access.member(user).tenant_ids == ()
    assert len(asked) == 1
    assert access.member(reviewer).tenant_ids == (), "read anew where it was not read along"
