"""Customers who come back from Meta's window: what the page posts then, through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.simulated.wire import NearWorld
from sandbox import scenarios

if TYPE_CHECKING:
    from onboarding.models import Onboarding
    from tenants.models import Tenant

PLATFORM = "business_platform"


def account(world: NearWorld, **traits: Any) -> tuple[str, list[str]]:
    """A WABA at YCloud with its numbers: its id and theirs."""
    wanted = scenarios.traits("approve", traits)
    made = world.add_account(wanted, in_app=False, scenario="approve")
    waba_id = made["answer"]["id"]
    return waba_id, [each["answer"]["id"] for each in world.numbers_of(waba_id)]


def tenant(slug: str) -> Tenant:
    """One with an owner."""
    from tenants.models import Membership, Tenant, User

    made, is_new = Tenant.objects.get_or_create(slug=slug, defaults={"name": slug})
    if is_new:
        name = f"{slug}@example.com"
        user = User.objects.create(username=name, email=name)
        Membership.objects.create(tenant=made, user=user, role=Membership.Role.OWNER)
    return made


def sign_up(whose: Tenant, waba_id: str, number_id: str) -> Onboarding:
    """The ids are posted; the worker has its nudge. Returns the row."""
    from onboarding import services
    from tenants import access
    from tenants.models import Membership

    user = Membership.objects.filter(tenant=whose).select_related("user")[0].user
    asker = access.member(user)
    row, _made = services.start(asker, whose, PLATFORM)
    ids = {"waba_id": waba_id, "phone_number_id": number_id, "event": "FINISH"}
    return services.record_signup_result(row, asker, ids)
