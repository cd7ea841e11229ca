"""Signed webhooks to the partner's endpoints (Standard Webhooks): see docs/webhooks.md.

`onboarding.outbound_events` writes what happened; here it is handed to the endpoints and sent.
"""

from onboarding.outbound.deliver import deliver_due
from onboarding.outbound.guard import RefusedAddressError, check
from onboarding.outbound.queue import missed_by, wants

__all__ = ["RefusedAddressError", "check", "deliver_due", "missed_by", "wants"]
