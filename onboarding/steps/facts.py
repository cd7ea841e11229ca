"""What YCloud told, written to our rows: words verbatim, missing ones leave what was known."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding import transitions
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from ycloud_client import BusinessAccount
from ycloud_client import PhoneNumber as ListedNumber


class HeldByAnotherTenantError(Exception):
    """The WABA or the number is connected to another tenant; it stays there."""


def keep_account(row: Onboarding, read: BusinessAccount) -> WhatsAppBusinessAccount:
    """Write what was read of the attempt's WABA. Raises HeldByAnotherTenantError."""
    held = _held(WhatsAppBusinessAccount.objects, row, waba_id=row.claimed_waba_id)
    assert isinstance(held, WhatsAppBusinessAccount)
    told = {
        "name": read.name,
        "account_review_status": read.account_review_status,
        "payment_method_attached": read.payment_method_attached,
        "business_verification_status": read.business_verification_status,
        "currency": read.currency,
        "country": read.country,
        "messaging_limit": read.messaging_limit,
    }
    shown: dict[str, object] = {n: value for n, value in told.items() if value is not None}
    # These are told only while they are there: their absence is what ends them.
    shown |= {"ban_state": read.ban_state or "", "restrictions": list(read.restrictions)}
    if _write(held, shown):
        transitions.facts_changed(account=held)
    return held


def keep_number(
    row: Onboarding, account: WhatsAppBusinessAccount, read: ListedNumber
) -> PhoneNumber:
    """Write one number of the attempt's WABA. Raises HeldByAnotherTenantError."""
    held = _held(PhoneNumber.objects, row, phone_number_id=str(read.id), business_account=account)
    assert isinstance(held, PhoneNumber)
    write_number(held, read, business_account_id=account.pk)
    return held


def write_number(
    held: PhoneNumber, read: ListedNumber, *, at: datetime | None = None, **more: object
) -> bool:
    """Write what was read (at a certain time) of a number that we know; whether it differs."""
    told = {
        "e164": read.phone_number,
        "verified_name": read.verified_name,
        "status": read.status,
        "code_verification_status": read.code_verification_status,
        "name_status": read.name_status,
        "quality": read.quality_rating,
        "messaging_limit": read.messaging_limit,
        "is_on_biz_app": read.is_on_biz_app,
    }
    shown: dict[str, object] = {n: value for n, value in told.items() if value is not None}
    shown |= more
    if shown.get("status") == "CONNECTED" and held.connected_at is None:
        shown["connected_at"] = timezone.now()
    differs = _write(held, shown, at)
    if differs:
        transitions.facts_changed(number=held)
    return differs


def write_account_number(held: PhoneNumber, listed: dict[str, ListedNumber], at: datetime) -> bool:
    """Write the number out of a listing of its account; False when it is not listed."""
    read = listed.get(held.phone_number_id)
    if read is not None:
        write_number(held, read, at=at)
    return read is not None


def _held(objects: object, row: Onboarding, **key: object) -> object:
    """Get or make the tenant's row. Raises HeldByAnotherTenantError."""
    (name, value), *rest = key.items()
    try:
        with transaction.atomic():
            held, _ = objects.get_or_create(  # type: ignore[attr-defined]
                **{name: value}, defaults={"tenant": row.tenant, **dict(rest)}
            )
    except IntegrityError:
        held = objects.get(**{name: value})  # type: ignore[attr-defined]
    if held.tenant_id != row.tenant_id:
        raise HeldByAnotherTenantError
    return held


def _write(
    held: WhatsAppBusinessAccount | PhoneNumber,
    shown: dict[str, object],
    at: datetime | None = None,
) -> bool:
    """Write the columns that differ; whether anything that people see did."""
    fitted = {name: _fitted(held, name, value) for name, value in shown.items()}
    differing = {name: value for name, value in fitted.items() if getattr(held, name) != value}
    for name, value in differing.items():
        setattr(held, name, value)
    held.read_at = at or timezone.now()
    held.save(update_fields=[*differing, "read_at"])
    return bool(differing)


def _fitted(held: WhatsAppBusinessAccount | PhoneNumber, name: str, value: object) -> object:
    """A word of YCloud's as the column can hold it: an odd one must not stop an onboarding."""
    if not isinstance(value, str):
        return value
    most = getattr(held._meta.get_field(name.removesuffix("_id")), "max_length", None)
    return value.replace("\x00", "")[:most]
