"""What all resources of the API share: who asks, limits, repeated requests, headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http.request import UnreadablePostError
from rest_framework import viewsets
from rest_framework.exceptions import ParseError, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding.api import idempotency
from onboarding.api.paging import Filters, NewestFirst
from onboarding.api.permissions import IsForAsker
from onboarding.api.throttles import AskerThrottle
from tenants.access import Asker
from tenants.throttle import Standing

M = TypeVar("M", bound=Model)


class Resource(viewsets.GenericViewSet[M]):
    """A resource: `scope` names it in a key's scopes, `askers` says for whom it is there."""

    scope = ""
    askers: frozenset[str] = frozenset({"key"})
    filters: type[Filters] | None = None
    permission_classes = (IsAuthenticated, IsForAsker)
    throttle_classes = (AskerThrottle,)
    pagination_class = NewestFirst
    standing: Standing | None = None

    @property
    def asker(self) -> Asker:
        asker = self.request.user
        assert isinstance(asker, Asker)  # noqa: S101 - IsAuthenticated, and no other scheme
        return asker

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _read_body(request)
        super().initial(request, *args, **kwargs)
        key = idempotency.key_of(request)
        handler = getattr(self, "post", None)
        if key is not None and handler is not None:
            self.post = self._once(handler, key)

    def _once(self, handler: Callable[..., Response], key: str) -> Callable[..., Response]:
        def repeatable(request: Request, *args: Any, **kwargs: Any) -> Response:
            def act() -> Response:
                try:
                    with transaction.atomic():  # what it did until it was refused is undone
                        return handler(request, *args, **kwargs)
                except Throttled:
                    raise  # not kept: it is to be sent again, under the same key
                except Exception as error:
                    return self.handle_exception(error)  # raises what is a fault of ours

            return idempotency.once(request, self.asker, key, act)

        return repeatable

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.standing is not None:
            response["RateLimit-Limit"] = str(self.standing.limit)
            response["RateLimit-Remaining"] = str(self.standing.remaining)
            response["RateLimit-Reset"] = str(self.standing.reset_seconds)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def filtered(self, rows: QuerySet[M]) -> QuerySet[M]:
        """The rows that the query of a list leaves over. Raises ValidationError."""
        if self.action != "list" or self.filters is None:
            return rows
        asked = self.filters(data=dict(self.request.query_params.items()))
        asked.is_valid(raise_exception=True)
        return rows.filter(**asked.lookups())


def _read_body(request: Request) -> None:
    """Read it here once: what a repeated request is compared by. Its length was checked before
    (config/middleware.py)."""
    try:
        _ = request._request.body
    except UnreadablePostError as error:
        raise ParseError from error


def valid(serializer: Any, request: Request, **options: Any) -> dict[str, Any]:
    """What was sent, checked. Raises ValidationError."""
    checked = serializer(data=request.data, **options)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)
