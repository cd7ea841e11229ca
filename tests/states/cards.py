"""The card in each state, plain and with what may accompany it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page

from onboarding.models import MailAddress, Notice, Onboarding, Standing
from tests.states.base import Case
from tests.states.world import NUMBER, S, World

ACCOUNTS = [
    {"waba_id": "770000000000001", "account_name": "John's Cake Shop"},
    {"waba_id": "770000000000002", "account_name": None},
    {"waba_id": "770000000000003", "account_name": "مخبز يوحنا"},
    {"waba_id": "770000000000004", "account_name": "Cakes" + "andmorecakes" * 12},
]
NUMBERS = [
    {"phone_number_id": "780000000000001", "phone_number": NUMBER,
     "verified_name": "John's Cake Shop", "status": "PENDING"},
    {"phone_number_id": "780000000000002", "phone_number": "+34612345679",
     "verified_name": "", "status": "PENDING"},
]  # fmt: skip
SOON, HOURS, DAYS = timedelta(seconds=5), timedelta(hours=5), timedelta(days=6)


def of(state: Any, reason: str = "", who: str = "owner", **told: Any) -> Callable[[World], str]:
    """An attempt in this state, opened by its own address."""

    def plants(world: World) -> str:
        getattr(world, who)()
        row = world.attempt(state, reason, **dict(told))
        return f"/connect/?onboarding={row.public_id}"

    return plants


def case(name: str, state: Any, reason: str = "", *, deep: bool = False, **told: Any) -> Case:
    sees = f"#card[data-state={state}]"
    return Case(f"card-{name}", of(state, reason, **told), sees, deep=deep)


def several(world: World) -> str:
    """Three attempts side by side; the newest is shown, the others are named."""
    world.owner()
    world.attempt(S.CONNECTED, ago=DAYS)
    world.attempt(S.IN_REVIEW, "approval_needed", ago=HOURS)
    world.attempt(S.REGISTERING, ago=SOON)
    return "/connect/"


# --- The section about e-mail ------------------------------


def told_at(*letters: str) -> Callable[[World], str]:
    """A guest who waits, and the addresses that asked to be told."""

    def plants(world: World) -> str:
        world.guest()
        row = world.attempt(S.AWAITING_PAYMENT, "payment_missing", ago=HOURS)
        for index, letter in enumerate(letters):
            _address(row, f"someone{index}@example.com", letter)
        return f"/connect/?onboarding={row.public_id}"

    return plants


def _address(row: Onboarding, email: str, letter: str) -> None:
    confirmed = timezone.now() if letter in ("confirmed", "off") else None
    address = MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email=email, confirmed_at=confirmed,
        off_at=timezone.now() if letter == "off" else None,
    )  # fmt: skip
    standing = {"sent": Standing.MAILED, "refused": Standing.FAILED}.get(letter, Standing.WAITING)
    Notice.objects.create(
        tenant=row.tenant, key=f"confirm-{address.pk}", kind=Notice.Kind.CONFIRM,
        audience=Notice.Audience.GUEST, onboarding=row, address=address, standing=standing,
        due_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def told_member(world: World) -> str:
    world.member()
    row = world.attempt(S.AWAITING_PAYMENT, "payment_missing", ago=HOURS)
    return f"/connect/?onboarding={row.public_id}"


def untold_member(world: World) -> str:
    user = world.member()
    user.wants_letters = False
    user.save()
    row = world.attempt(S.AWAITING_PAYMENT, "payment_missing", ago=HOURS)
    return f"/connect/?onboarding={row.public_id}"


# --- What is opened on the card ------------------------------


def unfolds(page: Page, _: World) -> None:
    for each in page.locator("#card details").all():
        each.locator("summary").first.click()


def starts_again(page: Page, _: World) -> None:
    page.click("[data-act=launch]")


def reconnects(page: Page, _: World) -> None:
    page.click("[data-act=reconnect]")


def chooses_one(page: Page, _: World) -> None:
    page.locator("form.choices input").nth(1).check()


UNWELL: dict[str, Any] = {
    "account": {
        "business_verification_status": "PENDING_NEED_MORE_INFO",
        "restrictions": [{"restrictionType": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
    },
    "number": {"quality": "RED", "status": "FLAGGED", "new_name_status": "PENDING_REVIEW"},
}
APP: dict[str, Any] = {"connection_mode": "business_app"}
GONE: dict[str, Any] = {"health": "health_disconnected", "status": "DISCONNECTED"}
DORMANT: dict[str, Any] = {"ago": timedelta(days=31), "next_look_at": None}

CASES = (
    case("started", S.STARTED, launched_at=None),
    case("started-guest", S.STARTED, who="guest", launched_at=None),
    case("cancelled-withdrawn", S.CANCELLED, "withdrawn"),
    case("cancelled-superseded", S.CANCELLED, "superseded"),
    case("cancelled-meta", S.CANCELLED, "meta_cancelled", current_step="PHONE_NUMBER_SETUP"),
    case("cancelled-error", S.CANCELLED, "meta_error", error_code="999999",
         error_message="Something went wrong", current_step="BUSINESS_INFORMATION"),
    case("cancelled-error-known", S.CANCELLED, "meta_error", error_code="3441030"),
    case("cancelled-silent", S.CANCELLED, "no_confirmation"),
    case("cancelled-expected", S.CANCELLED, "meta_cancelled", expected_number=NUMBER),
    Case("card-start-again", of(S.CANCELLED, "meta_cancelled"), "#choose:visible", starts_again),
    Case("card-start-again-number", of(S.CANCELLED, "meta_cancelled", expected_number=NUMBER),
         "#ready:visible", starts_again),
    case("signed-up", S.SIGNED_UP, ago=SOON),
    case("signed-up-confirmation", S.SIGNED_UP, "waiting_for_confirmation", ago=SOON),
    case("account-choice", S.AWAITING_ACCOUNT, "account_choice", choices=ACCOUNTS),
    Case("card-account-chosen", of(S.AWAITING_ACCOUNT, "account_choice", choices=ACCOUNTS),
         "form.choices", chooses_one, deep=True),
    case("linked", S.LINKED, ago=SOON),
    case("linked-review", S.LINKED, "account_in_review", ago=HOURS),
    case("payment", S.AWAITING_PAYMENT, "payment_missing"),
    case("payment-guest", S.AWAITING_PAYMENT, "payment_missing", who="guest"),
    case("payment-days", S.AWAITING_PAYMENT, "payment_missing", ago=DAYS,
         looks_in=timedelta(hours=30)),
    case("payment-dormant", S.AWAITING_PAYMENT, "payment_missing", **DORMANT),
    case("number-missing", S.AWAITING_NUMBER, "number_missing"),
    case("number-choice", S.AWAITING_NUMBER, "number_choice", choices=NUMBERS),
    case("number-not-listed", S.AWAITING_NUMBER, "number_not_listed", ago=HOURS),
    case("number-not-verified", S.AWAITING_NUMBER, "number_not_verified", number={}),
    case("number-unexpected", S.AWAITING_NUMBER, "number_unexpected", expected_number=NUMBER),
    case("review", S.IN_REVIEW, "approval_needed"),
    case("review-unproven", S.IN_REVIEW, "unproven", account=None, ago=HOURS),
    case("registering", S.REGISTERING, ago=SOON),
    case("registering-app", S.REGISTERING, ago=SOON, **APP),
    case("registering-name", S.REGISTERING, "display_name_review", ago=DAYS),
    case("registering-budget", S.REGISTERING, "register_budget", ago=HOURS,
         looks_in=timedelta(hours=50)),
    case("registering-lost", S.REGISTERING, "answer_lost"),
    case("connecting", S.CONNECTING, ago=SOON),
    case("connecting-long", S.CONNECTING, "takes_longer", ago=HOURS),
    case("connecting-dormant", S.CONNECTING, "takes_longer", **DORMANT),
    case("connected", S.CONNECTED),
    case("connected-guest", S.CONNECTED, who="guest"),
    case("connected-also", S.CONNECTED, **UNWELL),
    Case("card-connected-unfolded", of(S.CONNECTED, **UNWELL), "#card[data-state=connected]",
         unfolds),
    case("connected-app", S.CONNECTED, number={"is_on_biz_app": True}, **APP),
    case("connected-lost", S.CONNECTED, number=GONE),
    Case("card-reconnect", of(S.CONNECTED, number=GONE), "#ready:visible", reconnects),
    case("connected-banned", S.CONNECTED, number={"health": "health_banned", "status": "BANNED"}),
    case("connected-moved", S.CONNECTED, account=None),
    case("attention-pin", S.NEEDS_ATTENTION, "pin_mismatch", number={}),
    case("attention-ids", S.NEEDS_ATTENTION, "ids_missing", account=None),
    Case("card-attention-unfolded", of(S.NEEDS_ATTENTION, "account_rejected"),
         "#card[data-state=needs_attention]", unfolds),
    case("rejected", S.REJECTED, "rejected"),
    Case("card-several", several, ".others"),
    Case("mail-asks", told_at(), ".tell"),
    Case("mail-sent", told_at("sent"), ".tell"),
    Case("mail-each", told_at("asked", "confirmed", "refused", "off"), ".tell"),
    Case("mail-full", told_at(*["confirmed"] * 5), ".tell", deep=True),
    Case("mail-member", told_member, ".tell"),
    Case("mail-untold", untold_member, ".tell"),
)  # fmt: skip
