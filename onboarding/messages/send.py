"""Mail to customers: what is due and still holds, gathered into one letter for each recipient."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding import mail_addresses, notices, post, quota
from onboarding.messages import letters
from onboarding.models import Notice, Onboarding, Standing
from onboarding.states import State
from tenants.models import Membership

logger = logging.getLogger(__name__)

Kind, Audience = Notice.Kind, Notice.Audience

LIMIT = 200
"""Notices that are looked at in one go; `post.in_time` may end it before."""

GIVE_UP = timedelta(days=2)
"""A letter that could not be sent for so long is not news any more; the page still tells."""

SENDING_TAKES = timedelta(minutes=10)
AGAIN = timedelta(minutes=5)
"""Until a letter that the server refused for now is tried once more."""

PAUSE = timedelta(minutes=10)
"""Between two letters to one recipient: what comes meanwhile is in the next one together."""

PER_DAY = 6
"""Letters to one recipient; what is more waits for the first of them to be a day old."""

CONFIRMATIONS_PER_DAY = 3
"""Letters that ask one address for a confirmation, whoever asked for them."""

QUICK = timedelta(minutes=2)
"""Who saw the page all the while needs no letter about a number that took no longer."""

DAY = timedelta(days=1)


def send_due() -> int:
    """Mail what waits; how many letters were mailed."""
    give_up_old()
    _name_recipients()
    due = list(_due()[:LIMIT])
    if not due:
        return 0
    with post.server() as server:
        if server is None:
            return 0
        recipients = post.in_time(_by_recipient(due), server)
        return sum(_letter_to(keys, server) for keys in recipients)


def give_up_old() -> int:
    """End what could not be sent in time, and what a worker took and died with."""
    now = timezone.now()
    late = Q(standing=Standing.WAITING, created_at__lt=now - GIVE_UP)
    died = Q(standing=Standing.SENDING, claimed_at__lt=now - SENDING_TAKES)
    return Notice.objects.filter(late | died).update(standing=Standing.FAILED)


def _name_recipients() -> None:
    """A process of the release before wrote for all owners in one row; they are told one by one."""
    nameless = _due().filter(user__isnull=True, address__isnull=True)
    for notice in nameless.filter(audience=Audience.OWNERS, number__isnull=False)[:LIMIT]:
        with transaction.atomic():
            if notice.number is not None and notice.number.health_since is not None:
                notices.number_unwell(notice.number)
            Notice.objects.filter(pk=notice.pk, standing=Standing.WAITING).update(
                standing=Standing.OVERTAKEN
            )


def _due() -> QuerySet[Notice]:
    # One that was claimed and waits was taken by a process of the release before.
    waiting = Notice.objects.filter(
        standing=Standing.WAITING, claimed_at__isnull=True, due_at__lte=timezone.now()
    )
    customers = waiting.exclude(audience=Audience.STAFF).order_by("due_at", "pk")
    return customers.select_related("user", "address")


def _by_recipient(due: Iterable[Notice]) -> list[list[int]]:
    """Keys of notices that may share a letter. A confirmation has one of its own."""
    groups: dict[Any, list[int]] = {}
    for notice in due:
        alone = notice.pk if notice.kind == Kind.CONFIRM else 0
        key = (notice.tenant_id, notice.audience, notice.recipient.lower(), alone)
        groups.setdefault(key, []).append(notice.pk)
    return list(groups.values())


def _letter_to(keys: list[int], server: Any) -> bool:
    claimed = _claim(keys)
    if not claimed:
        return False
    try:
        made = _made(claimed, server)
    except Exception:  # one that cannot be written holds up no other
        logger.exception("letter %s could not be written", claimed[0].letter)
        _close(claimed, Standing.FAILED)
        return False
    ended = post.sent(made, f"letter {claimed[0].letter}")
    _close(claimed, ended)
    return ended == Standing.MAILED


def _made(claimed: list[Notice], server: Any) -> EmailMultiAlternatives:
    if claimed[0].kind == Kind.CONFIRM:
        return letters.confirmation(claimed[0], server=server)
    return letters.news(claimed, server=server)


def _claim(keys: list[int]) -> list[Notice]:
    """Those that are to be told now, marked as being sent: nobody else takes them from here on."""
    with transaction.atomic():
        rows = Notice.objects.select_for_update(of=("self",), skip_locked=True)
        waiting = list(
            rows.filter(pk__in=keys, standing=Standing.WAITING)
            .select_related(
                "tenant", "user", "address__tenant", "number", "onboarding__number",
                "onboarding__business_account", "onboarding__tenant", "onboarding__link",
            )
            .order_by("due_at", "pk")
        )  # fmt: skip
        told = [notice for notice in _without_repeats(waiting) if _still_holds(notice)]
        if not told or _must_wait(told):
            return []
        now, letter = timezone.now(), uuid.uuid4()
        mine = Notice.objects.filter(pk__in=[notice.pk for notice in told])
        mine.update(standing=Standing.SENDING, claimed_at=now, letter=letter)
    for notice in told:
        notice.letter = letter
    return told


def _close(claimed: list[Notice], ended: Standing) -> None:
    now = timezone.now()
    rows = Notice.objects.filter(pk__in=[each.pk for each in claimed], standing=Standing.SENDING)
    if ended == Standing.WAITING:  # refused for now: nothing went out
        rows.update(standing=ended, claimed_at=None, letter=None, due_at=now + AGAIN)
        return
    rows.update(standing=ended, mailed_at=now if ended == Standing.MAILED else None)
    for onboarding_id in {each.onboarding_id for each in claimed}:
        if onboarding_id is not None:
            mail_addresses.shown_anew(onboarding_id)


# --- What is told ---------------------------------------------------------------------------------


def _without_repeats(waiting: list[Notice]) -> list[Notice]:
    """One notice for each thing: a stop that came, went and came again is one."""
    kept: dict[Any, Notice] = {}
    for notice in waiting:
        key = (notice.kind, notice.onboarding_id, notice.number_id, notice.reason)
        if key in kept:
            _overtaken(notice)
        else:
            kept[key] = notice
    return list(kept.values())


def _still_holds(notice: Notice) -> bool:
    """Whether to tell it now. What is over is marked so; what can wait is put off."""
    now = timezone.now()
    if not _may_be_told(notice) or not _is_true(notice):
        _overtaken(notice)
        return False
    row = notice.onboarding
    if notice.kind == Kind.NEEDED and row is not None and quota.is_at_page(row.pk):
        _put_off([notice], now + notices.PATIENCE)  # they are looking at it
        return False
    return True


def _may_be_told(notice: Notice) -> bool:
    """Whether the recipient still is one."""
    if notice.address is not None:
        if notice.kind == Kind.CONFIRM:
            return not notice.address.is_told and not _asked_too_often(notice)
        return notice.address.is_told
    user = notice.user
    if user is None or not user.is_active or not user.email:
        return False
    if not Membership.objects.filter(user=user, tenant=notice.tenant_id).exists():
        return False
    # Whether the loss of a number is told was decided when it was written (notices.py).
    return user.wants_letters or notice.kind == Kind.HEALTH


def _is_true(notice: Notice) -> bool:
    row, number = notice.onboarding, notice.number
    if notice.kind == Kind.HEALTH:
        return number is not None and number.health == notice.reason
    if row is None:
        return False
    if notice.kind == Kind.CONNECTED:
        return row.state == State.CONNECTED and not _saw_it_happen(row)
    if notice.kind == Kind.NEEDED:
        is_needed = notices.needs_customer(row.state, row.reason)
        return is_needed and notices.public_of(row) == notice.reason and not _told_lately(notice)
    return True


def _saw_it_happen(row: Onboarding) -> bool:
    began = row.claimed_at or row.launched_at or row.created_at
    quick = row.connected_at is not None and row.connected_at - began < QUICK
    return quick and quota.is_at_page(row.pk)


def _told_lately(notice: Notice) -> bool:
    """The same stop of the same attempt, to the same recipient, within a day."""
    same = Notice.objects.filter(
        kind=notice.kind, onboarding=notice.onboarding, reason=notice.reason,
        user=notice.user, address=notice.address, letter__isnull=False,
    )  # fmt: skip
    return same.filter(claimed_at__gt=timezone.now() - DAY).exists()


def _asked_too_often(notice: Notice) -> bool:
    email = notice.address.email if notice.address else ""
    asked = Notice.objects.filter(kind=Kind.CONFIRM, address__email=email, letter__isnull=False)
    lately = asked.filter(claimed_at__gt=timezone.now() - DAY)
    return lately.count() >= CONFIRMATIONS_PER_DAY


def _overtaken(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(standing=Standing.OVERTAKEN)


# --- Not too many ---------------------------------------------------------------------------------


def _must_wait(told: list[Notice]) -> bool:
    """Whether the recipient had a letter just now, or enough of them today; then they are put off.

    An old one counts by its claim: it may have been sent. A confirmation was asked for and is
    waited for, so it counts by its own limit alone.
    """
    first, now = told[0], timezone.now()
    if first.kind == Kind.CONFIRM:
        return False
    had = Notice.objects.filter(letter__isnull=False, claimed_at__gt=now - DAY)
    had = had.exclude(kind=Kind.CONFIRM).filter(**_same_recipient(first))
    sent = {letter: at for letter, at in had.values_list("letter", "claimed_at") if at}
    times = sorted(sent.values())
    until = times[-1] + PAUSE if times else now
    if len(times) >= PER_DAY:
        until = max(until, times[-PER_DAY] + DAY)
    if until <= now:
        return False
    _put_off(told, until)
    return True


def _same_recipient(notice: Notice) -> dict[str, Any]:
    if notice.address is not None:
        return {"tenant": notice.tenant_id, "address__email": notice.address.email}
    return {"tenant": notice.tenant_id, "user": notice.user}


def _put_off(told: list[Notice], until: datetime) -> None:
    Notice.objects.filter(pk__in=[each.pk for each in told]).update(due_at=until)
