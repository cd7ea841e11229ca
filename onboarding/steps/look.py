"""One pass of the worker over one row: the fresh reads of YCloud, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from onboarding import transitions, ycloud
from onboarding.models import Onboarding, PhoneNumber, ProviderCall, WhatsAppBusinessAccount
from ycloud_client import BusinessAccount, WabaId, YCloudError
from ycloud_client import PhoneNumber as ListedNumber

Kind = ProviderCall.Kind


class HeldByAnotherTenantError(Exception):
    """The WABA or the number is connected to another tenant; it stays there."""


@dataclass
class Pass:
    """The row, and what this pass has read so far. Never kept beyond one task."""

    row: Onboarding
    account: BusinessAccount | None = None
    numbers: list[ListedNumber] | None = None
    number: ListedNumber | None = None
    found: dict[str, Any] = field(default_factory=dict)

    def note(self, **columns: Any) -> None:
        """What the gates found out about the row; written with the next move."""
        for name, value in columns.items():
            setattr(self.row, name, value)
        self.found.update(columns)

    @property
    def waba_id(self) -> WabaId:
        return WabaId(self.row.claimed_waba_id)

    def read(self) -> None:
        """Retrieve the WABA and list its numbers at the same time, once a pass.

        Raises the retrieval's YCloudError first: it says whether the WABA is ours to see.
        """
        if self.account is not None and self.numbers is not None:
            return
        waba_id = self.waba_id
        account, numbers = ycloud.read(
            self.row,
            (Kind.RETRIEVE_ACCOUNT, waba_id, lambda c: c.retrieve_business_account(waba_id)),
            (Kind.LIST_NUMBERS, waba_id, lambda c: c.all_phone_numbers(waba_id)),
        )
        for answer in (account, numbers):
            if isinstance(answer, YCloudError):
                raise answer
        assert isinstance(account, BusinessAccount)
        assert isinstance(numbers, list)
        self.account, self.numbers = account, numbers

    def read_numbers(self) -> list[ListedNumber]:
        """List the numbers only: one call, enough to watch."""
        if self.numbers is None:
            waba_id = self.waba_id
            (numbers,) = ycloud.read(
                self.row,
                (Kind.LIST_NUMBERS, waba_id, lambda c: c.all_phone_numbers(waba_id)),
            )
            if isinstance(numbers, YCloudError):
                raise numbers
            self.numbers = numbers
        return self.numbers

    def forget(self) -> None:
        """What was read is stale (a bind changed it)."""
        self.account = self.numbers = self.number = None

    def keep_account(self) -> WhatsAppBusinessAccount:
        """Write what was read of the WABA. Raises HeldByAnotherTenantError."""
        read = self.account
        assert read is not None
        held = _held(WhatsAppBusinessAccount.objects, self.row, waba_id=self.waba_id)
        assert isinstance(held, WhatsAppBusinessAccount)
        shown: dict[str, object] = {
            "name": read.name or "",
            "account_review_status": read.account_review_status or "",
            "payment_method_attached": read.payment_method_attached,
            "business_verification_status": read.business_verification_status or "",
            "ban_state": read.ban_state or "",
            "restrictions": list(read.restrictions or []),
            "currency": read.currency or "",
            "country": read.country or "",
            "messaging_limit": read.messaging_limit or "",
        }
        if _write(held, shown):
            transitions.facts_changed(account=held)
        return held


def keep_number(
    row: Onboarding, account: WhatsAppBusinessAccount, read: ListedNumber
) -> PhoneNumber:
    """Write one number as YCloud told it; words verbatim, missing ones leave what was known."""
    held = _held(PhoneNumber.objects, row, phone_number_id=str(read.id), business_account=account)
    assert isinstance(held, PhoneNumber)
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
    shown["business_account_id"] = account.pk
    if shown.get("status") == "CONNECTED" and held.connected_at is None:
        shown["connected_at"] = timezone.now()
    if _write(held, shown):
        transitions.facts_changed(number=held)
    return held


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


def _write(held: WhatsAppBusinessAccount | PhoneNumber, shown: dict[str, object]) -> bool:
    """Write the columns that differ; whether anything that people see did."""
    fitted = {name: _fitted(held, name, value) for name, value in shown.items()}
    differing = {name: value for name, value in fitted.items() if getattr(held, name) != value}
    for name, value in differing.items():
        setattr(held, name, value)
    held.read_at = timezone.now()
    held.save(update_fields=[*differing, "read_at"])
    return bool(differing)


def _fitted(held: WhatsAppBusinessAccount | PhoneNumber, name: str, value: object) -> object:
    """A word of YCloud's as the column can hold it: an odd one must not stop an onboarding."""
    if not isinstance(value, str):
        return value
    most = getattr(held._meta.get_field(name.removesuffix("_id")), "max_length", None)
    return value.replace("\x00", "")[:most]
