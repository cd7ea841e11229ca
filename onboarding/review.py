"""Whether a reviewer has to say yes before the act: the tenant's policy, else the partner's."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding
from onboarding.states import State
from tenants.models import Tenant

A = Tenant.Approval


def policy_of(tenant: Tenant) -> str:
    """A value of Tenant.Approval."""
    return tenant.approval or settings.ONBOARDING_APPROVAL


def is_new(tenant: Tenant) -> bool:
    """No onboarding of the tenant has ever connected a number.

    It stays so when the number is lost later, or moves to another tenant: who was let in once is
    known.
    """
    return not Onboarding.objects.for_tenant(tenant).filter(state=State.CONNECTED).exists()


def is_due(row: Onboarding) -> bool:
    """A reviewer has to say yes to this one, and has not yet."""
    if row.approved_at is not None:
        return False
    policy = policy_of(row.tenant)
    return policy == A.ALWAYS or (policy == A.NEW_TENANTS and is_new(row.tenant))


_WHY = {
    A.NEVER: _("The policy asks for no review: %(whose)s says “never”."),
    A.NEW_TENANTS: _("Reviewed because %(whose)s says “new tenants only” and this one is new."),
    A.ALWAYS: _("Reviewed because %(whose)s says “always”."),
}


def why(row: Onboarding) -> str:
    """One sentence for staff: why this onboarding is in review, or why not."""
    if row.state == State.IN_REVIEW and row.reason == "unproven":
        return gettext("Reviewed because nothing of Meta's proves the account.")
    policy = A(policy_of(row.tenant))
    whose = gettext("the tenant's policy") if row.tenant.approval else "ONBOARDING_APPROVAL"
    if policy == A.NEW_TENANTS and not is_new(row.tenant):
        text = _("Not reviewed: %(whose)s says “new tenants only” and this one has connected.")
        return str(text) % {"whose": whose}
    return str(_WHY[policy]) % {"whose": whose}
