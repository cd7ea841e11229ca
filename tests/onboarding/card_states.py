"""An onboarding in each state that the card has words of its own for, planted by its columns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from onboarding.models import Onboarding, PhoneNumber, Transition, WhatsAppBusinessAccount
from tenants.models import Tenant

Facts = dict[str, Any]

_ACCOUNT_CHOICE = [
    {"waba_id": "102290129340398", "account_name": "John's Cakes"},
    {"waba_id": "102290129347781"},
]
_NUMBER_CHOICE = [
    {"phone_number_id": "91", "phone_number": "+34612151487", "verified_name": "John's Cakes"},
    {"phone_number_id": "92", "phone_number": "+34612345678", "verified_name": "Cakes to go"},
]

# name -> state, reason, and more: facts of the row; `since` and `due` in minutes from now;
# "account", "number": whether there is one, or its facts.
STATES: dict[str, tuple[str, str, Facts]] = {
    "started": ("started", "", {}),
    "left": ("started", "", {"since": 13, "launched": 12}),
    "withdrawn": ("cancelled", "withdrawn", {"launched": 9}),
    "superseded": ("cancelled", "superseded", {"launched": 9}),
    "closed": ("cancelled", "meta_cancelled", {"launched": 9, "current_step": "PERMISSIONS"}),
    "window_error": ("cancelled", "meta_error", {"launched": 9, "error_code": "3441045"}),
    "unconfirmed": ("cancelled", "no_confirmation", {"launched": 9}),
    "not_found": ("cancelled", "account_not_found", {"launched": 9}),
    "signed_up": ("signed_up", "", {}),
    "joining": ("signed_up", "waiting_for_confirmation", {}),
    "choose_account": ("awaiting_account", "account_choice", {"choices": _ACCOUNT_CHOICE}),
    "linked": ("linked", "", {"account": True}),
    "account_review": ("linked", "account_in_review", {"account": True, "due": 7}),
    "payment": ("awaiting_payment", "payment_missing", {
        "account": {"payment_method_attached": False}, "since": 60 * 50, "due": 300,
    }),
    "dormant": ("awaiting_payment", "payment_missing", {
        "account": {"payment_method_attached": False}, "since": 60 * 24 * 31,
    }),
    "no_number": ("awaiting_number", "number_missing", {"account": True, "due": 2}),
    "choose_number": ("awaiting_number", "number_choice", {
        "account": True, "choices": _NUMBER_CHOICE, "due": 2,
    }),
    "not_listed": ("awaiting_number", "number_not_listed", {"account": True, "due": 1}),
    "not_verified": ("awaiting_number", "number_not_verified", {
        "account": True, "number": True, "due": 4,
    }),
    "wrong_number": ("awaiting_number", "number_unexpected", {
        "account": True, "expected_number": "+34612345678", "due": 4,
    }),
    "review": ("in_review", "approval_needed", {"account": True, "number": True, "since": 200}),
    "unproven": ("in_review", "unproven", {"since": 40}),
    "registering": ("registering", "", {"account": True, "number": True}),
    "app": ("registering", "", {
        "account": True, "number": True, "connection_mode": "business_app",
    }),
    "name_review": ("registering", "display_name_review", {
        "account": True, "number": True, "since": 60 * 20, "due": 120,
    }),
    "budget": ("registering", "register_budget", {
        "account": True, "number": True, "since": 30, "due": 60 * 31,
    }),
    "provider_away": ("registering", "ycloud_unavailable", {
        "account": True, "number": True, "since": 3, "due": 1,
    }),
    "connecting": ("connecting", "", {"account": True, "number": True}),
    "long": ("connecting", "takes_longer", {
        "account": True, "number": True, "since": 60 * 30, "due": 180,
    }),
    "limited": ("connecting", "number_limited", {"account": True, "number": True, "due": 60}),
    "pin": ("needs_attention", "pin_mismatch", {"account": True, "number": True, "since": 25}),
    "ids_missing": ("needs_attention", "ids_missing", {"launched": 9}),
    "held": ("needs_attention", "account_held", {"launched": 9}),
    "refused": ("needs_attention", "register_refused", {"account": True, "number": True}),
    "fault": ("needs_attention", "internal_fault", {"account": True}),
    "account_banned": ("needs_attention", "account_banned", {
        "account": {"ban_state": "DISABLE"},
    }),
    "number_banned": ("needs_attention", "number_banned", {"account": True, "number": True}),
    "rejected": ("rejected", "rejected", {"account": True, "number": True}),
    "connected": ("connected", "", {"account": True, "number": True}),
    "connected_app": ("connected", "", {
        "account": True, "number": {"is_on_biz_app": True}, "connection_mode": "business_app",
    }),
    "lost": ("connected", "", {"account": True, "number": {"health": "number_offboarded"}}),
    "idle_app": ("connected", "", {
        "account": True, "number": {"health": "removed_primary_inactivity", "is_on_biz_app": True},
        "connection_mode": "business_app",
    }),
    "banned": ("connected", "", {"account": True, "number": {"health": "health_banned"}}),
    "account_gone": ("connected", "", {"account": True, "number": {"health": "account_removed"}}),
    "moved": ("connected", "", {"number": True}),
}  # fmt: skip


def planted(tenant: Tenant, name: str, **more: Any) -> Onboarding:
    """The onboarding of that name, with the moves behind it; `more` columns win."""
    state, reason, facts = STATES[name]
    facts = {**facts, **more}
    since = facts.pop("since", 2)
    due, launched = facts.pop("due", None), facts.pop("launched", None)
    account, number = facts.pop("account", None), facts.pop("number", None)
    now = timezone.now()
    row = Onboarding.objects.create(
        **{
            "tenant": tenant, "connection_mode": "business_platform", "state": state,
            "reason": reason, **facts,
        }
    )  # fmt: skip
    if account:
        row.business_account = _account(tenant, row, account if isinstance(account, dict) else {})
    if number:
        row.number = _number(tenant, row, number if isinstance(number, dict) else {})
    if state == "connected" and account is None:
        row.business_account = None
    row.next_look_at = now + timedelta(minutes=due) if due else None
    row.launched_at = now - timedelta(minutes=launched or since + 2)
    if name == "started":
        row.launched_at = None
    row.state_changed_at = now - timedelta(minutes=since)
    row.save()
    _moves(row, since)
    return row


def _account(tenant: Tenant, row: Onboarding, facts: Facts) -> WhatsAppBusinessAccount:
    well = {"payment_method_attached": True, "account_review_status": "APPROVED"}
    return WhatsAppBusinessAccount.objects.create(
        tenant=tenant,
        waba_id=f"10229012934{row.pk:04}",
        name="John's Cake Shop",
        **{**well, **facts},
    )


def _number(tenant: Tenant, row: Onboarding, facts: Facts) -> PhoneNumber:
    account = row.business_account or _account(tenant, row, {})
    well = {
        "verified_name": "John's Cakes", "quality": "GREEN", "messaging_limit": "TIER_1K",
        "status": "CONNECTED" if row.state == "connected" else "PENDING",
        "next_look_at": timezone.now() if row.state == "connected" else None,
    }  # fmt: skip
    lost = {"health_since": timezone.now() - timedelta(hours=26)} if facts.get("health") else {}
    return PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id=f"1065403522{row.pk:05}",
        e164=f"+34612151{row.pk % 1000:03}", **{**well, **lost, **facts},
    )  # fmt: skip


def _moves(row: Onboarding, since: int) -> None:
    """The way there, a minute a state."""
    ways = ["signed_up", "linked", "awaiting_number", "registering", "connecting", "connected"]
    passed = {"started": 0, "cancelled": 0, "signed_up": 0, "awaiting_account": 1, "linked": 1}
    last = passed.get(row.state, 2 if row.business_account_id else 1)
    last = {"registering": 3, "connecting": 4, "connected": 5}.get(row.state, last)
    note = "We could not reach you under this number." if row.state == "rejected" else ""
    way = ["started", *ways[:last], *([row.state] if row.state != "started" else [])]
    for index, (before, state) in enumerate(zip(["", *way], way, strict=False)):
        ends = index == len(way) - 1
        move = Transition.objects.create(
            onboarding=row, from_state=before, to_state=state, note=note if ends else "",
            actor="worker" if index else "customer", reason=row.reason if ends else "",
        )  # fmt: skip
        at = row.state_changed_at - timedelta(minutes=len(way) - 1 - index)
        Transition.objects.filter(pk=move.pk).update(at=at)
