"""The OpenAPI file: what every operation answers, takes and tells, written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from onboarding.api import idempotency
from onboarding.api.serializers import ErrorSerializer

F = TypeVar("F", bound=Callable[..., Any])

ERRORS = {
    400: ("invalid", "A field, a filter, the body or the Idempotency-Key cannot be used."),
    401: ("not_authenticated", "No session, no signup link, or the key is not accepted."),
    403: ("scope_missing", "The key lacks a scope, the role is too small, or the CSRF token."),
    404: ("not_found", "Not there, not yours, or not for you."),
    406: ("not_acceptable", "Only JSON is answered."),
    409: ("not_now", "Does not fit the state; or the first of repeated requests is under way."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "Only JSON is taken."),
    422: ("idempotency_key_reused", "The Idempotency-Key was used for another request."),
    429: ("throttled", "Too many requests; wait for Retry-After seconds."),
}
_READS = (400, 401, 403, 404, 406, 429)
_LIMITS = (
    ("RateLimit-Limit", "Requests that a minute allows."),
    ("RateLimit-Remaining", "Requests that are left now."),
    ("RateLimit-Reset", "Seconds until there is more room."),
)


def error_response(status: int) -> OpenApiResponse:
    """The envelope under this status."""
    code, description = ERRORS[status]
    error = {"code": code, "message": description, "request_id": "5f0c9e7a41d24b0c"}
    example = OpenApiExample(code, value={"error": error}, response_only=True)
    return OpenApiResponse(ErrorSerializer, description=description, examples=[example])


def operation(
    summary: str,
    response: Any,
    *codes: int,
    request: Any = None,
    takes: dict[str, Any] | None = None,
    answers: dict[str, Any] | None = None,
    **more: Any,
) -> Callable[[F], F]:
    """Describes one operation, with an example of what it takes and of what it answers."""
    examples = []
    if takes is not None:
        examples.append(OpenApiExample("request", value=takes, request_only=True))
    if answers is not None:
        shown = [str(code) for code in codes or (200,)]
        examples.append(
            OpenApiExample("answer", value=answers, response_only=True, status_codes=shown)
        )
    described: Callable[[F], F] = extend_schema(
        summary=summary,
        request=request,
        responses=dict.fromkeys(codes or (200,), response),
        examples=examples,
        **more,
    )
    return described


class ApiSchema(AutoSchema):
    """Adds to our resources the errors, the rate limit's headers and `Idempotency-Key`."""

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        if not self._is_ours():
            return found
        for name, about in _LIMITS:
            found.append(_header(name, about, OpenApiTypes.INT, response=True))
        found.append(
            _header("Retry-After", "Seconds to wait.", OpenApiTypes.INT, response=[409, 429])
        )
        if self.method == "POST":
            key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
            about = "The same key, path and body get the same answer for 24 hours."
            found.append(_header(idempotency.HEADER, about, key))
            about = "`true`: answered before, nothing was done again."
            found.append(_header(idempotency.REPLAYED, about, OpenApiTypes.STR, response=True))
        return found

    def get_auth(self) -> list[Any]:
        """Only the ways in that this resource is for."""
        ways = {"apiKey": "key", "session": "member", "signupLink": "guest"}
        askers = getattr(self.view, "askers", frozenset(ways.values()))
        return [way for way in super().get_auth() if all(ways[name] in askers for name in way)]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = dict(super()._get_response_bodies(direction))
        if self._is_ours():
            for status in self._errors():
                body = self._get_response_for_code(error_response(status), str(status))
                bodies.setdefault(str(status), body)
        return dict(sorted(bodies.items()))

    def _errors(self) -> tuple[int, ...]:
        if self.method in ("GET", "HEAD"):
            return _READS
        return tuple(status for status in ERRORS if status != 422 or self.method == "POST")

    def _is_ours(self) -> bool:
        return hasattr(self.view, "askers")


def _header(name: str, about: str, kind: Any, *, response: Any = False) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, required=False, description=about, response=response
    )
