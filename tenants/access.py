"""Who is asking, and for which tenants.

A foreign row is a 404 (it is not in `visible_to`), too small a role a 403.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from tenants.models import Membership, Tenant, User


@dataclass(frozen=True, slots=True)
class Asker:
    """A person at the door: a signed-in member or a guest with a link.

    `actor` is the word that transitions keep: `customer` or `link`.
    """

    actor: str
    tenant_ids: tuple[int, ...]
    user: User | None = None
    link_id: int | None = None

    @property
    def is_guest(self) -> bool:
        return self.link_id is not None

    @property
    def is_authenticated(self) -> bool:
        """What REST framework's permission asks of a user."""
        return True

    @property
    def pk(self) -> str:
        """What throttles and logs tell askers apart by."""
        return f"link-{self.link_id}" if self.is_guest else f"user-{self.user and self.user.pk}"


def signed_in(request: HttpRequest) -> User:
    """The signed-in user, for views behind `login_required`."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def member(user: User) -> Asker:
    """The asker that a signed-in user is: all the tenants of their memberships."""
    ids = Membership.objects.filter(user=user).order_by("pk").values_list("tenant_id", flat=True)
    return Asker(actor="customer", tenant_ids=tuple(ids), user=user)


def guest(tenant_id: int, link_id: int) -> Asker:
    """The asker that a signup link lets in: its one tenant."""
    return Asker(actor="link", tenant_ids=(tenant_id,), link_id=link_id)


def tenants_of(asker: Asker) -> list[Tenant]:
    """The asker's tenants, by name."""
    return list(Tenant.objects.filter(pk__in=asker.tenant_ids))


def tenant_for(asker: Asker, slug: str | None) -> Tenant:
    """The tenant that the asker means: the named one, or their first.

    Raises Http404 for a tenant that is not theirs, as for one that does not exist.
    """
    tenants = tenants_of(asker)
    for tenant in tenants:
        if slug in (None, "", tenant.slug):
            return tenant
    raise Http404
