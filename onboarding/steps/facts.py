"""What YCloud told, written to our rows: words verbatim, missing ones leave what was known."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from onboarding import durable, outbound_events, requirements, tombstones, transitions
from onboarding.models import Onboarding, PhoneNumber, Proof, WhatsAppBusinessAccount
from onboarding.steps import told
from tenants.prepared import Prepared
from ycloud_client import BusinessAccount
from ycloud_client import PhoneNumber as ListedNumber

_Held = TypeVar("_Held", WhatsAppBusinessAccount, PhoneNumber)
_LOCK = 7102
"""The class of these advisory locks in PostgreSQL; 7101 is that of codes."""


class HeldByAnotherTenantError(Exception):
    """The WABA or the number is connected to another tenant; it stays there."""


def keep_account(row: Onboarding, read: BusinessAccount) -> WhatsAppBusinessAccount:
    """Write what was read of the attempt's WABA. Raises HeldByAnotherTenantError and
    OvertakenError.
    """
    not_overtaken(row)
    waba_id, at = row.claimed_waba_id, row.ycloud_account_id
    with durable.whole():
        held = _held(_ACCOUNTS, row, waba_id) or WhatsAppBusinessAccount(
            tenant=row.tenant, waba_id=waba_id, ycloud_account_id=at
        )
        write_account(held, read, lost="")
        _prove(held, proof_of(row), waba_id)
    return held


def not_overtaken(row: Onboarding) -> None:
    """Asked before the first row of a reading is made or written. Raises OvertakenError."""
    if not transitions.is_mine(row):
        raise transitions.OvertakenError


def write_account(
    held: WhatsAppBusinessAccount,
    read: BusinessAccount,
    *,
    at: datetime | None = None,
    said_at: datetime | None = None,
    **more: object,
) -> None:
    """Write what was read (at a certain time) of a WABA that we know.

    `said_at`: when YCloud spoke of it, if it did; what is new in this reading began then.
    """
    is_new = held.read_at is None  # no onboarding shows it yet, and none at it was connected
    words = {
        "name": read.name,
        "account_review_status": read.account_review_status,
        "payment_method_attached": read.payment_method_attached,
        "business_verification_status": read.business_verification_status,
        "currency": read.currency,
        "country": read.country,
        "messaging_limit": read.messaging_limit,
    }
    shown: dict[str, object] = {n: value for n, value in words.items() if value is not None}
    # These are told only while they are there: their absence is what ends them.
    shown |= {"ban_state": read.ban_state or "", "ban_date": read.ban_date or ""}
    shown |= {"restrictions": list(read.restrictions), **more}
    shown |= {} if is_new else told.beyond_the_reading(held, read)
    if _write(held, shown, at, said_at) and not is_new:
        transitions.facts_changed(account=held)


def keep_number(
    row: Onboarding, account: WhatsAppBusinessAccount, read: ListedNumber
) -> PhoneNumber:
    """Write one number of the attempt's WABA; after `keep_account` in the same transaction, or
    `not_overtaken`. Raises HeldByAnotherTenantError.
    """
    number_id = str(read.id)
    with durable.whole():
        held = _held(_NUMBERS, row, number_id) or PhoneNumber(
            tenant=row.tenant, phone_number_id=number_id
        )
        write_number(held, read, business_account_id=account.pk)
        _prove(held, account.proof, number_id)
    return held


def write_number(
    held: PhoneNumber,
    read: ListedNumber,
    *,
    at: datetime | None = None,
    said_at: datetime | None = None,
    **more: object,
) -> bool:
    """Write what was read (at a certain time) of a number that we know; whether it differs."""
    is_new = held.read_at is None  # no onboarding shows it yet
    words = {
        "e164": read.phone_number,
        "verified_name": read.verified_name,
        "status": read.status,
        "code_verification_status": read.code_verification_status,
        "name_status": read.name_status,
        "new_name_status": read.new_name_status,
        "quality": read.quality_rating,
        "messaging_limit": read.messaging_limit,
        "is_on_biz_app": read.is_on_biz_app,
    }
    shown: dict[str, object] = {n: value for n, value in words.items() if value is not None}
    shown |= more
    if shown.get("status") == "CONNECTED" and held.connected_at is None:
        shown["connected_at"] = timezone.now()
    differs = _write(held, shown, at, said_at)
    if differs and not is_new:
        transitions.facts_changed(number=held)
    return differs


def write_account_number(
    held: PhoneNumber,
    listed: dict[str, ListedNumber],
    at: datetime,
    said_at: datetime | None = None,
) -> bool:
    """Write the number out of a listing of its account; False when it is not listed."""
    read = listed.get(held.phone_number_id)
    if read is not None:
        write_number(held, read, at=at, said_at=said_at)
    return read is not None


_ACCOUNTS = Prepared[WhatsAppBusinessAccount](
    lambda waba_id: WhatsAppBusinessAccount.objects.filter(waba_id=waba_id)
)
_NUMBERS = Prepared[PhoneNumber](
    lambda number_id: PhoneNumber.objects.filter(phone_number_id=number_id)
)


def _held(rows: Prepared[_Held], row: Onboarding, value: str) -> _Held | None:
    """The tenant's row; None where it is ours to make, in this transaction.

    One that another tenant has stays there, proven or not: what a grant may win from a mere claim
    is moved by a transfer case. Raises HeldByAnotherTenantError.
    """
    if (held := _only_ours(rows, row, value)) is not None:
        return held
    _one_at_a_time(value)
    return _only_ours(rows, row, value)


def _only_ours(rows: Prepared[_Held], row: Onboarding, value: str) -> _Held | None:
    known = rows.rows(value)
    ours = next((each for each in known if each.tenant_id == row.tenant_id), None)
    is_proven = ours is not None and ours.proof != Proof.NONE
    if not is_proven and any(each is not ours for each in known):
        raise HeldByAnotherTenantError
    return ours  # proven: then the others, if any, are claims


def _one_at_a_time(value: str) -> None:
    """Nobody else makes a row of this id until the transaction ends.

    The database refuses a second *proven* owner only; of two claims the first one holds.
    """
    key = int(hashlib.sha256(value.encode()).hexdigest()[:7], 16)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, key])


def known_account(row: Onboarding) -> WhatsAppBusinessAccount | None:
    """The attempt's WABA where this tenant has it already. Raises HeldByAnotherTenantError where
    another one does and this one has not proven it before.
    """
    return _only_ours(_ACCOUNTS, row, row.claimed_waba_id)


def proof_of(row: Onboarding) -> Proof:
    """What this attempt has to show for its account: Meta's grant, a reviewer's yes, or nothing."""
    if row.proven:
        return Proof.GRANT
    return Proof.STAFF if row.approved_at is not None else Proof.NONE


def _prove(held: WhatsAppBusinessAccount | PhoneNumber, proof: str, value: str) -> None:
    """Note a better proof than the row has. Raises HeldByAnotherTenantError."""
    if not proof or held.proof in (proof, Proof.GRANT):
        return
    columns: dict[str, object] = {"proof": proof}
    if isinstance(held, WhatsAppBusinessAccount):
        columns["proven_at"] = timezone.now()
    try:
        with transaction.atomic():
            _ours(held).update(**columns)
            tombstones.lift(value)
    except IntegrityError as error:
        raise HeldByAnotherTenantError from error
    held.proof = proof


def _write(
    held: WhatsAppBusinessAccount | PhoneNumber,
    shown: dict[str, object],
    at: datetime | None = None,
    said_at: datetime | None = None,
) -> bool:
    """Write the columns that differ, and since when what follows from them holds; whether anything
    that people see is another.
    """
    fitted = {name: _fitted(held, name, value) for name, value in shown.items()}
    differing: dict[str, Any] = {
        name: value for name, value in fitted.items() if getattr(held, name) != value
    }
    for name, value in differing.items():
        setattr(held, name, value)
    held.read_at = at or timezone.now()
    before = held.standing_since
    written = settle(held, said_at or held.read_at, **differing, read_at=held.read_at)
    return written and bool(differing or held.standing_since != before)


def settle(
    held: WhatsAppBusinessAccount | PhoneNumber,
    at: datetime,
    *,
    quietly: bool = False,
    **columns: Any,
) -> bool:
    """Write the columns, and since when what follows from them holds; tell the partner where what
    is due with a connected number or its account is another. Whether the row was ours to write.

    The tenant is asked too: what was read for one is not written once another has it. A row that
    is not there yet is made.
    """
    before, settled = held.standing_since, requirements.settled(held, at)
    for name, value in settled.items():
        setattr(held, name, value)
    if held.pk is None:
        held.save()
        return True
    ours = _ours(held)
    codes, were = requirements.shown(held.standing_since), requirements.shown(before)
    if quietly or set(codes) == set(were):
        return bool(ours.update(**columns, **settled))  # nothing to tell: one statement is enough
    with transaction.atomic():
        written = bool(ours.update(**columns, **settled))
        if written and _is_connected(held):
            outbound_events.requirements_changed(held, codes=codes, before=were)
    return written


def _ours(held: WhatsAppBusinessAccount | PhoneNumber) -> QuerySet[Any]:
    """The row, unless another tenant has it by now."""
    return type(held)._default_manager.filter(pk=held.pk, tenant=held.tenant_id)


def _is_connected(held: WhatsAppBusinessAccount | PhoneNumber) -> bool:
    numbers = PhoneNumber.objects.filter(next_look_at__isnull=False)
    if isinstance(held, PhoneNumber):
        return numbers.filter(pk=held.pk).exists()
    return numbers.filter(business_account=held).exists()


def _fitted(held: WhatsAppBusinessAccount | PhoneNumber, name: str, value: object) -> object:
    """A word of YCloud's as the column can hold it: an odd one must not stop an onboarding."""
    if not isinstance(value, str):
        return value
    most = getattr(held._meta.get_field(name.removesuffix("_id")), "max_length", None)
    return value.replace("\x00", "")[:most]
