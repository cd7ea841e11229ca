"""Where a figure leads: the list of the rows that it counts, for those who may see that list."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

LISTS = {
    "onboardings": "onboarding.onboarding",
    "numbers": "onboarding.phonenumber",
    "accounts": "onboarding.whatsappbusinessaccount",
    "events": "onboarding.webhookevent",
    "calls": "onboarding.providercall",
    "tenants": "tenants.tenant",
    "links": "onboarding.signuplink",
}


class Links:
    """The lists of the admin as this person may open them; "" for those they may not."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def to(self, name: str, /, **narrowed: str | int) -> str:
        """A list of LISTS, narrowed by its filters' parameters."""
        if not self._may("view", name):
            return ""
        address = reverse(f"admin:{LISTS[name].replace('.', '_')}_changelist")
        return f"{address}?{urlencode(narrowed)}" if narrowed else address

    def onboardings(self, **narrowed: str | int) -> str:
        """The list that most figures count."""
        return self.to("onboardings", **narrowed)

    def record(self, key: int) -> str:
        """One onboarding's page."""
        return reverse("admin:onboarding_onboarding_change", args=[key])

    def add(self, name: str) -> str:
        """The form for a new one."""
        if not self._may("add", name):
            return ""
        return reverse(f"admin:{LISTS[name].replace('.', '_')}_add")

    def _may(self, act: str, name: str) -> bool:
        return may(self._request, act, name)


def may(request: HttpRequest, act: str, name: str) -> bool:
    """Whether this person may `view` or `add` to a list; who may change rows may view them."""
    app, model = LISTS[name].split(".")
    acts = ("view", "change") if act == "view" else (act,)
    return any(request.user.has_perm(f"{app}.{each}_{model}") for each in acts)
