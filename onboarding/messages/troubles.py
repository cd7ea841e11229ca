"""Troubles of all tenants at once: noticed, kept as long as they last, told to staff once each.

A trouble is over when it has been away for a while (QUIET), and the balance when it is well above
the line: what comes and goes is one trouble, and one letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import notices, vitals, ycloud_accounts
from onboarding.models import Onboarding, StaffLetter, WebhookEndpoint
from onboarding.reasons import REASONS
from onboarding.states import OPEN
from onboarding.ycloud_accounts import Access

QUIET = timedelta(minutes=30)
WELL_ABOVE = 1.2
BALANCE, CAP, ENDPOINT = "balance_low", "meta_cap", "endpoint"


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says of a trouble."""

    what: str | Promise
    why: str | Promise
    remedy: tuple[str | Promise, ...]


WORDS = {
    BALANCE: Words(
        _("The balance at YCloud is low"),
        _("At zero every customer's number stops sending, and nothing more is connected."),
        (_("Top the balance up in YCloud's console, or switch on its automatic top-up."),),
    ),
    CAP: Words(
        _("Meta's limit for new customers is almost used up"),
        _("Meta lets a partner connect only so many new customers in seven days."),
        (
            _("Spread the invitations of the next days."),
            _("Ask Meta to raise the limit: it does so after its review of your business."),
        ),
    ),
    ENDPOINT: Words(
        _("A webhook endpoint of yours was switched off"),
        _("It answered that it is gone, or took nothing for five days, so nothing is sent there."),
        (_("Mend the endpoint, switch it on in the admin and send what it missed."),),
    ),
}


def words_of(trouble: str) -> Words:
    """Those of the trouble's kind; a reason of the catalogue has its own."""
    kind = trouble.partition(":")[0]
    if kind in WORDS:
        return WORDS[kind]
    reason = REASONS[kind]
    return Words(reason.staff_what, reason.staff_why, reason.staff_remedy)


def watch() -> int:
    """Note troubles that have begun and end those that are over; how many began."""
    now, there = timezone.now(), dict(_there())
    is_open = StaffLetter.objects.filter(kind=StaffLetter.Kind.ALERT, ended_at__isnull=True)
    lasting = is_open.filter(trouble__in=[*there, *_unsure(there)])
    lasting.filter(quiet_since__isnull=False).update(quiet_since=None)
    quiet = is_open.exclude(pk__in=lasting.values("pk"))
    quiet.filter(quiet_since__isnull=True).update(quiet_since=now)
    quiet.filter(quiet_since__lt=now - QUIET).update(ended_at=now)
    known = set(is_open.values_list("trouble", flat=True))
    return sum(_begin(trouble, detail) for trouble, detail in there.items() if trouble not in known)


def _begin(trouble: str, detail: str) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic():
            StaffLetter.objects.create(
                key=f"alert:{trouble}:{now:%Y%m%d%H%M%S%f}", kind=StaffLetter.Kind.ALERT,
                trouble=trouble, detail=detail, began_at=now,
            )  # fmt: skip
    except IntegrityError:  # another worker was first
        return False
    return True


def _there() -> Iterator[tuple[str, str]]:
    """The troubles of now, each with what there is to say of it."""
    for account, balance in _balances():
        if balance is not None and balance.is_low:
            left = f"{balance.amount:.2f} {balance.currency}"
            yield _low_at(account), left if account.id is None else f"{account.name}: {left}"
    customers = vitals.new_customers()
    if customers.is_near:
        told = {"used": customers.used, "most": customers.most}
        yield CAP, gettext("%(used)s of %(most)s in seven days") % told
    for endpoint in WebhookEndpoint.objects.filter(enabled=False).exclude(
        disabled_reason=WebhookEndpoint.Disabled.BY_STAFF
    ):
        yield f"{ENDPOINT}:{endpoint.pk}", str(endpoint)[:200]
    for reason in sorted(notices.ACCOUNT_WIDE):
        rows = Onboarding.objects.filter(state__in=sorted(OPEN), reason=reason).order_by()
        if found := list(rows.values_list("ycloud_account__name", flat=True).distinct()[:5]):
            yield reason, ", ".join(sorted(filter(None, found)))[:200]


def _unsure(there: dict[str, str]) -> Iterator[str]:
    """Troubles that are neither there nor surely over: the balance unread, or just above."""
    line = settings.YCLOUD_BALANCE_WARNING * WELL_ABOVE
    for account, balance in _balances():
        low = _low_at(account)
        if low not in there and (balance is None or balance.amount < line):
            yield low


def _balances() -> Iterator[tuple[Access, vitals.Balance | None]]:
    """Of each YCloud account in use."""
    for account in ycloud_accounts.active():
        with ycloud_accounts.using(account):
            found = vitals.balance()
        yield account, found


def _low_at(account: Access) -> str:
    """A trouble of each account's own."""
    return BALANCE if account.id is None else f"{BALANCE}:{account.id}"
