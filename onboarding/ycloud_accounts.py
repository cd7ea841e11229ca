"""By which of the partner's YCloud accounts a call goes: its key, and its own share of the quota.

Rows name their YCloud account by its key (`ycloud_account_id`); None is the environment's, whose
key, secrets and quota are settings and are read at each call. `using()` says for which account
calls, windows and figures of the block are; `ycloud.read` and `ycloud.act` enter the account of the
row that they are given, so no call can go out by another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q, QuerySet

from onboarding.models import WebhookSecret, YCloudAccount
from onboarding.models.ycloud_account import ENVIRONMENT
from ycloud_client import AuthenticationError

MOST = 20
"""Accounts that may be in use: each is a label in the metrics, and read by doctor and beat."""

LONGEST_EVENT_ID = 128


class EndedError(AuthenticationError):
    """Staff ended the YCloud account here: nothing is called with its key any more."""

    def __init__(self, access: Access) -> None:
        super().__init__(status=401, message=f"the YCloud account {access.slug} was ended here")


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs to know of the YCloud account that it goes by. `id`: None for the first."""

    id: int | None
    slug: str
    name: str
    api_key: str = field(repr=False)
    per_second: int
    per_hour: int
    ended: bool = False

    @property
    def address(self) -> str:
        """The last part of its webhook's address."""
        return "" if self.id is None else self.slug

    def suffix(self, name: str) -> str:
        """A name of this account's own; those of the first are what they were before."""
        return name if self.id is None else f"{name}:{self.id}"


def first() -> Access:
    """The environment's."""
    return Access(
        None, ENVIRONMENT, "YCloud", settings.YCLOUD_API_KEY,
        settings.YCLOUD_QUOTA_PER_SECOND, settings.YCLOUD_QUOTA_PER_HOUR,
    )  # fmt: skip


def of(account_id: int | None) -> Access:
    """As it is at this moment: a key that was changed a moment ago is the new one already."""
    return first() if account_id is None else _access(YCloudAccount.objects.get(pk=account_id))


def _access(row: YCloudAccount) -> Access:
    if row.from_environment:
        return first()
    ended = row.ended_at is not None
    return Access(row.pk, row.slug, row.name, row.api_key, row.per_second, row.per_hour, ended)


def active() -> list[Access]:
    """Those in use, the environment's first."""
    return [first(), *map(_access, _others().filter(ended_at__isnull=True)[: MOST - 1])]


def ids() -> list[int | None]:
    """Of all that ever were, ended ones too: their rows are to be told."""
    return [None, *_others().values_list("pk", flat=True)]


def _others() -> QuerySet[YCloudAccount]:
    return YCloudAccount.objects.filter(from_environment=False).order_by("pk")


_current: ContextVar[Access | None] = ContextVar("ycloud_account", default=None)


def now() -> Access:
    """The one that this block is for; outside of any, the environment's."""
    return _current.get() or first()


@contextmanager
def using(which: Access | int | None) -> Iterator[Access]:
    """Calls, windows and figures in this block are of this YCloud account."""
    access = which if isinstance(which, Access) else of(which)
    held = _current.set(access)
    try:
        yield access
    finally:
        _current.reset(held)


# --- Which one is whose ---------------------------------------------------------------------------


def for_new(tenant_id: int) -> int | None:
    """Where what this tenant begins now goes: where it is assigned to, else the default one."""
    assigned, usable = Q(ycloudassignment__tenant=tenant_id), Q(takes_new=True, ended_at=None)
    rows = YCloudAccount.objects.filter(usable, assigned | Q(is_default=True))
    found = rows.order_by("is_default").first()  # the assigned one before the default
    return None if found is None or found.from_environment else found.pk


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose webhook came: the account's key, and the secrets that its signature may be made of."""

    account_id: int | None
    entered: list[str] = field(repr=False)

    @property
    def secrets(self) -> list[str]:
        """Those that staff entered, and those that `doctor --install-webhook` stored."""
        rows = WebhookSecret.objects.filter(ycloud_account=self.account_id)
        stored = rows.order_by("-installed_at").values_list("secret", flat=True)
        return [*self.entered, *filter(None, stored)]

    def named(self, event_id: str) -> str:
        """What the event is stored under. No account's event can stand in the place of another
        account's, whatever id it bears. Raises ValueError.
        """
        named = event_id if self.account_id is None else f"{self.account_id}:{event_id}"
        if len(named) > LONGEST_EVENT_ID:
            raise ValueError("the event's id is too long")
        return named


def sender(slug: str) -> Sender | None:
    """Of the webhook's address; "" is the environment's. None: there is no such account in use."""
    if not slug:
        return Sender(None, settings.YCLOUD_WEBHOOK_SECRETS)
    row = _others().filter(slug=slug, ended_at__isnull=True).first()
    return None if row is None else Sender(row.pk, row.secrets)
