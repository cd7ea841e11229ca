"""What it means that nothing proves who may connect a WABA, in the words of each who reads it."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext

from onboarding.models import Onboarding
from onboarding.states import State
from tenants.models import Tenant


def policy_of(tenant: Tenant) -> str:
    """What happens to this tenant's unproven ids: continue, review or stop."""
    return tenant.unproven or str(settings.ONBOARDING_UNPROVEN)


def may_still_come(row: Onboarding) -> bool:
    """Whether Meta's window, opened again, can prove what is reviewed because nothing proved it.

    What came back may have been lost with a page that was read anew; the window gives it again.
    """
    waits = row.state == State.IN_REVIEW and row.reason == "unproven"
    return waits and bool(settings.META_APP_SECRET)


def customer_note(tenant: Tenant) -> str:
    """What a customer should know before the window; "" where it changes nothing for them."""
    if settings.META_APP_SECRET:
        return ""
    return {
        "review": gettext(
            "Your partner checks each connection by hand before your number is connected. "
            "That may take a while; you can close this page then."
        ),
        "stop": gettext(
            "Connections cannot be confirmed here at the moment. Ask your partner before you begin."
        ),
    }.get(policy_of(tenant), "")


def of_partner() -> str:
    """For operators: what is proven here, and what becomes of what is not."""
    if settings.META_APP_SECRET:
        return gettext("META_APP_SECRET is set: Meta's grant proves who may connect a WABA.")
    return gettext(
        "META_APP_SECRET is not set: nothing proves who may connect a WABA, so every connection "
        "is unproven. ONBOARDING_UNPROVEN=%(policy)s: %(what)s"
    ) % {"policy": settings.ONBOARDING_UNPROVEN, "what": _becomes(settings.ONBOARDING_UNPROVEN)}


def _becomes(policy: str) -> str:
    return {
        "continue": gettext(
            "it goes on, so whoever knows the id of a WABA that your YCloud account shows "
            "and no tenant holds can connect it."
        ),
        "review": gettext("each waits for a reviewer, who has to know the customer."),
        "stop": gettext("each stops; nobody can connect anything."),
    }[policy]


def of_row(row: Onboarding) -> str:
    """For staff: whether this attempt is proven, why not, and what that means."""
    if row.proven:
        return gettext("Proven: Meta's grant names this WABA.")
    if row.proven is False:
        return gettext("Refuted: Meta granted other WABAs, not this one.")
    if not settings.META_APP_SECRET:
        why = gettext("Unproven: without META_APP_SECRET nothing can be proven.")
    elif row.claimed_waba_id:
        why = gettext("Unproven: Meta's grant did not reach us, or names no WABA.")
    else:
        return gettext("Not checked: no WABA is known yet.")
    return f"{why} {policy_of(row.tenant)}: {_becomes(policy_of(row.tenant))}"
