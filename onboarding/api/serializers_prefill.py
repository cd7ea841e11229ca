"""What the API takes and shows of a tenant's prefill."""

from typing import Any

from django.core.validators import MaxLengthValidator
from rest_framework import serializers

from onboarding.api.serializers import StrictText
from tenants.models import Tenant
from tenants.models.prefill import PREFILL

NAMES = [name.removeprefix("prefill_") for name in PREFILL]


class PrefillSerializer(serializers.Serializer[Any]):
    """What Meta's window is filled in with, while `enabled`. Personal data: with consent only.

    In a change only what is sent is changed; null takes a value back.
    """

    enabled = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """One for each column, with the column's own rules."""
        return {**super().get_fields(), **{name: _prefilled(name) for name in NAMES}}

    def to_representation(self, instance: Tenant) -> dict[str, Any]:
        told = {name: getattr(instance, f"prefill_{name}") or None for name in NAMES}
        return {"enabled": instance.prefill, **told}


def _prefilled(name: str) -> serializers.Field[Any, Any, Any, Any]:
    column: Any = Tenant._meta.get_field(f"prefill_{name}")
    given: dict[str, Any] = {"required": False, "allow_null": True}
    if column.choices:
        return serializers.ChoiceField(choices=column.choices, **given)
    rules = [rule for rule in column.validators if not isinstance(rule, MaxLengthValidator)]
    return StrictText(max_length=column.max_length, validators=rules, **given)
