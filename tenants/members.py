"""What owners and members do with a tenant's memberships. The last owner always stays."""

from __future__ import annotations

import string

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext

from tenants import audit, invitations, walls
from tenants.models import Membership, Tenant, User
from tenants.signals import owner_ended

OWNER = Membership.Role.OWNER
TAIL = string.ascii_lowercase + string.digits


class LastOwnerError(Exception):
    """A tenant without an owner could never be managed again."""

    def __init__(self) -> None:
        super().__init__(gettext("The last owner has to stay. Make somebody else an owner first."))


@transaction.atomic
@walls.seeing_everything("a tenant that is being made is nobody's yet")
def found_tenant(user: User, name: str) -> Tenant:
    """A new tenant of that name, with the user as its owner."""
    tenant = _tenant_with_free_slug(name)
    Membership.objects.create(user=user, tenant=tenant, role=OWNER)
    audit.record("customer", "tenant.created", tenant, after={"by_user": user.pk})
    return tenant


def _tenant_with_free_slug(name: str) -> Tenant:
    """The database decides which slug is free, so two at once get two.

    The tail is random, or the slug would tell strangers which companies are customers already.
    """
    base = slugify(name)[:60] or "company"
    for _ in range(100):
        try:
            with transaction.atomic():
                return Tenant.objects.create(name=name, slug=f"{base}-{get_random_string(4, TAIL)}")
        except IntegrityError:
            continue
    raise RuntimeError("no free slug")


@transaction.atomic
def change_role(by: User, tenant: Tenant, membership_id: int, role: Membership.Role) -> None:
    """Make a member an owner, or an owner a member. Raises LastOwnerError, PermissionDenied."""
    owners = _locked_owners(tenant)
    _must_be_owner(by, owners)
    target = _locked(tenant, membership_id)
    if target.role == role:
        return
    if target.role == OWNER:
        _not_the_last(owners)
    before, target.role = target.role, role
    target.save(update_fields=["role"])
    if role != OWNER:
        _owner_ended(target.user, tenant)
    _record(by, "membership.role_changed", target, before=before, after=role)


@transaction.atomic
def remove(by: User, tenant: Tenant, membership_id: int) -> None:
    """End somebody's membership, at once. Raises LastOwnerError, PermissionDenied."""
    owners = _locked_owners(tenant)
    _must_be_owner(by, owners)
    target = _locked(tenant, membership_id)
    if target.role == OWNER:
        _not_the_last(owners)
    _owner_ended(target.user, tenant)
    _record(by, "membership.removed", target, before=target.role)
    target.delete()


@transaction.atomic
def leave(user: User, tenant: Tenant) -> None:
    """End one's own membership. Raises LastOwnerError."""
    owners = _locked_owners(tenant)
    mine = Membership.objects.select_for_update().filter(user=user, tenant=tenant).first()
    if mine is None:
        raise Http404
    if mine.role == OWNER:
        _not_the_last(owners)
    _owner_ended(user, tenant)
    _record(user, "membership.left", mine, before=mine.role)
    mine.delete()


def owner_is_gone(row: Membership) -> None:
    """The same for a membership that staff delete by hand."""
    if row.role == OWNER:
        _owner_ended(row.user, row.tenant)


def _owner_ended(user: User, tenant: Tenant) -> None:
    """What somebody opened to others, or kept open for themselves, ends with their standing."""
    invitations.revoke_those_of(user, tenant)
    owner_ended.send(sender=Membership, user=user, tenant=tenant)


def _locked_owners(tenant: Tenant) -> list[Membership]:
    """All owners, locked in one order: whoever comes second sees what the first one left."""
    owners = Membership.objects.filter(tenant=tenant, role=OWNER)
    return list(owners.select_for_update().order_by("pk"))


def _locked(tenant: Tenant, membership_id: int) -> Membership:
    row = Membership.objects.select_for_update().filter(tenant=tenant, pk=membership_id).first()
    if row is None:
        raise Http404
    return row


def _must_be_owner(user: User, owners: list[Membership]) -> None:
    if user.pk not in {each.user_id for each in owners}:
        raise PermissionDenied


def _not_the_last(owners: list[Membership]) -> None:
    if len(owners) < 2:
        raise LastOwnerError


def _record(by: User, act: str, row: Membership, *, before: str, after: str = "") -> None:
    """The entry names keys, no person."""
    told = {"by_user": by.pk, "user": row.user_id} | ({"role": after} if after else {})
    audit.record("customer", act, row, before={"role": before}, after=told)
