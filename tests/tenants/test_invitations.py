"""Invitations: mailed, hashed at rest, opened without effect, accepted by their own address."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from tenants import invitations
from tenants.models import AuditEntry, Invitation, Membership, Tenant, User
from tests.conftest import pages_of, person
from tests.tenants.test_members import faults_of

COMPANY = "/company/cakes/"
PAGE = f"{COMPANY}members/"
PASSWORD = "a long enough one"


def mailed_address() -> str:
    """The address of the newest mail, as a path."""
    found = re.search(r"https?://[^/]+(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


@pytest.fixture
def invitation(owner: User, tenant: Tenant) -> Invitation:
    return invitations.invite(owner, tenant, "New@Cakes.example", "member")


def signs_up(client: Client, **more: str) -> Any:
    return client.post("/accounts/signup/", {"password1": PASSWORD, **more})


# --- Owners ---------------------------------------------------------------------------------------


def test_an_owner_invites_by_a_letter_with_a_link(owner: User, tenant: Tenant) -> None:
    sent = {"email": "new@cakes.example", "role": "owner"}
    answer = pages_of(owner).post(COMPANY + "invite/", sent, follow=True)
    assert "new@cakes.example" in answer.content.decode()
    letter = mail.outbox[0]
    assert letter.to == ["new@cakes.example"]
    assert "owner@cakes.example invites you to John's Cake Shop" in letter.body
    (html, _) = letter.alternatives[0]  # type: ignore[attr-defined]
    assert "owner@cakes.example invites you to John&#x27;s Cake Shop" in str(html)
    assert AuditEntry.objects.get().act == "invitation.created"


def test_the_token_is_nowhere_in_the_database(
    invitation: Invitation, client: Client, owner: User
) -> None:
    client.get(mailed_address())
    token = mailed_address().split("/")[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{token}%"]
            )
            assert cursor.fetchone() == (0,), table


def test_the_owner_sees_the_same_whether_or_not_there_is_an_account(
    owner: User, tenant: Tenant
) -> None:
    person("has@account.example")
    pages = pages_of(owner)
    seen = []
    for email in ("has@account.example", "not@account.example"):
        answer = pages.post(COMPANY + "invite/", {"email": email, "role": "member"}, follow=True)
        page = re.sub(r'value="[^"]+"|datetime="[^"]+"|[0-9a-f-]{36}', "", answer.content.decode())
        seen.append(page.replace("has@", "x@").replace("not@", "x@"))
        Invitation.objects.all().delete()
    assert seen[0] == seen[1]
    assert mail.outbox[0].body.replace("/invitation/", "")[:80] == mail.outbox[1].body[:80]


def test_a_member_is_not_invited_again(owner: User, member: User, tenant: Tenant) -> None:
    sent = {"email": "MEMBER@cakes.example", "role": "member"}
    answer = pages_of(owner).post(COMPANY + "invite/", sent)
    assert answer.status_code == 400
    assert "a member already" in answer.content.decode()
    assert not mail.outbox


def test_a_second_invitation_to_an_address_ends_the_first(
    owner: User, tenant: Tenant, invitation: Invitation, client: Client
) -> None:
    first = mailed_address()
    invitations.invite(owner, tenant, "NEW@cakes.example", "owner")
    assert client.get(first).status_code == 410
    assert client.get(mailed_address()).status_code == 302


def test_mailing_it_again_replaces_the_token_and_begins_the_week_anew(
    owner: User, invitation: Invitation, client: Client
) -> None:
    first = mailed_address()
    resend = f"{COMPANY}invitations/{invitation.public_id}/resend/"
    pages = pages_of(owner)
    assert "just now" in pages.post(resend, follow=True).content.decode()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        pages = pages_of(owner)
        pages.post(resend)
        assert client.get(first).status_code == 404
        assert client.get(mailed_address()).status_code == 302


def test_a_revoked_invitation_says_so_and_lets_nobody_in(
    owner: User, invitation: Invitation, client: Client
) -> None:
    client.get(mailed_address())
    pages_of(owner).post(f"{COMPANY}invitations/{invitation.public_id}/revoke/")
    assert client.get(mailed_address()).status_code == 410
    assert client.get("/invitation/").status_code == 410
    assert signs_up(client).status_code == 200  # the page that says that sign-up is closed
    assert not User.objects.filter(email="new@cakes.example").exists()
    acts = AuditEntry.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["invitation.created", "invitation.revoked"]


def test_nobody_is_invited_while_the_mail_server_refuses(
    owner: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refused)
    sent = {"email": "new@cakes.example", "role": "member"}
    answer = pages_of(owner).post(COMPANY + "invite/", sent)
    assert "could not be sent" in answer.content.decode()
    assert not Invitation.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_tenant_mails_so_many_invitations_an_hour(owner: User, tenant: Tenant) -> None:
    for number in range(invitations.PER_HOUR):
        invitations.invite(owner, tenant, f"n{number}@cakes.example", "member")
    with pytest.raises(invitations.InvitationError, match="Too many"):
        invitations.invite(owner, tenant, "more@cakes.example", "member")


# --- The invited person ---------------------------------------------------------------------------


def test_opening_it_consumes_nothing_and_takes_the_token_out_of_the_address(
    invitation: Invitation, client: Client
) -> None:
    for _ in range(3):  # a mail scanner, twice, and the person
        answer = client.get(mailed_address())
        assert (answer.status_code, answer["Location"]) == (302, "/invitation/")
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
    invitation.refresh_from_db()
    assert invitation.is_valid
    page = client.get("/invitation/")
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    assert mailed_address().split("/")[2] not in page.content.decode()


def test_a_new_person_creates_an_account_for_that_address_and_is_in(
    invitation: Invitation, client: Client, tenant: Tenant
) -> None:
    client.get(mailed_address())
    assert "Create an account to join" in client.get("/invitation/").content.decode()
    answer = signs_up(client, email="somebody@else.example")
    assert answer.status_code == 302
    user = User.objects.get(email="new@cakes.example")
    assert Membership.objects.get(user=user, tenant=tenant).role == "member"
    assert EmailAddress.objects.get(user=user).verified
    assert client.get(PAGE).status_code == 200
    assert client.get(mailed_address()).status_code == 410
    assert not User.objects.filter(email="somebody@else.example").exists()


def test_a_person_with_an_account_signs_in_and_joins(
    invitation: Invitation, client: Client, tenant: Tenant
) -> None:
    user = person("NEW@cakes.example")
    client.get(mailed_address())
    assert "Sign in to join" in client.get("/invitation/").content.decode()
    sent = {"login": "new@cakes.example", "password": "secret-secret", "next": "/invitation/"}
    assert client.post("/accounts/login/", sent)["Location"] == "/invitation/"
    assert not Membership.objects.filter(user=user).exists()
    assert client.post("/invitation/")["Location"] == COMPANY
    assert Membership.objects.get(user=user, tenant=tenant).role == "member"
    acts = AuditEntry.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["invitation.created", "invitation.accepted"]


def test_coming_by_the_mailed_link_proves_the_address_of_an_account_of_long_ago(
    invitation: Invitation, client: Client
) -> None:
    user = person("new@cakes.example")
    EmailAddress.objects.filter(user=user).update(verified=False)
    client.get(mailed_address())
    sent = {"login": "new@cakes.example", "password": "secret-secret", "next": "/invitation/"}
    assert client.post("/accounts/login/", sent)["Location"] == "/invitation/"
    assert EmailAddress.objects.get(user=user).verified


def test_somebody_signed_in_with_another_address_is_told_and_cannot_take_it(
    invitation: Invitation, stranger: User, tenant: Tenant
) -> None:
    pages = pages_of(stranger)
    pages.get(mailed_address())
    page = pages.get("/invitation/").content.decode()
    assert "stranger@other.example" in page
    assert "new@cakes.example" in page
    assert pages.post("/invitation/")["Location"] == "/invitation/"
    assert not Membership.objects.filter(user=stranger, tenant=tenant).exists()


def test_signing_out_there_keeps_the_invitation_and_elsewhere_drops_it(
    invitation: Invitation, stranger: User
) -> None:
    pages = pages_of(stranger)
    pages.get(mailed_address())
    pages.post("/accounts/logout/", {"next": "/invitation/"})
    assert "Create an account to join" in pages.get("/invitation/").content.decode()
    pages = pages_of(stranger)
    pages.get(mailed_address())
    pages.post("/accounts/logout/")
    assert pages.get("/invitation/").status_code == 404


@pytest.mark.parametrize("address", ["/invitation/unknown/", "/invitation/"])
def test_an_unknown_invitation_has_a_neutral_page(client: Client, db: None, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "We do not know this invitation" in answer.content.decode()
    assert answer["X-Robots-Tag"] == "noindex"


def test_an_expired_invitation_says_so(invitation: Invitation, client: Client) -> None:
    client.get(mailed_address())
    Invitation.objects.update(expires_at=timezone.now())
    for address in (mailed_address(), "/invitation/"):
        answer = client.get(address)
        assert answer.status_code == 410
        page = answer.content.decode()
        assert "expired" in page
        assert "Cake" not in page


def test_an_invitation_is_used_once(invitation: Invitation, client: Client) -> None:
    person("new@cakes.example")
    mine = pages_of(User.objects.get(email="new@cakes.example"))
    mine.get(mailed_address())
    client.get(mailed_address())
    assert mine.post("/invitation/")["Location"] == COMPANY
    assert client.get("/invitation/").status_code == 410


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_two_acceptances_at_once_counts(
    transactional_db: None, invitation: Invitation, attempt: int
) -> None:
    user = person("new@cakes.example")
    accepted: list[object] = []

    def accept() -> None:
        request = RequestFactory().post("/invitation/")
        request.session = {invitations.SESSION_KEY: invitation.token_hash}  # type: ignore[assignment]
        accepted.append(invitations.accept(request, user))

    assert faults_of(accept, accept, accept) == []
    assert sum(each is not None for each in accepted) == 1
    assert AuditEntry.objects.filter(act="invitation.accepted").count() == 1
