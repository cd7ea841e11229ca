"""One pass of the worker over one row: the fresh reads of YCloud, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from onboarding import ycloud
from onboarding.models import Onboarding, ProviderCall
from ycloud_client import BusinessAccount, WabaId, YCloudError
from ycloud_client import PhoneNumber as ListedNumber

Kind = ProviderCall.Kind


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
