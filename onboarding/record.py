"""A record's one timeline, for staff: everything that happened to an onboarding, newest first.

The customer's part is `timeline.py`; beside it stand every call to the providers, YCloud's
webhooks, what staff did and wrote. Looks with nothing between them are one line. Nothing here is
for a customer or a program of theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding, ProviderCall, SignupLink, WebhookEvent
from onboarding.timeline import timeline
from tenants.models import AuditEntry

Kind = ProviderCall.Kind
Ended = ProviderCall.Outcome

MOST = 200
"""Lines of a page."""

READ = 1000
"""Rows of a kind that are read for it: looks that become one line are many."""

KINDS: dict[str, Any] = {
    "state": _("States"),
    "window": _("Meta's window"),
    "call": _("Calls"),
    "webhook": _("Webhooks"),
    "staff": _("Staff"),
    "note": _("Notes"),
    "message": _("Messages"),
}
"""The filters. What is of none of these kinds stands under all of them."""

LOOKS = (Kind.RETRIEVE_ACCOUNT, Kind.LIST_NUMBERS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `folded`: the looks that it stands for, newest first, the last one at `until`."""

    at: datetime
    kind: str
    text: str
    detail: str = ""
    actor: str = ""
    state: str = ""
    reason: str = ""
    tone: str = ""
    facts: tuple[str, ...] = ()
    until: datetime | None = None
    look: str = ""
    """A call that only looks: its kind."""
    folded: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """`older`: where the next page begins, None at the end."""

    entries: list[Entry]
    kind: str
    kinds: dict[str, Any]
    older: datetime | None


def of(row: Onboarding, *, kind: str = "", before: str = "") -> Page:
    """The newest MOST lines, of one kind or of all, before a time. A fixed number of queries."""
    kind = kind if kind in KINDS else ""
    end = _time(before)
    sources = {"call": _calls, "webhook": _webhooks, "staff": _acts, "note": _notes}
    read = [list(source(row, end)) for name, source in sources.items() if kind in ("", name)]
    if kind not in sources:
        read.append(list(_told(row, kind, end)))
    # Where one kind was read to its limit the others wait for the next page, or it would seem that
    # nothing of that kind had happened before.
    floor = max((found[-1].at for found in read if len(found) >= READ), default=None)
    entries = [each for found in read for each in found if floor is None or each.at >= floor]
    lines = list(_collapsed(sorted(entries, key=lambda each: each.at, reverse=True)))
    older = lines[MOST - 1].at if len(lines) > MOST else floor
    return Page(lines[:MOST], kind, KINDS, older)


def _time(text: str) -> datetime | None:
    try:
        found = parse_datetime(text.replace(" ", "+"))  # a "+" in an address is a blank
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _newest(rows: QuerySet[Any], end: datetime | None, column: str = "at") -> QuerySet[Any]:
    if end is not None:
        rows = rows.filter(**{f"{column}__lt": end})
    return rows.order_by(f"-{column}", "-pk")[:READ]


def _told(row: Onboarding, kind: str, end: datetime | None) -> Iterable[Entry]:
    """What the timeline tells already; its acts are calls here, with all that is known of them."""
    for each in timeline(row, staff=True):
        fits = each["kind"] != "act" and kind in ("", each["kind"])
        if fits and (end is None or each["at"] < end):
            yield Entry(
                each["at"], each["kind"], each["text"], each["detail"], each["actor"],
                each["state"] or "", each["reason"] or "",
            )  # fmt: skip


_CALL_TONES = {Ended.REFUSED: "danger", Ended.LOST: "warning", Ended.NOT_SENT: "warning"}


def _calls(row: Onboarding, end: datetime | None) -> Iterable[Entry]:
    for call in _newest(row.calls.all(), end):
        path = call.path.partition("?")[0]
        codes = " / ".join(filter(None, (call.code, call.meta_code)))
        request = " ".join(filter(None, (call.method, path)))
        took = f"{call.took_ms} ms" if call.took_ms is not None else ""
        status = str(call.status or "")
        is_look = call.kind in LOOKS and call.outcome == Ended.DONE
        yield Entry(
            call.at, "call", capfirst(str(Kind(call.kind).label)),
            call.message, "worker",
            tone=_CALL_TONES.get(Ended(call.outcome), ""),
            facts=tuple(filter(None, (
                str(Ended(call.outcome).label), request, status, codes, call.request_id, took,
            ))),
            look=call.kind if is_look else "",
        )  # fmt: skip


def _webhooks(row: Onboarding, end: datetime | None) -> Iterable[Entry]:
    """YCloud's events about this account and number since the attempt began."""
    wabas, numbers = {row.claimed_waba_id}, {row.claimed_phone_number_id}
    if row.business_account is not None:
        wabas.add(row.business_account.waba_id)
    if row.number is not None:
        numbers.add(row.number.phone_number_id)
    about = Q(waba_id__in=wabas - {""}) | Q(phone_number_id__in=numbers - {""})
    events = WebhookEvent.objects.filter(
        about, received_at__gte=row.created_at, ycloud_account=row.ycloud_account_id
    ).defer("body")
    for event in _newest(events, end, "received_at"):
        facts = [event.get_standing_display(), event.event_id]
        if event.sent_at is not None:
            late = max(0, round((event.received_at - event.sent_at).total_seconds()))
            facts.append(gettext("%(seconds)s s after it was sent") % {"seconds": late})
        yield Entry(event.received_at, "webhook", event.type, actor="YCloud", facts=tuple(facts))


_ACTS: dict[str, Any] = {
    "onboarding.assigned": _("Assigned anew"),
    "onboarding.link_sent": _("A new signup link was mailed"),
    "onboarding.reread": _("Reading again was asked for"),
    "onboarding.resumed": _("Looking again was asked for"),
    "onboarding.registration_retried": _("Registering again was asked for"),
}
"""Acts that need not move the row. One that did is a line of its own already."""


def _acts(row: Onboarding, end: datetime | None) -> Iterable[Entry]:
    entries = AuditEntry.objects.filter(
        target_type="onboarding", target_id=str(row.public_id), act__in=list(_ACTS)
    )
    found = list(_newest(entries, end))
    links = [entry.after["link"] for entry in found if entry.after.get("link")]
    known = dict(SignupLink.objects.filter(public_id__in=links).values_list("public_id", "email"))
    to = {str(link): email for link, email in known.items()}
    for entry in found:
        if entry.before.get("state") == entry.after.get("state"):
            link = entry.after.get("link", "")
            told = to.get(link) or link
            yield Entry(entry.at, "staff", str(_ACTS[entry.act]), told, entry.actor)


def _notes(row: Onboarding, end: datetime | None) -> Iterable[Entry]:
    for note in _newest(row.staff_notes.all(), end):
        yield Entry(note.at, "note", gettext("Note"), note.text, note.author)


def _collapsed(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Looks with nothing between them as one line; a look is a call or two."""
    for are_looks, group in groupby(entries, key=lambda each: bool(each.look)):
        found = tuple(group)
        times = max(Counter(each.look for each in found).values()) if are_looks else 0
        if times < 2:
            yield from found
            continue
        text = gettext("Looked %(times)s times") % {"times": times}
        until = found[0].at
        yield replace(found[0], at=found[-1].at, text=text, until=until, facts=(), folded=found)
