"""What the control panel's buttons do to accounts and numbers, and which events YCloud sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import scenarios
from sandbox.world import Account, Number, World, restriction

BAN_DATE = "December 9, 2026"

Emit = Callable[[str, dict[str, Any]], None]


class UnknownActError(ValueError):
    """No such act, account or number; the text says which."""


def act(world: World, emit: Emit, asked: dict[str, Any]) -> None:
    """Do one act: `{"act": name, "waba_id" or "phone_number_id": …}`. Raises UnknownActError."""
    name = str(asked.get("act", ""))
    with world.lock:
        if name in ACCOUNT_ACTS:
            account = world.accounts.get(str(asked.get("waba_id", "")))
            if account is None:
                raise UnknownActError(f"{name} needs the waba_id of an account that exists")
            ACCOUNT_ACTS[name](world, emit, account, asked)
        elif name in NUMBER_ACTS:
            number = world.numbers.get(str(asked.get("phone_number_id", "")))
            if number is None:
                raise UnknownActError(f"{name} needs the phone_number_id of a number that exists")
            NUMBER_ACTS[name](world, emit, number)
        else:
            known = ", ".join(sorted([*ACCOUNT_ACTS, *NUMBER_ACTS]))
            raise UnknownActError(f"unknown act {name!r}: use one of {known}")
    world.save()


# --- Accounts ------------------------------------------------------------------------------------


def _account_event(emit: Emit, account: Account, kind: str, **more: Any) -> None:
    answer = account["answer"]
    shown = {"id": answer["id"], "name": answer["name"], **more}
    emit(f"whatsapp.business_account.{kind}", {"whatsappBusinessAccount": shown})


def _attach_payment(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    # Nothing documents an event for this; `announce` sends the likeliest one all the same.
    account["answer"]["paymentMethodAttached"] = True
    if asked.get("announce"):
        _account_event(emit, account, "updated")


def _approve_review(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["accountReviewStatus"] = "APPROVED"
    _account_event(emit, account, "reviewed", accountReviewStatus="APPROVED", decision="APPROVED")


def _reject_review(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["accountReviewStatus"] = "REJECTED"
    _account_event(emit, account, "reviewed", accountReviewStatus="REJECTED", decision="REJECTED")


def _ban(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["banState"] = "DISABLE"
    _account_event(emit, account, "updated", updateEvent="DISABLED_UPDATE", banState="DISABLE")


def _reinstate(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["banState"] = "REINSTATE"
    _account_event(emit, account, "updated", updateEvent="DISABLED_UPDATE", banState="REINSTATE")


def _schedule_ban(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    told = {"banState": "SCHEDULE_FOR_DISABLE", "banDate": str(asked.get("date") or BAN_DATE)}
    account["answer"] |= told
    _account_event(emit, account, "updated", updateEvent="DISABLED_UPDATE", **told)


def _restrict(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    """`type`, `days` (7); `hidden`: only the event tells of it, retrieving the account does not."""
    kind = str(asked.get("type") or "RESTRICTED_BIZ_INITIATED_MESSAGING")
    told = [restriction(kind, world.clock(), float(asked.get("days") or 7))]
    if not asked.get("hidden"):
        account["answer"]["restrictions"] = told
    _account_event(emit, account, "updated", updateEvent="ACCOUNT_RESTRICTION", restrictions=told)


def _lift_restrictions(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["restrictions"] = []
    _account_event(emit, account, "updated", updateEvent="ACCOUNT_RESTRICTION", restrictions=[])


def _verify_business(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    """Any `word`; nothing documents an event for it."""
    account["answer"]["businessVerificationStatus"] = str(asked.get("word") or "verified")


def _detach_payment(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["answer"]["paymentMethodAttached"] = False


def _bind(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["bound"] = True


def _add_number(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    world.add_number(account["answer"]["id"], scenarios.traits("approve"))


def _delete(world: World, emit: Emit, account: Account, asked: dict[str, Any]) -> None:
    account["bound"] = False
    account["answer"]["removed"] = True
    reason = str(asked.get("reason") or "ACCOUNT_DISCONNECTED")
    _account_event(emit, account, "deleted", removedReason=reason, removedInitiatedBy="USER")


ACCOUNT_ACTS: dict[str, Callable[[World, Emit, Account, dict[str, Any]], None]] = {
    "attach_payment": _attach_payment,
    "approve_review": _approve_review,
    "reject_review": _reject_review,
    "ban": _ban,
    "reinstate": _reinstate,
    "schedule_ban": _schedule_ban,
    "restrict": _restrict,
    "lift_restrictions": _lift_restrictions,
    "verify_business": _verify_business,
    "detach_payment": _detach_payment,
    "bind": _bind,
    "add_number": _add_number,
    "delete": _delete,
}

# --- Numbers -------------------------------------------------------------------------------------


def _number_event(emit: Emit, number: Number, kind: str, *names: str, **more: Any) -> None:
    answer = number["answer"]
    shown = {name: answer[name] for name in ("id", "phoneNumber", "wabaId", *names)}
    emit(f"whatsapp.phone_number.{kind}", {"whatsappPhoneNumber": {**shown, **more}})


def _decide_name(emit: Emit, number: Number, decision: str, status: str) -> None:
    number["name_review"] = decision != "APPROVED"
    number["answer"]["nameStatus"] = status
    _number_event(emit, number, "name_updated", "verifiedName", "nameStatus", decision=decision)


def _approve_name(world: World, emit: Emit, number: Number) -> None:
    _decide_name(emit, number, "APPROVED", "APPROVED")


def _decline_name(world: World, emit: Emit, number: Number) -> None:
    _decide_name(emit, number, "REJECTED", "DECLINED")


def _review_name(world: World, emit: Emit, number: Number) -> None:
    number["answer"]["nameStatus"] = "PENDING_REVIEW"


def _set_quality(word: str) -> Callable[[World, Emit, Number], None]:
    def set_quality(world: World, emit: Emit, number: Number) -> None:
        number["answer"]["qualityRating"] = word
        _number_event(emit, number, "quality_updated", "status", "qualityRating")

    return set_quality


def _verify_number(world: World, emit: Emit, number: Number) -> None:
    number["answer"]["codeVerificationStatus"] = "VERIFIED"


def _clear_pin(world: World, emit: Emit, number: Number) -> None:
    number["pin"] = False


def _connect_now(world: World, emit: Emit, number: Number) -> None:
    number["connect_at"] = world.clock()
    world.settled(number)


def _set_status(status: str) -> Callable[[World, Emit, Number], None]:
    def set_status(world: World, emit: Emit, number: Number) -> None:
        number["connect_at"] = None
        number["answer"]["status"] = status
        _number_event(emit, number, "quality_updated", "status", "qualityRating")

    return set_status


def _offboard(world: World, emit: Emit, number: Number) -> None:
    number["answer"]["status"] = "DISCONNECTED"
    _number_event(emit, number, "quality_updated", "status", updateEvent="ACCOUNT_OFFBOARDED")


def _remove(world: World, emit: Emit, number: Number) -> None:
    """The number leaves the account."""
    _number_event(emit, number, "deleted")
    del world.numbers[number["answer"]["id"]]


def _reconnect(world: World, emit: Emit, number: Number) -> None:
    number["answer"]["status"] = "CONNECTED"
    _number_event(emit, number, "quality_updated", "status", updateEvent="ACCOUNT_RECONNECTED")


NUMBER_ACTS: dict[str, Callable[[World, Emit, Number], None]] = {
    "approve_name": _approve_name,
    "decline_name": _decline_name,
    "verify_number": _verify_number,
    "clear_pin": _clear_pin,
    "connect_now": _connect_now,
    "ban_number": _set_status("BANNED"),
    "flag_number": _set_status("FLAGGED"),
    "warn_number": _set_status("WARNED"),
    "rate_limit_number": _set_status("RATE_LIMITED"),
    "restrict_number": _set_status("RESTRICTED"),
    "block_number": _set_status("BLOCKED"),
    "unflag_number": _set_status("CONNECTED"),
    "review_name": _review_name,
    "quality_green": _set_quality("GREEN"),
    "quality_yellow": _set_quality("YELLOW"),
    "quality_red": _set_quality("RED"),
    "unverify": _set_status("UNVERIFIED"),
    "offboard": _offboard,
    "remove_number": _remove,
    "reconnect": _reconnect,
}
