"""Who will be told of an onboarding by e-mail, as its page says it to the one who looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from onboarding import requirements
from onboarding.mail_addresses import masked
from onboarding.models import MailAddress, Notice, Onboarding, Standing
from onboarding.states import FINAL, WORKING, State
from tenants.access import Asker
from tenants.models import Membership

OFFERED_AFTER = timedelta(minutes=1)
"""What usually takes seconds is watched; after that one may want to go. A wait with a reason may
take days (a review of Meta's): there it is offered at once.
"""

MOST_ADDRESSES = 5


def may_ask(row: Onboarding) -> bool:
    """Whether there is anything left to be told of."""
    return row.state not in FINAL | {State.CANCELLED}


def is_offered(row: Onboarding) -> bool:
    """Whether it takes so long that one may want to go: a stop, or more than a moment of work."""
    if not may_ask(row) or row.state == State.STARTED:
        return False
    stop = requirements.stop_of(row)
    lasts = stop is not None and bool(stop.remedy)
    is_long = row.state_changed_at <= timezone.now() - OFFERED_AFTER
    return row.state not in WORKING or lasts or is_long


def shown(row: Onboarding, asker: Asker) -> dict[str, Any] | None:
    """What the card says of letters; None where it says nothing."""
    if row.state == State.CONNECTED:
        return _of_connected(row, asker)
    if not is_offered(row):
        return None
    addresses = (
        [_address(each) for each in row.mail_addresses.all()] if _may_see(row, asker) else []
    )
    member = _told_member(row, asker)
    return {
        "addresses": addresses,
        "member": member,
        "is_member": asker.user is not None,
        "may_add": row.mail_addresses.count() < MOST_ADDRESSES,
    }


def _of_connected(row: Onboarding, asker: Asker) -> dict[str, Any] | None:
    """Who hears of a connected number's health, and where that is switched off."""
    owner = _told_owner(row, asker)
    told = [] if asker.user or not _may_see(row, asker) else list(row.mail_addresses.all())
    addresses = [_address(each) for each in told]
    if not owner and not addresses:
        return None
    return {"ended": True, "member": owner, "addresses": addresses}


def _may_see(row: Onboarding, asker: Asker) -> bool:
    """Another guest's attempt does not show whom it tells, not even masked."""
    return not asker.is_guest or asker.link_id == row.link_id


def _told_member(row: Onboarding, asker: Asker) -> str:
    """The member's own address, if they are told without asking."""
    user = asker.user
    if user is None or not user.wants_letters:
        return ""
    return user.email if row.started_by_id == user.pk else _told_owner(row, asker)


def _told_owner(row: Onboarding, asker: Asker) -> str:
    """The asker's address where they own the company and want letters."""
    user = asker.user
    if user is None or not user.wants_letters:
        return ""
    role = Membership.Role.OWNER
    is_owner = user.memberships.filter(tenant=row.tenant_id, role=role).exists()
    return user.email if is_owner else ""


def _address(address: MailAddress) -> dict[str, str]:
    return {"email": masked(address.email), "state": state_of(address)}


def state_of(address: MailAddress) -> str:
    """`confirmed`, `off`, `refused` (the mail server said no), `sent` or `asked`."""
    if address.off_at is not None:
        return "off" if address.confirmed_at else "asked"
    if address.confirmed_at is not None:
        return "confirmed"
    asked = address.notices.filter(kind=Notice.Kind.CONFIRM)
    last = asked.order_by("-pk").values_list("standing", flat=True).first()
    words = {Standing.MAILED: "sent", Standing.FAILED: "refused"}
    return words.get(Standing(last), "asked") if last else "asked"
