"""Memberships by hand: the last owner stays here too, as in `members.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from tenants import members
from tenants.members import LastOwnerError
from tenants.models import Membership, User

OWNER = Membership.Role.OWNER


def last_owners(going: Iterable[Membership]) -> list[Membership]:
    """Those of them after whom their tenant would have no owner left."""
    owners = [row for row in going if row.role == OWNER]
    keys = [row.pk for row in owners]
    staying = set(
        Membership.objects.filter(role=OWNER, tenant__in=[row.tenant_id for row in owners])
        .exclude(pk__in=keys)
        .values_list("tenant_id", flat=True)
    )
    return [row for row in owners if row.tenant_id not in staying]


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    """An owner who becomes a member, or goes to another tenant, must not be the last one."""

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        before = Membership.objects.filter(pk=self.instance.pk).first()
        stays = told.get("role") == OWNER and (
            before is None or told.get("tenant", before.tenant) == before.tenant
        )
        if before is not None and not stays and last_owners([before]):
            raise forms.ValidationError(str(LastOwnerError()))
        return told


class MembershipFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """A tenant that has owners keeps one."""

    def clean(self) -> None:
        super().clean()
        had = (
            Membership.objects.filter(tenant=self.instance, role=OWNER) if self.instance.pk else []
        )
        roles = [
            form.cleaned_data.get("role")
            for form in self.forms
            if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")
        ]
        if had and OWNER not in roles:
            raise forms.ValidationError(str(LastOwnerError()))


class KeepsTheLastOwner:
    """For the admin of memberships, beside `form = MembershipForm`."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The last owner is shown as what stands in the way, and nothing is deleted."""
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        why = str(LastOwnerError())
        return shown, counts, missing, [*protected, *(f"{row}: {why}" for row in last_owners(objs))]

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.owner_is_gone(obj)
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for row in queryset:
            members.owner_is_gone(row)
        super().delete_queryset(request, queryset)  # type: ignore[misc]


class KeepsTheirTenants:
    """For the admin of users: who is the last owner of a tenant is not deleted."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The membership that stands in the way is named, and nothing is deleted."""
        shown, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        theirs = Membership.objects.filter(user__in=[user.pk for user in objs])
        why = str(LastOwnerError())
        last = last_owners(theirs.select_related("user", "tenant"))
        return shown, counts, missing, [*protected, *(f"{row}: {why}" for row in last)]

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        _their_standing_ends([obj])
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        _their_standing_ends(queryset)
        super().delete_queryset(request, queryset)  # type: ignore[misc]


def _their_standing_ends(users: Iterable[User]) -> None:
    theirs = Membership.objects.filter(user__in=[user.pk for user in users])
    for row in theirs.select_related("user", "tenant"):
        members.owner_is_gone(row)


__all__ = [
    "KeepsTheLastOwner",
    "KeepsTheirTenants",
    "MembershipForm",
    "MembershipFormSet",
    "last_owners",
]
