"""How often one asker may call the API; tells it in headers, see `tenants/throttle.py`."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants import throttle
from tenants.access import Asker
from tenants.address import client_address

RESULTS_PER_MINUTE = 120
"""Of one attempt. The page repeats what got no answer; below 60 a customer could be lost."""


class AskerThrottle(BaseThrottle):
    """Per key, per user, per link. What Meta's window gave has a count of its own per attempt."""

    standing: throttle.Standing | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Asker):
            return True
        scope, who, rate = self._bucket(request.user, view)
        self.standing = view.standing = throttle.hit(scope, who, f"{rate}/minute")
        return self.standing.allowed

    def wait(self) -> float | None:
        return self.standing.reset_seconds if self.standing else None

    def _bucket(self, asker: Asker, view: Any) -> tuple[str, str, int]:
        attempt = view.attempt_of_results() if hasattr(view, "attempt_of_results") else None
        if attempt is not None:
            return "api-results", f"{asker.pk} {attempt}", RESULTS_PER_MINUTE
        return "api", asker.pk, settings.API_RATE_PER_MINUTE


def launching(request: Request, asker: Asker, tenant_id: int) -> None:
    """One more launch for this tenant, from this address. Raises Throttled.

    A partner's backend has one address for all of its customers, so that alone does not count.
    """
    rate = f"{settings.LAUNCHES_PER_MINUTE}/minute"
    _count("launch-tenant", str(tenant_id), rate)
    if not asker.is_key:
        _count("launch-address", client_address(request._request), rate)


def making_link(asker: Asker, tenant_id: int) -> None:
    """One more signup link made by an owner of this tenant. Raises Throttled."""
    if not asker.is_key:
        _count("links-tenant", str(tenant_id), f"{settings.LINKS_PER_HOUR}/hour")


def asking_for_letters(request: Request, asker: Asker, onboarding_id: int) -> None:
    """One more address to be told of an onboarding. Raises Throttled.

    How many letters then go out has limits of its own (services/notify.py, messages/send.py).
    """
    _count("notify-onboarding", str(onboarding_id), "20/hour")
    if not asker.is_key:
        _count("notify-asker", asker.pk, "30/hour")
        _count("notify-address", client_address(request._request), "60/hour")


def _count(scope: str, who: str, rate: str) -> None:
    standing = throttle.hit(scope, who, rate)
    if not standing.allowed:
        raise Throttled(standing.reset_seconds)
