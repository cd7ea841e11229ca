"""Who is asking, and for which tenants.

A foreign row is a 404 (it is not in `visible_to`), too small a role a 403.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from tenants.models import ApiKey, Membership, Tenant, User
from tenants.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is at the door: a signed-in member, a guest with a link, or the partner's backend.

    `actor` is the word that transitions keep: `customer`, `link` or `key:PREFIX`.
    """

    actor: str
    tenant_ids: tuple[int, ...]
    user: User | None = None
    link_id: int | None = None
    key_prefix: str = ""
    scopes: frozenset[str] = frozenset()

    @property
    def is_guest(self) -> bool:
        return self.link_id is not None

    @property
    def is_key(self) -> bool:
        return bool(self.key_prefix)

    @property
    def sees_all(self) -> bool:
        """Every tenant's rows: an API key is the partner's, and names the tenant it means."""
        return self.is_key

    @property
    def is_authenticated(self) -> bool:
        """What REST framework's permission asks of a user."""
        return True

    @property
    def pk(self) -> str:
        """What throttles and logs tell askers apart by."""
        if self.is_key:
            return f"key-{self.key_prefix}"
        return f"link-{self.link_id}" if self.is_guest else f"user-{self.user and self.user.pk}"


def _tenant_ids(user: Any) -> QuerySet[Membership, int]:
    rows = Membership.objects.filter(user=user).order_by("pk")
    return rows.values_list("tenant_id", flat=True)


_WITH_TENANTS: Prepared[User] = Prepared(
    lambda pk: User.objects.filter(pk=pk).annotate(
        tenant_ids=ArraySubquery(_tenant_ids(OuterRef("pk")))
    )
)


def signed_in(request: HttpRequest) -> User:
    """The signed-in user, for views behind `login_required`."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def member(user: User) -> Asker:
    """The asker that a signed-in user is: all the tenants of their memberships."""
    read_along: list[int] | None = getattr(user, "tenant_ids", None)
    ids = _tenant_ids(user.pk) if read_along is None else read_along
    return Asker(actor="customer", tenant_ids=tuple(ids), user=user)


def with_tenants(user_id: int) -> User | None:
    """The user of a request, and in the same statement the tenants of their memberships."""
    return _WITH_TENANTS.first(user_id)


def guest(tenant_id: int, link_id: int) -> Asker:
    """The asker that a signup link lets in: its one tenant."""
    return Asker(actor="link", tenant_ids=(tenant_id,), link_id=link_id)


def partner(key: ApiKey) -> Asker:
    """The asker that an API key is: all tenants, within its scopes."""
    return Asker(
        actor=f"key:{key.prefix}",
        tenant_ids=(),
        key_prefix=key.prefix,
        scopes=frozenset(key.scopes),
    )


def tenants_of(asker: Asker) -> list[Tenant]:
    """The asker's tenants, by name."""
    return list(Tenant.objects.filter(pk__in=asker.tenant_ids))


def owned_tenant_ids(asker: Asker) -> frozenset[int]:
    """The tenants that a signed-in user is an owner of."""
    if asker.user is None:
        return frozenset()
    owned = asker.user.memberships.filter(role=Membership.Role.OWNER)
    return frozenset(owned.values_list("tenant_id", flat=True))


def tenant_for(asker: Asker, slug: str | None) -> Tenant:
    """The tenant that the asker means: the named one, or their first.

    Raises Http404 for a tenant that is not theirs, as for one that does not exist. A key has no
    first one: it names the tenant, or there is none.
    """
    if asker.sees_all:
        return get_object_or_404(Tenant, slug=slug or "")
    tenants = tenants_of(asker)
    for tenant in tenants:
        if slug in (None, "", tenant.slug):
            return tenant
    raise Http404
