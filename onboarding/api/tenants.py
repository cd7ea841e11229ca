"""Tenants, for the partner's backend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import services
from onboarding.api import examples
from onboarding.api import serializers_partner as s
from onboarding.api.base import Resource, valid
from onboarding.api.schema import operation
from onboarding.services import RefusedError
from tenants import registry
from tenants.models import Tenant

_TAKES = {"name": "John's Cake Shop", "external_id": "crm-4711"}


class TenantViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[Tenant]):
    """A customer company. Only an API key finds it here; people see their own on the page."""

    queryset = Tenant.objects.none()
    serializer_class = s.TenantSerializer
    filters = s.TenantFilters
    scope = "tenants"
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,80}"
    http_method_names = ["get", "post", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Tenant]:
        # Only keys come as far as this (`askers`).
        rows = Tenant.objects.all().select_related("ycloud_assignment__ycloud_account")
        return self.filtered(rows)

    @operation(
        "Tenants, newest first", s.TenantSerializer(many=True),
        answers=examples.TENANT, parameters=[s.TenantFilters],
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @operation("One tenant", s.TenantSerializer, answers=examples.TENANT)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @operation(
        "Create a tenant", s.TenantSerializer, 201,
        request=s.TenantCreateSerializer, takes=_TAKES, answers=examples.TENANT,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Without `slug` it gets one from its name. A slug or `external_id` in use is a 409."""
        sent = valid(s.TenantCreateSerializer, request)
        with self._assigning(sent) as assigned:
            tenant = assigned(registry.create_tenant(self.asker.actor, **sent))
        return Response(s.TenantSerializer(tenant).data, status=201)

    @operation(
        "Change a tenant", s.TenantSerializer,
        request=s.TenantChangeSerializer(partial=True),
        takes={"approval": "always"}, answers={**examples.TENANT, "approval": "always"},
    )  # fmt: skip
    def partial_update(self, request: Request, slug: str) -> Response:
        tenant = self.get_object()
        sent = valid(s.TenantChangeSerializer, request, partial=True)
        with self._assigning(sent) as assigned:
            tenant = assigned(registry.change_tenant(tenant, self.asker.actor, **sent))
        return Response(s.TenantSerializer(tenant).data)

    @contextmanager
    def _assigning(self, sent: dict[str, Any]) -> Iterator[Callable[[Tenant], Tenant]]:
        """One transaction for the tenant and for where its onboardings begin, which is no column
        of it and is taken out of what was sent.
        """
        wanted = {"account": sent.pop("ycloud_account")} if "ycloud_account" in sent else {}

        def assigned(tenant: Tenant) -> Tenant:
            if wanted:
                services.assign_ycloud_account(tenant, **wanted, actor=self.asker.actor)
            return self.get_queryset().get(pk=tenant.pk)

        try:
            with transaction.atomic():
                yield assigned
        except registry.TakenError as error:
            raise _taken(error) from error


def _taken(error: registry.TakenError) -> RefusedError:
    told = {
        "slug": gettext("Another tenant has this slug."),
        "external_id": gettext("Another tenant has this external id."),
    }
    return RefusedError(f"{error.field}_taken", told[error.field])
