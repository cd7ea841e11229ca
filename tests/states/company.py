"""The company's pages: its people, its links, and invitations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from playwright.sync_api import Page

from onboarding import services
from onboarding.models import SignupLink
from tenants.models import Invitation
from tenants.tokens import new_token, token_hash
from tests.states.access import page, presses
from tests.states.base import Case
from tests.states.world import NUMBER, S, World


def people_of(world: World) -> str:
    """The page of the company's people, which may be a part of the company's own."""
    slug = world.tenant.slug
    try:
        return reverse("company-members", args=[slug])
    except NoReverseMatch:
        return f"/company/{slug}/"


def alone(world: World) -> str:
    world.owner()
    return people_of(world)


def nothing_yet(world: World) -> str:
    world.owner()
    return f"/company/{world.tenant.slug}/"


def crowded(world: World) -> str:
    """Several people, an open invitation, and one that has expired."""
    user = world.owner()
    world.joins(world.person("second-owner"), "owner")
    world.joins(world.person("a.member.with.a.rather.long.address.that.has.to.fit"))
    invited(world, "new@cakes.example", user)
    invited(world, "late@cakes.example", user, expires_at=timezone.now() - timedelta(days=1))
    return people_of(world)


def as_member(world: World) -> str:
    user = world.member()
    invited(world, "new@cakes.example", user)
    return people_of(world)


def several(world: World) -> str:
    user = world.owner()
    world.joins(user, "member", world.another_company("Second Bakery"))
    return "/company/"


# --- Links ------------------------------


def no_links(world: World) -> str:
    world.owner()
    return f"/company/{world.tenant.slug}/links/"


def many_links(world: World) -> str:
    """One of each kind: plain, for a number, mailed, opened, expired, revoked."""
    world.owner()
    for told in ({}, {"expected_number": NUMBER}, {"expected_number": "+34612345679"}):
        services.create_link(world.tenant, actor="customer", **told)
    plain, numbered, third = SignupLink.objects.for_tenant(world.tenant).order_by("pk")
    now = timezone.now()
    change(plain, times_opened=3, opened_at=now, email="someone@example.com", mail="mailed")
    change(numbered, expires_at=now - timedelta(days=1))
    change(third, revoked_at=now, email="wrong@example.com", mail="failed")
    return f"/company/{world.tenant.slug}/links/"


def change(link: SignupLink, **columns: Any) -> None:
    SignupLink.objects.filter(pk=link.pk).update(**columns)


def links_of_a_member(world: World) -> str:
    world.member()
    services.create_link(world.tenant, actor="customer")
    return f"/company/{world.tenant.slug}/links/"


def link_in_use(world: World) -> str:
    """Made by the partner, opened, and with an attempt that goes on."""
    world.guest()
    world.attempt(S.AWAITING_PAYMENT, "payment_missing")
    world.guest_token = ""
    SignupLink.objects.for_tenant(world.tenant).update(times_opened=2, opened_at=timezone.now())
    world.owner()
    return f"/company/{world.tenant.slug}/links/"


def opens_and_makes_a_link(page: Page, world: World) -> None:
    page.click("#make > summary")
    makes_a_link(page, world)


def makes_a_link(page: Page, _: World) -> None:
    with page.expect_navigation():
        page.locator("main form:has([name=expected_number]) button").last.click()


def asks_wrongly(page: Page, world: World) -> None:
    page.locator("details:has([name=expected_number])").evaluate_all(
        "each => each.forEach(details => { details.open = true })"
    )
    page.fill("[name=expected_number]", "12")
    makes_a_link(page, world)


# --- Numbers ------------------------------


def with_numbers(world: World) -> str:
    """A company with a number of each kind of standing."""
    world.owner()
    world.attempt(S.CONNECTED, ago=timedelta(days=9))
    world.attempt(S.CONNECTED, ago=timedelta(days=8), number={"health": "health_disconnected"})
    world.attempt(S.CONNECTED, ago=timedelta(days=7), account={"ban_state": "DISABLE"})
    world.attempt(S.AWAITING_PAYMENT, "payment_missing", ago=timedelta(days=2))
    world.attempt(S.CANCELLED, "meta_cancelled", ago=timedelta(hours=2))
    return f"/company/{world.tenant.slug}/"


def with_each_number(who: str) -> Callable[[World], str]:
    """One of each kind: connected and well, needing somebody, under way, come to nothing."""

    def plants(world: World) -> str:
        getattr(world, who)()
        day = timedelta(days=1)
        for turn, number in enumerate(NUMBERS_OF_EACH_KIND):
            told = {"e164": f"+3461234568{turn}", **number}
            world.attempt(S.CONNECTED, ago=turn * day, number=told)
        for state, reason, told in ATTEMPTS_OF_EACH_KIND:
            world.attempt(state, reason, ago=2 * day, expected_number="", **told)
        return f"/company/{world.tenant.slug}/"

    return plants


NUMBERS_OF_EACH_KIND: tuple[dict[str, Any], ...] = (
    {}, {"health": "health_disconnected", "status": "DISCONNECTED"},
    {"health": "health_banned", "status": "BANNED"}, {"quality": "YELLOW", "status": "FLAGGED"},
    {"quality": "RED", "messaging_limit": "TIER_100K"}, {"new_name_status": "PENDING_REVIEW"},
)  # fmt: skip
ATTEMPTS_OF_EACH_KIND: tuple[tuple[Any, str, dict[str, Any]], ...] = (
    (S.STARTED, "", {}), (S.AWAITING_PAYMENT, "payment_missing", {}),
    (S.IN_REVIEW, "approval_needed", {}), (S.REGISTERING, "", {"number": {"e164": "+34611111111"}}),
    (S.NEEDS_ATTENTION, "account_moved", {}), (S.CANCELLED, "meta_cancelled", {}),
    (S.CANCELLED, "withdrawn", {"account": {"payment_method_attached": False}}),
    (S.REJECTED, "rejected", {}), (S.CANCELLED, "withdrawn", {"connection_mode": "business_app"}),
)  # fmt: skip


def unfolds(page: Page, _: World) -> None:
    for each in page.locator("main details > summary").all():
        each.click()


# --- Invitations ------------------------------


def invited(world: World, email: str, by: Any, **columns: Any) -> str:
    """An invitation, and the address that its letter holds."""
    token, now = new_token(), timezone.now()
    told = {"sent_at": now, "expires_at": now + timedelta(days=7), **columns}
    Invitation.objects.create(
        tenant=world.tenant, email=email, role="member", token_hash=token_hash(token),
        invited_by=by, **told,
    )  # fmt: skip
    return f"/invitation/{token}/"


def invitation(signed_in: str = "", **columns: Any) -> Callable[[World], str]:
    """An invitation, opened by nobody, by the one whom it was mailed to, or by somebody else."""

    def plants(world: World) -> str:
        by = world.joins(world.person("owner"), "owner")
        invitee = world.person("invitee") if signed_in == "mine" else None
        world.signed_in = invitee or (world.person("else") if signed_in else None)
        email = invitee.email if invitee else "new@cakes.example"
        now = timezone.now()
        return invited(world, email, by, **{name: now + at for name, at in columns.items()})

    return plants


EARLIER = timedelta(hours=-1)

EACH = ".dashboard:has(.tag.done):has(.tag.act):has(.tag.stop):has(.tag.wait):has(.ended[open])"

CASES: tuple[Case, ...] = (
    page("company-empty", nothing_yet),
    page("company-alone", alone),
    page("company-crowded", crowded),
    page("company-member", as_member),
    page("company-several", several),
    page("company-numbers", with_numbers),
    page("company-each", with_each_number("owner"), unfolds, sees=EACH),
    page("company-each-member", with_each_number("member"), sees=EACH.replace("[open]", "")),
    page("links-none", no_links),
    page("links-many", many_links),
    page("links-member", links_of_a_member),
    page("links-made", no_links, makes_a_link, sees=".made #address"),
    page("links-replaced", link_in_use, opens_and_makes_a_link, sees=".made .note:visible"),
    page("links-wrong", no_links, asks_wrongly, sees="#make .errorlist:visible"),
    page("invitation-nobody", invitation()),
    page("invitation-mine", invitation("mine")),
    page("invitation-other", invitation("other")),
    page("invitation-used", invitation(accepted_at=EARLIER)),
    page("invitation-expired", invitation(expires_at=EARLIER)),
    page("invitation-revoked", invitation(revoked_at=EARLIER)),
    page("invitation-unknown", lambda _: "/invitation/unknown/"),
    page("invitation-accepted", invitation("mine"), presses),
)
