"""Business accounts and phone numbers, to read."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding.api import examples
from onboarding.api import serializers_partner as s
from onboarding.api.base import Resource
from onboarding.api.schema import operation
from onboarding.models import PhoneNumber, WhatsAppBusinessAccount
from tenants.access import Asker


class AccountViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[WhatsAppBusinessAccount]
):
    """The WABAs that a tenant holds."""

    queryset = WhatsAppBusinessAccount.objects.none()
    serializer_class = s.AccountSerializer
    filters = s.AccountFilters
    scope = "accounts"
    askers = frozenset({"key", "member"})
    lookup_field = "waba_id"
    lookup_value_regex = "[0-9]{1,40}"
    http_method_names = ["get", "head", "options"]

    def get_queryset(self) -> QuerySet[WhatsAppBusinessAccount]:
        if not isinstance(self.request.user, Asker):
            return WhatsAppBusinessAccount.objects.none()  # the schema generator asks as nobody
        rows = WhatsAppBusinessAccount.objects.visible_to(self.asker)
        return self.filtered(rows.select_related("tenant"))

    @operation(
        "Business accounts, newest first", s.AccountSerializer(many=True),
        answers=examples.ACCOUNT, parameters=[s.AccountFilters],
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @operation("One business account", s.AccountSerializer, answers=examples.ACCOUNT)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)


class NumberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[PhoneNumber]):
    """The numbers of a tenant's WABAs."""

    queryset = PhoneNumber.objects.none()
    serializer_class = s.NumberSerializer
    filters = s.NumberFilters
    scope = "numbers"
    askers = frozenset({"key", "member"})
    lookup_field = "phone_number_id"
    lookup_value_regex = "[0-9]{1,40}"
    http_method_names = ["get", "head", "options"]

    def get_queryset(self) -> QuerySet[PhoneNumber]:
        if not isinstance(self.request.user, Asker):
            return PhoneNumber.objects.none()  # the schema generator asks as nobody
        rows = PhoneNumber.objects.visible_to(self.asker)
        return self.filtered(rows.select_related("tenant", "business_account"))

    @operation(
        "Phone numbers, newest first", s.NumberSerializer(many=True),
        answers=examples.NUMBER, parameters=[s.NumberFilters],
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @operation("One phone number", s.NumberSerializer, answers=examples.NUMBER)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)
