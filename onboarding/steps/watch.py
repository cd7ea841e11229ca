"""Watching a number until YCloud says CONNECTED; one read serves all numbers of an account."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from onboarding import schedule, transitions
from onboarding.models import Onboarding, PhoneNumber
from onboarding.states import State
from onboarding.steps import acts
from onboarding.steps.facts import keep_number, not_overtaken, write_account_number
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, go, stop, wait
from ycloud_client import PhoneNumber as ListedNumber
from ycloud_client import YCloudError, is_unbound

S = State

TAKES_LONGER = timedelta(minutes=10)
COMES_BACK = timedelta(minutes=2)
"""A number that is reconnected was DISCONNECTED a moment ago and may still be shown so."""


def connecting(look: Pass) -> Outcome:
    """YCloud accepted. Watch the number until it says CONNECTED, and nothing but that word."""
    row = look.row
    known = row.number
    if known is None:
        return go(S.LINKED)
    try:
        listed = _was_read_for_us(row, known) or _read(look, known)
    except YCloudError as error:
        if not is_unbound(error):
            raise
        return go(S.LINKED)  # the account is gone from our sight: the gates say what to do
    if not listed:
        return wait(S.CONNECTING, "number_not_listed", schedule.next_look(row))
    if known.status == "CONNECTED":
        return go(S.CONNECTED)
    if known.status == "UNVERIFIED":
        return wait(S.AWAITING_NUMBER, "number_not_verified", schedule.next_look(row))
    if known.status in ("BANNED", "MIGRATED", "DISCONNECTED") and not _comes_back(row, known):
        return stop(f"number_{known.status.lower()}")
    return wait(S.CONNECTING, _why_it_waits(row, known.status), schedule.next_look(row))


def _was_read_for_us(row: Onboarding, known: PhoneNumber) -> bool:
    """A read of the account since this row became due counts as its own."""
    due, read_at = row.next_look_at, known.read_at
    return due is not None and read_at is not None and read_at >= due


def _read(look: Pass, known: PhoneNumber) -> bool:
    """List the account's numbers and keep what is told of them all; whether ours is listed."""
    row = look.row
    read_at = timezone.now()
    listed = {str(each.id): each for each in look.read_numbers()}
    for sibling in _watched_beside(row):
        _serve(sibling, listed, read_at)
    ours = listed.get(known.phone_number_id)
    if ours is None:
        return False
    not_overtaken(row)
    row.number = keep_number(row, known.business_account, ours)
    known.status = row.number.status
    return True


def _watched_beside(row: Onboarding) -> list[Onboarding]:
    rows = Onboarding.objects.filter(
        state=S.CONNECTING, business_account=row.business_account_id, number__isnull=False
    )
    return list(rows.exclude(pk=row.pk).select_related("number"))


def _serve(sibling: Onboarding, listed: dict[str, ListedNumber], read_at: datetime) -> None:
    """Its number was read too: it waits its next interval, or is due at once when it changed."""
    number = sibling.number
    assert number is not None
    before = number.status
    if write_account_number(number, listed, read_at):
        changed = number.status != before
        transitions.looked(sibling, read_at if changed else schedule.next_look(sibling))


def _comes_back(row: Onboarding, known: PhoneNumber) -> bool:
    young = timezone.now() - row.state_changed_at < COMES_BACK
    return bool(row.expected_number) and known.status == "DISCONNECTED" and young


def _why_it_waits(row: Onboarding, status: str) -> str:
    """PENDING, UNKNOWN, MANUAL_REVIEW and words that are new to us just take their time."""
    if status in acts.LIMITED:
        return "number_limited"
    late = timezone.now() - row.state_changed_at > TAKES_LONGER
    return "takes_longer" if late else ""
