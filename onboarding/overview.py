"""What a tenant has, for its dashboard: numbers on their way and connected, accounts, links.

A number of queries that does not grow with the rows; what is shown of each is derived from facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import reasons, requirements
from onboarding.models import Onboarding, PhoneNumber, SignupLink, WhatsAppBusinessAccount
from onboarding.models.onboarding import ConnectionMode
from onboarding.progress import display_number, limit_label, waiting_text
from onboarding.reasons.standing import DUE, NOTICE, WRONG
from onboarding.requirements import Requirement
from onboarding.states import FINAL, State
from tenants.models import Tenant

PAGE = 50
"""Numbers on one page, and the most of what is under way."""

ENDED = 5
"""The latest attempts that came to nothing."""

OPEN = Q(launched_at__isnull=False) & ~Q(state__in=[*FINAL, State.CANCELLED])

CUSTOMERS = sorted(
    code for code, reason in reasons.REASONS.items()
    if reasons.REASONS[reason.public or code].who == reasons.CUSTOMER
    and reasons.standing_of(code) in (WRONG, DUE)
)  # fmt: skip
"""Where the customer has to act."""

MOVES: dict[str, Any] = {
    reasons.PARTNER: _("Waiting for your partner"),
    reasons.YCLOUD: _("Waiting for YCloud"),
    reasons.META: _("Waiting for Meta"),
    reasons.NOBODY: _("Under way"),
}

QUALITY = {
    "GREEN": _("Quality: high"), "YELLOW": _("Quality: medium"), "RED": _("Quality: low"),
}  # fmt: skip

MODES = {
    ConnectionMode.BUSINESS_PLATFORM: _("Used through your partner"),
    ConnectionMode.BUSINESS_APP: _("Used in the WhatsApp Business app too"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A number, or an attempt that has none yet. `tone`: done, wait, act or stop."""

    title: str
    tone: str
    word: str | Promise
    since: datetime | None
    card: UUID | None = None
    name: str = ""
    what: str = ""
    facts: tuple[str, ...] = ()
    mode: str = ""


@dataclass(slots=True)
class Overview:
    """One page of it."""

    pages: Page[PhoneNumber]
    needed: list[Row] = field(default_factory=list)
    under_way: list[Row] = field(default_factory=list)
    connected: list[Row] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    more_under_way: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing was ever begun."""
        return not (self.needed or self.under_way or self.connected or self.ended)


def of(tenant: Tenant, page: str | None = None) -> Overview:
    """The tenant's numbers: first what needs the customer, then what is under way, then the rest.

    What is under way stands on the first page of the numbers alone.
    """
    shown = Overview(Paginator(_numbers(tenant), PAGE).get_page(page))
    if shown.pages.number == 1:
        attempts = list(_attempts(tenant)[: PAGE + 1])
        if len(attempts) > PAGE:
            attempts.pop()
            shown.more_under_way = _attempts(tenant).count() - PAGE
        for attempt in attempts:
            row = _attempt(attempt)
            (shown.needed if row.tone in ("act", "stop") else shown.under_way).append(row)
        shown.ended = [_ended(each) for each in _came_to_nothing(tenant)[:ENDED]]
    for number in shown.pages:
        row = _number(number)
        (shown.needed if row.tone == "act" else shown.connected).append(row)
    return shown


# --- Attempts -------------------------------------------------------------------------------------


def _attempts(tenant: Tenant) -> QuerySet[Onboarding]:
    """Those under way: the customer's move first, then the newest."""
    rows = Onboarding.objects.for_tenant(tenant).filter(OPEN)
    theirs = Q(reason__in=CUSTOMERS) | Q(state=State.STARTED)
    return _first(rows, theirs).select_related("business_account", "number")


def _came_to_nothing(tenant: Tenant) -> QuerySet[Onboarding]:
    """Cancelled or declined, newest first; not what went on as another attempt."""
    ended = Q(state__in=[State.CANCELLED, State.REJECTED], launched_at__isnull=False)
    rows = Onboarding.objects.for_tenant(tenant).filter(ended).exclude(reason="superseded")
    return rows.select_related("business_account", "number").order_by("-state_changed_at", "-pk")


def _first(rows: QuerySet[Any], those: Q) -> QuerySet[Any]:
    rank = Case(When(those, then=Value(0)), default=Value(1), output_field=IntegerField())
    ranked: QuerySet[Any] = rows.annotate(rank=rank).order_by("rank", "-pk")
    return ranked


def _attempt(row: Onboarding) -> Row:
    stop = requirements.stop_of(row)
    tone, word = "wait", MOVES[stop.who] if stop and stop.who in MOVES else MOVES[reasons.NOBODY]
    if row.state == State.STARTED or (stop and stop.who == reasons.CUSTOMER and _matters(stop)):
        tone, word = "act", _("Needs you")
    elif row.state == State.NEEDS_ATTENTION:
        tone = "stop"
    return Row(
        title=_title(row),
        tone=tone,
        word=word,
        since=row.state_changed_at,
        card=row.public_id,
        name=row.business_account.name if row.business_account else "",
        what=stop.what if stop else waiting_text(row),
        mode=_mode(row.connection_mode),
    )


def _ended(row: Onboarding) -> Row:
    stop = requirements.stop_of(row)
    return Row(
        title=_title(row),
        tone="",
        word=State(row.state).label,
        since=row.state_changed_at,
        card=row.public_id,
        name=row.business_account.name if row.business_account else "",
        what=stop.what if stop else "",
        mode=_mode(row.connection_mode),
    )


def _title(row: Onboarding) -> str:
    """The number as far as it is known."""
    return display_number(row.number.e164 if row.number else row.expected_number)


def _mode(mode: str | None) -> str:
    return str(MODES[ConnectionMode(mode)]) if mode in MODES else ""


def _matters(requirement: Requirement) -> bool:
    return requirement.standing in (WRONG, DUE)


# --- Numbers --------------------------------------------------------------------------------------


def _numbers(tenant: Tenant) -> QuerySet[PhoneNumber]:
    """Those that were connected, but for those that an open attempt is about to connect again."""
    attempts = Onboarding.objects.for_tenant(tenant)
    again = Q(number=OuterRef("pk")) | Q(expected_number=OuterRef("e164")) & ~Q(expected_number="")
    card = attempts.filter(number=OuterRef("pk"), state=State.CONNECTED).order_by("-pk")
    rows = PhoneNumber.objects.for_tenant(tenant).filter(connected_at__isnull=False)
    rows = rows.exclude(Exists(attempts.filter(OPEN).filter(again)))
    theirs = Q(standing__in=[WRONG, DUE], standing_since__has_any_keys=CUSTOMERS)
    found: QuerySet[PhoneNumber] = (
        _first(rows, Q(health__in=CUSTOMERS) | theirs)
        .annotate(
            card=Subquery(card.values("public_id")[:1]),
            mode=Subquery(card.values("connection_mode")[:1]),
        )
        .order_by("rank", "e164", "pk")
    )
    return found


def _number(number: Any) -> Row:
    found = [each for each in requirements.of_number(number) if each.standing != NOTICE]
    theirs = next((r for r in found if r.who == reasons.CUSTOMER and _matters(r)), None)
    worst = theirs or next(iter(found), None)
    tone, word = "done", _("Connected")
    if theirs:
        tone, word = "act", _("Needs you")
    elif worst and _matters(worst):
        tone, word = "stop" if worst.standing == WRONG else "wait", MOVES[worst.who]
    return Row(
        title=display_number(number.e164) or number.phone_number_id,
        tone=tone,
        word=word,
        since=worst.since if worst and tone != "done" else number.connected_at,
        card=number.card,
        name=number.verified_name,
        what=worst.what if worst else "",
        facts=tuple(_facts(number)),
        mode=_mode(number.mode),
    )


def _facts(number: PhoneNumber) -> list[str]:
    limit = limit_label(number.messaging_limit)
    told: list[str | Promise] = [QUALITY[number.quality]] if number.quality in QUALITY else []
    if limit:
        told.append(gettext("Limit: %(limit)s") % {"limit": limit})
    return [str(each) for each in told]


# --- Accounts and links ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """A WhatsApp account and what is due with it, the worst first."""

    name: str
    digits: str
    numbers: int
    tone: str
    word: str | Promise
    due: list[Requirement]


def accounts(tenant: Tenant) -> list[Account]:
    """The tenant's WhatsApp accounts with what is due, pending or wrong with each."""
    attempts = Onboarding.objects.for_tenant(tenant).filter(OPEN, business_account=OuterRef("pk"))
    connected = Count("numbers", filter=Q(numbers__connected_at__isnull=False))
    rows = WhatsAppBusinessAccount.objects.for_tenant(tenant)
    rows = rows.annotate(connected=connected, is_under_way=Exists(attempts))
    return [_account(each) for each in rows.order_by("name", "pk")[:PAGE]]


def _account(row: Any) -> Account:
    due = requirements.of_account(row)
    if not (row.connected or row.is_under_way):  # nobody works on what an ended attempt needed
        due = [each for each in due if each.who == reasons.CUSTOMER]
        return Account(row.name, row.waba_id[-4:], 0, "", _("Not in use"), due)
    worst = next(iter(due), None)
    tone, word = "done", _("In order")
    if worst and worst.standing != NOTICE:
        mine = worst.who == reasons.CUSTOMER and _matters(worst)
        tone, word = ("act", _("Needs you")) if mine else ("wait", MOVES.get(worst.who, ""))
    return Account(row.name, row.waba_id[-4:], row.connected, tone, word, due)


@dataclass(frozen=True, slots=True)
class Links:
    """The open signup links: how many, and the newest of them."""

    count: int
    newest: list[dict[str, Any]]


def links(tenant: Tenant, shown: int = 3) -> Links:
    """The tenant's links that open something now."""
    all_of_them = SignupLink.objects.for_tenant(tenant)
    open_ones = all_of_them.filter(revoked_at=None, expires_at__gt=timezone.now())
    newest = [
        {"number": display_number(each.expected_number), "expires_at": each.expires_at}
        for each in open_ones.order_by("-created_at")[:shown]
    ]
    return Links(open_ones.count(), newest)
