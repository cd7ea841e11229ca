"""One pass of the worker over one row: the fresh reads of YCloud, made once and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from django.db import transaction

from onboarding import codes, ycloud
from onboarding.models import Onboarding, ProviderCall
from ycloud_client import (
    BusinessAccount,
    PermissionDeniedError,
    WabaId,
    YCloudError,
    is_unbound,
)
from ycloud_client import PhoneNumber as ListedNumber

Kind = ProviderCall.Kind
T = TypeVar("T")


class HiddenAccountError(Exception):
    """This YCloud account does not show the WABA (yet): it is not bound, or not ours to see."""


def _is_hidden(account: YCloudError, numbers: object) -> bool:
    """Whether the refusal is about this one WABA, and not about our key.

    404 or 403 for an unbound one, and with which code, is nowhere documented (Nov 2026). A 403 is
    about the WABA when the list that was asked for beside it was answered, or hides it too.
    """
    if is_unbound(account):
        return True
    limited = codes.reason_for(account) in ("ycloud_account_limited", "ycloud_balance_empty")
    refused = isinstance(account, PermissionDeniedError) and not limited
    beside = not isinstance(numbers, YCloudError) or is_unbound(numbers)
    return refused and beside


@dataclass
class Pass:
    """The row, and what this pass has read so far. Never kept beyond one task.

    What follows from one reading (facts, moves, audit rows, the next act's intent) is written in
    one transaction, which ends before anything is called, and with the pass: `together`, `commit`.
    Each commit waits for the disk, and a straight journey had twenty of them.
    """

    row: Onboarding
    account: BusinessAccount | None = None
    numbers: list[ListedNumber] | None = None
    number: ListedNumber | None = None
    found: dict[str, Any] = field(default_factory=dict)
    _known: dict[Hashable, Any] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)
    _is_open: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._open.__exit__(kind, error, trace)

    def together(self) -> None:
        """From here to `commit`, or the end of the pass, all is written or nothing."""
        if not self._is_open:
            self._open.enter_context(transaction.atomic())
            self._is_open = True

    def commit(self) -> None:
        """What was written together is there for all."""
        self._is_open = False
        self._open.close()

    def abandon(self) -> None:
        """Drop what was written together: the row is somebody else's."""
        if self._is_open:
            transaction.set_rollback(True)
        self.commit()

    def once(self, what: Hashable, find: Callable[[], T]) -> T:
        """What the gates of one pass find out from the same reading, each time they are asked."""
        if what not in self._known:
            self._known[what] = find()
        found: T = self._known[what]
        return found

    def knows(self, what: Hashable) -> bool:
        """Whether `once` has found it out already."""
        return what in self._known

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

        Raises HiddenAccountError, or the first YCloudError.
        """
        if self.account is not None and self.numbers is not None:
            return
        self.commit()
        waba_id = self.waba_id
        account, numbers = ycloud.read(
            self.row,
            (Kind.RETRIEVE_ACCOUNT, waba_id, lambda c: c.retrieve_business_account(waba_id)),
            (Kind.LIST_NUMBERS, waba_id, lambda c: c.all_phone_numbers(waba_id)),
        )
        if isinstance(account, YCloudError):
            if _is_hidden(account, numbers):
                raise HiddenAccountError from account
            raise account
        if isinstance(numbers, YCloudError) and is_unbound(numbers):
            numbers = []  # the account is there, and has nothing to list
        if isinstance(numbers, YCloudError):
            raise numbers
        assert isinstance(account, BusinessAccount)
        assert isinstance(numbers, list)
        self.account, self.numbers = account, numbers
        self.together()

    def read_numbers(self) -> list[ListedNumber]:
        """List the numbers only: one call, enough to watch."""
        if self.numbers is None:
            self.commit()
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
        self._known.clear()
