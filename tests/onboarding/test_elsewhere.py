"""Going on in another browser: a plain address for members, a hand-over for guests."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from onboarding import guests, qr, services
from onboarding.models import LinkOpening, Onboarding, SignupLink
from tenants.models import Tenant, User
from tests.conftest import BACKEND, pages_of

ELSEWHERE = "/connect/elsewhere/"


@pytest.fixture
def pages(owner: User) -> Client:
    return pages_of(owner)


@pytest.fixture
def link(tenant: Tenant) -> SignupLink:
    return services.create_link(tenant)[0]


@pytest.fixture
def guest(tenant: Tenant) -> Client:
    _, token = services.create_link(tenant)
    client = Client()
    client.get(f"/s/{token}/")
    client.link_token = token  # type: ignore[attr-defined]
    return client


@pytest.fixture
def begun(tenant: Tenant, guest: Client) -> Onboarding:
    """What the guest's link began."""
    return Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", link=SignupLink.objects.get(),
        state="awaiting_payment",
    )  # fmt: skip


def address_in(answer: Any) -> str:
    assert answer.status_code == 200
    (address,) = set(re.findall(r'data-copy="([^"]+)"', answer.content.decode()))
    return str(address)


def path_of(address: str, settings: Any) -> str:
    assert address.startswith(f"{settings.SITE_URL}/")
    return address.removeprefix(settings.SITE_URL)


def test_a_member_gets_the_plain_address(pages: Client, tenant: Tenant, settings: Any) -> None:
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app")
    told = pages.post(ELSEWHERE, {"onboarding": row.public_id})
    assert path_of(address_in(told), settings) == f"/connect/?onboarding={row.public_id}"
    assert "sign in there as you did here" in told.content.decode()
    assert path_of(address_in(pages.post(ELSEWHERE)), settings) == "/connect/"


def test_a_guest_gets_a_hand_over_that_lets_another_browser_in(
    guest: Client, begun: Onboarding, settings: Any
) -> None:
    told = guest.post(ELSEWHERE, {"onboarding": begun.public_id})
    page = told.content.decode()
    assert "works for 15 minutes" in page
    assert guest.link_token not in page  # type: ignore[attr-defined]
    other = Client()
    answer = other.get(path_of(address_in(told), settings))
    assert answer.status_code == 302
    assert answer["Location"] == f"/connect/?onboarding={begun.public_id}"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]
    shown = other.get(answer["Location"]).content.decode()
    assert 'data-state="awaiting_payment"' in shown
    assert guests.COOKIE in other.cookies


def test_without_an_attempt_it_leads_to_the_question(guest: Client, settings: Any) -> None:
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    assert Client().get(path)["Location"] == "/connect/"


def test_previews_and_scanners_use_nothing_up(guest: Client, settings: Any) -> None:
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    assert Client().head(path).status_code == 302
    assert Client().get(path, headers={"User-Agent": "WhatsApp/2.24"}).status_code == 302
    assert Client().get(path).status_code == 302
    assert LinkOpening.objects.filter(agent="program").exists(), "each opening is noted"


@pytest.mark.parametrize(("minutes", "status"), [(14, 302), (16, 410)])
def test_it_works_for_a_quarter_of_an_hour(
    guest: Client, settings: Any, minutes: int, status: int
) -> None:
    with time_machine.travel(timezone.now(), tick=True) as clock:
        path = path_of(address_in(guest.post(ELSEWHERE)), settings)
        clock.shift(timedelta(minutes=minutes))
        other = Client()
        answer = other.get(path)
    assert answer.status_code == status
    assert (guests.COOKIE in other.cookies) == (status == 302)
    if status == 410:
        assert "This address has ended" in answer.content.decode()
        assert answer["Referrer-Policy"] == "no-referrer"


def test_it_ends_with_the_link(guest: Client, settings: Any) -> None:
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    other = Client()
    other.get(path)
    services.revoke_link(SignupLink.objects.get())
    assert Client().get(path).status_code == 410
    assert other.get("/connect/").status_code == 410, "whoever came in by it is out too"


def test_an_expired_link_lets_nobody_else_in(guest: Client, settings: Any) -> None:
    """Or one could be handed on for ever."""
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    SignupLink.objects.update(expires_at=timezone.now())
    assert Client().get(path).status_code == 410
    page = guest.post(ELSEWHERE).content.decode()
    assert "Your link has expired" in page
    assert "data-copy" not in page


# --- By a letter ----------------------------------------------------------------------------------


@pytest.fixture
def letters_path(begun: Onboarding) -> str:
    """What a letter to an address of the guest's holds."""
    assert begun.link is not None
    return f"/s/{guests.way_in_of_letter(begun.link, begun.public_id)}/"


def test_a_letter_lets_its_reader_in_on_any_device_as_long_as_the_link_works(
    letters_path: str, begun: Onboarding
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=6), tick=True):
        other = Client()
        answer = other.get(letters_path)
        assert (answer.status_code, answer["Location"]) == (
            302, f"/connect/?onboarding={begun.public_id}",
        )  # fmt: skip
        assert answer["Referrer-Policy"] == "no-referrer"
        assert other.get(answer["Location"]).status_code == 200


def test_a_letters_way_in_ends_with_its_link(letters_path: str) -> None:
    other = Client()
    other.get(letters_path)
    services.revoke_link(SignupLink.objects.get())
    answer = Client().get(letters_path)
    assert answer.status_code == 410
    assert "This link has been ended" in answer.content.decode()
    assert other.get("/connect/").status_code == 410, "whoever came in by it is out too"


def test_of_an_expired_link_it_leads_back_who_is_a_guest_already_and_nobody_else(
    guest: Client, letters_path: str, begun: Onboarding
) -> None:
    SignupLink.objects.update(expires_at=timezone.now())
    answer = Client().get(letters_path)
    assert answer.status_code == 410
    assert "This link has expired" in answer.content.decode()
    assert guest.get(letters_path)["Location"] == f"/connect/?onboarding={begun.public_id}"


def test_a_letters_way_in_is_bound_to_its_link_and_attempt(letters_path: str) -> None:
    token = letters_path.removeprefix("/s/").strip("/")
    told, seal = token.removeprefix("l.").split(":")
    for made_up in (f"l.B{told[1:]}:{seal}", f"h.{told}:{seal}", f"l.{told}", "l.", "l.x:y"):
        assert Client().get(f"/s/{made_up}/").status_code == 404


@pytest.mark.parametrize("spoiled", ["h.", "h.x", "h.AAAA:1abcde:zzzz", "cut", "changed"])
def test_a_hand_over_that_nobody_made_is_unknown(
    guest: Client, settings: Any, spoiled: str
) -> None:
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    token = {"cut": path[3:-2], "changed": "h.B" + path[6:-1]}.get(spoiled, spoiled)
    answer = Client().get(f"/s/{token}/")
    assert answer.status_code == 404
    assert "This link is not known" in answer.content.decode()


def test_who_is_signed_in_there_is_asked_whom_to_act_as(
    guest: Client, settings: Any, stranger: User
) -> None:
    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    assert pages_of(stranger).get(path)["Location"] == "/s/choose/"


def test_a_guest_who_is_signed_in_too_hands_the_link_over(
    guest: Client, owner: User, settings: Any
) -> None:
    guest.force_login(owner, backend=BACKEND)
    assert guest.post(ELSEWHERE).status_code == 401, "nobody has said yet whom to act as"
    guest.post("/s/choose/", {"whom": "link"})
    assert path_of(address_in(guest.post(ELSEWHERE)), settings).startswith("/s/h.")


@pytest.mark.parametrize("who", ["stranger", "guest of another"])
def test_a_stranger_gets_no_address_of_an_attempt(
    stranger: User, other_tenant: Tenant, begun: Onboarding, who: str
) -> None:
    client = pages_of(stranger)
    if who != "stranger":
        client = Client()
        client.get(f"/s/{services.create_link(other_tenant)[1]}/")
    assert client.post(ELSEWHERE, {"onboarding": begun.public_id}).status_code == 404


def test_nobody_gets_none(client: Client, db: None) -> None:
    assert client.post(ELSEWHERE).status_code == 401


def test_it_is_asked_for_by_post_with_the_token(owner: User, pages: Client) -> None:
    assert pages.get(ELSEWHERE).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner, backend=BACKEND)
    assert strict.post(ELSEWHERE).status_code == 403


def test_it_is_made_so_often_and_no_more(pages: Client) -> None:
    told = [pages.post(ELSEWHERE).status_code for _ in range(21)]
    assert told == [200] * 20 + [429]


def test_the_fragment_is_kept_nowhere_and_has_no_style_of_its_own(pages: Client) -> None:
    answer = pages.post(ELSEWHERE)
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert 'role="img"' in page
    assert "aria-label=" in page
    assert "style=" not in page


def test_the_hand_over_is_hidden_in_logs(guest: Client, settings: Any) -> None:
    from config.gunicorn import shown_path
    from tenants.redaction import redact

    path = path_of(address_in(guest.post(ELSEWHERE)), settings)
    token = path.removeprefix("/s/").removesuffix("/")
    assert token not in redact(f"GET {path} 302")
    assert shown_path(path) == "/s/…"


def test_the_picture_has_the_three_corners_of_a_qr_code() -> None:
    drawn = qr.picture("https://connect.cakes.com/connect/")
    for corner in ("M4 4h7v1h-7z", f"M{drawn.side - 11} 4h7v1h-7z", f"M4 {drawn.side - 5}h7v1h-7z"):
        assert corner in drawn.path
    assert not re.search(r"[^Mhvz0-9 -]", drawn.path)
