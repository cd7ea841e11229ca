"""Who may use a resource at all, and what a key's scopes allow."""

from typing import Any

from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from onboarding.api.refusals import ScopeMissingError
from tenants.access import Asker, owned_tenant_ids
from tenants.models import Tenant


def kind_of(asker: Asker) -> str:
    """`key`, `guest` or `member`."""
    if asker.is_key:
        return "key"
    return "guest" if asker.is_guest else "member"


class IsForAsker(BasePermission):
    """A resource that is not for this kind of asker is not there for it (404), like foreign rows.

    Of a key it asks the scope `RESOURCE:read` or `RESOURCE:write`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        asker = request.user
        if not isinstance(asker, Asker):
            return False
        if kind_of(asker) not in view.askers:
            raise NotFound
        if asker.is_key and view.action is not None:  # None: a 405, whatever the scopes
            needed = scope_of(view, request.method or "")
            if needed not in asker.scopes:
                raise ScopeMissingError(needed)
        return True


def scope_of(view: Any, method: str) -> str:
    """The scope that a key needs for this."""
    return f"{view.scope}:{'read' if method in SAFE_METHODS else 'write'}"


def only_owners(asker: Asker, tenant: Tenant) -> None:
    """Keys and the tenant's owners pass. Raises PermissionDenied (403)."""
    if not asker.is_key and tenant.pk not in owned_tenant_ids(asker):
        raise PermissionDenied
