"""What the desk's tests share: who sits at it, and an onboarding that waits for somebody."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from onboarding.models import Onboarding
from tenants.models import User
from tests.conftest import Sandbox, Worker, api_of, pages_of, person

LIST = "/admin/onboarding/onboarding/"
API = "/api/v1/onboardings/"


def onboarded(owner: User, sandbox: Sandbox, worker: Worker, scenario: str) -> Onboarding:
    """The owner's attempt, as far as it goes by itself."""
    api = api_of(owner)
    made = api.post(API, {"connection_mode": "business_platform"}).json()["id"]
    window = sandbox.finish(scenario=scenario)
    names = ("waba_id", "phone_number_id", "code", "event")
    api.post(f"{API}{made}/signup/", {n: window[n] for n in names if window[n]})
    worker.run()
    return Onboarding.objects.get(public_id=made)


def decide(desk: Client, row: Onboarding, act: str, **sent: Any) -> Any:
    return desk.post(f"{LIST}{row.pk}/decide/{act}/", sent, follow=True)


def record(desk: Client, row: Onboarding, query: str = "") -> str:
    page: str = desk.get(f"{LIST}{row.pk}/change/{query}").content.decode()
    return page


def staff(email: str, *rights: str) -> User:
    """A member of staff with these rights alone."""
    user = person(email, staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def desk_of(email: str, *rights: str) -> Client:
    return pages_of(staff(email, "view_onboarding", *rights))
