"""Lists: newest first with a cursor, and filters that say what they do not know."""

import base64
import re
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

PAGING = {"limit", "cursor"}


class NewestFirst(CursorPagination):
    """`{next, previous, results}`; a limit or cursor that is none is a 400 that names it."""

    page_size = 25
    max_page_size = 100
    page_size_query_param = "limit"
    ordering = ("-created_at", "-pk")

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("limit", str(self.page_size))
        if not (re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= self.max_page_size):
            raise ValidationError({"limit": [_("Use a whole number from 1 to 100.")]})
        return int(text)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """As REST framework does, which takes any text for a position and lets it fail later."""
        try:
            cursor = super().decode_cursor(request)
            sent = request.query_params.get("cursor")
            if sent is not None and not base64.b64decode(sent, validate=True):
                raise ValueError(sent)
            if cursor is not None and cursor.position is not None:
                _is_time(str(cursor.position))
        except (NotFound, ValueError, OverflowError) as error:
            raise ValidationError({"cursor": [_("Use an address that a list gave.")]}) from error
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": 25}
        return [
            {
                "name": "limit", "in": "query", "required": False, "schema": limit,
                "description": "Rows on a page.",
            },
            {
                "name": "cursor", "in": "query", "required": False, "schema": {"type": "string"},
                "description": "From `next` or `previous` of a page; not to be made up.",
            },
        ]  # fmt: skip


def _is_time(text: str) -> None:
    at = parse_datetime(text)
    if at is None or at.tzinfo is None:
        raise ValueError(text)


class Filters(serializers.Serializer[Any]):
    """What a list may be narrowed by. An unknown name is told: a typo must not widen a list."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields) - PAGING)
        if unknown:
            raise ValidationError({name: [_("There is no such filter.")] for name in unknown})
        return super().to_internal_value(data)

    def lookups(self) -> dict[str, Any]:
        """The filters that were sent, as lookups of the ORM: the `source` of each field."""
        checked: dict[str, Any] = self.validated_data
        return checked


@extend_schema_field(bool)
class FlagField(serializers.ChoiceField):
    """`true` or `false`, in words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["true", "false"], **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "true"
