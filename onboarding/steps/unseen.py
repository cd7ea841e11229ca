"""An account that cannot be confirmed looks the same to a customer whatever the true reason is.

"Another tenant holds it" and "YCloud does not show it" differ in nothing that a customer can see:
state, reason, words, how often the row changes, and how long all of it takes. The true reason is
kept for staff: the row's own reason, which customers read through `reasons.public`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from onboarding import schedule
from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from onboarding.steps.look import HiddenAccountError, Pass
from onboarding.steps.outcome import Outcome, stop, wait

APPEAR = timedelta(seconds=60)
"""How long a WABA that was just shared may stay invisible at YCloud before a person is asked."""


def unconfirmed(row: Onboarding, waiting: str, stopped: str) -> Outcome:
    """Wait for the minute in which a hidden account may appear, then ask a person.

    `waiting` and `stopped` are the reasons for staff; both are read as `account_unconfirmed`.
    """
    if timezone.now() - row.state_changed_at < APPEAR:
        return wait(State.SIGNED_UP, waiting, schedule.next_look(row))
    return stop(stopped)


def wait_like_hidden(look: Pass) -> Outcome:
    """What becomes of an account that another tenant holds.

    It is asked for at YCloud as often as a hidden one would be, or the time between two changes
    of the row would tell which of both it is; what is read is dropped. Never bound: it is
    somebody else's. A read takes the place of the bind.
    """
    for _ in range(3 if _would_be_bound(look) else 2):
        with suppress(HiddenAccountError):
            look.read()
        look.forget()
    return unconfirmed(look.row, "account_held", "account_held")


def _would_be_bound(look: Pass) -> bool:
    """A hidden account is bound by the first look of an attempt, or after it was resumed."""
    platform = look.row.connection_mode == ConnectionMode.BUSINESS_PLATFORM
    asked = not platform or settings.YCLOUD_TP_BIND != "never"
    return asked and look.row.reason != "account_held"
