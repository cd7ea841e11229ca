"""Signup links, for the partner's backend and for a tenant's owners."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import services
from onboarding.api import examples, throttles
from onboarding.api import serializers_partner as s
from onboarding.api.base import Resource, valid
from onboarding.api.permissions import only_owners
from onboarding.api.schema import operation
from onboarding.api.serializers_links import MadeLinkSerializer
from onboarding.models import SignupLink
from tenants.access import Asker, owned_tenant_ids, tenant_for
from tenants.models import Tenant

_TAKES = {
    "tenant": "cakes",
    "connection_mode": "business_app",
    "expected_number": "+4915112345678",
    "language": "en",
    "email": "john@cakes.example",
    "expires_in_days": 7,
}
_FIELDS = {"life_days": "expires_in_days"}


class LinkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[SignupLink]):
    """A mailed, expiring, revocable link to one tenant's signup."""

    queryset = SignupLink.objects.none()
    serializer_class = s.LinkSerializer
    filters = s.LinkFilters
    scope = "links"
    askers = frozenset({"key", "member"})
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[SignupLink]:
        if not isinstance(self.request.user, Asker):
            return SignupLink.objects.none()  # the schema generator asks as nobody
        rows = SignupLink.objects.visible_to(self.asker).select_related("tenant")
        if self.action == "list" and not self.asker.is_key:
            rows = rows.filter(tenant__in=_owned(self.asker))
        return self.filtered(rows)

    def get_object(self) -> SignupLink:
        """404 for a foreign link; 403 for a member who is no owner."""
        link = super().get_object()
        only_owners(self.asker, link.tenant)
        return link

    @operation(
        "Signup links, newest first", s.LinkSerializer(many=True),
        answers=examples.LINK, parameters=[s.LinkFilters],
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @operation("One signup link", s.LinkSerializer, answers=examples.LINK)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @operation(
        "Create a signup link; its address is shown once", MadeLinkSerializer, 201,
        request=s.LinkCreateSerializer, takes=_TAKES, answers=examples.MADE_LINK,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """The address opens the tenant's signup for whoever has it; only a hash of it is kept.

        It revokes the tenant's earlier links for the same number; `ended` says which, when each
        was made and opened, and how many onboardings that it began go on. `email`: mailed too.
        """
        sent = valid(s.LinkCreateSerializer, request)
        tenant = named_tenant(self.asker, sent.pop("tenant", None))
        only_owners(self.asker, tenant)
        throttles.making_link(self.asker, tenant.pk)
        try:
            link, token = services.create_link(
                tenant, actor=self.asker.actor, created_by=self.asker.user, **sent
            )
        except services.RefusedError as error:
            raise _by_field(error) from error
        url = f"{settings.SITE_URL}/s/{token}/"
        made = MadeLinkSerializer(link, context={**self.get_serializer_context(), "url": url})
        return Response(made.data, status=201)

    @operation(
        "Revoke a signup link", s.LinkSerializer, answers={**examples.LINK, "state": "revoked"}
    )
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, id: str) -> Response:
        """Ends the link and the sessions of its guests; once more changes nothing."""
        link = self.get_object()
        services.revoke_link(link, self.asker.actor)
        link.refresh_from_db()
        return Response(s.LinkSerializer(link).data)


def _by_field(error: services.RefusedError) -> ValidationError:
    """The service names the argument that it refuses: `email_invalid`."""
    field = error.code.removesuffix("_invalid")
    return ValidationError({_FIELDS.get(field, field): [str(error)]})


def _owned(asker: Asker) -> frozenset[int]:
    """The tenants whose links a member may see. Raises PermissionDenied where they own none."""
    owned = owned_tenant_ids(asker)
    if not owned:
        raise PermissionDenied
    return owned


def named_tenant(asker: Asker, slug: str | None) -> Tenant:
    """The tenant that is meant; a key has to name it (400), a foreign one is not there (404)."""
    if asker.is_key and not slug:
        raise ValidationError({"tenant": [_("Name the tenant.")]})
    return tenant_for(asker, slug)
