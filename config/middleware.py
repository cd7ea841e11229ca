"""Middleware of the whole site: request ids, forwarded headers, the content security policy."""

import logging
import re
import uuid
from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from redis import RedisError
from structlog.contextvars import bind_contextvars, clear_contextvars

from config import errors
from tenants import audit, second_factor
from tenants.address import is_trusted_proxy

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

# The admin's theme evaluates expressions and sets inline styles; nothing more is opened for it.
ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}


class RequestId:
    """Gives each request an id (`request.id`), echoed as `X-Request-ID` and shown in errors."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        told = audit.request_id.set(request.id)  # type: ignore[attr-defined]
        # Bound until the answer has gone out (request_finished): Django logs some answers later.
        clear_contextvars()
        bind_contextvars(request_id=request.id)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            audit.request_id.reset(told)
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response


@receiver(request_finished)
def forget_request(**_signal: object) -> None:
    """The thread's next request starts with nothing bound."""
    clear_contextvars()


class ForwardedHeaders:
    """Drops forwarded headers unless the peer is one of TRUSTED_PROXIES (addresses or networks)."""

    headers = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
    told_by = (*headers, "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.came_by_proxy = any(n in request.META for n in self.told_by)  # type: ignore[attr-defined]
        if not is_trusted_proxy(request.META.get("REMOTE_ADDR", "")):
            for name in self.headers:
                request.META.pop(name, None)
        return self.get_response(request)


class StaffSecondFactor:
    """Sends staff without a second factor to set one up before any page of the admin."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        leads_out = request.path_info in {"/admin/login/", "/admin/logout/"}
        if request.path_info.startswith("/admin/") and not leads_out:
            elsewhere = second_factor.gate(request)
            if elsewhere is not None:
                return elsewhere
        return self.get_response(request)


class ResourcePolicy:
    """`Cross-Origin-Resource-Policy`: other sites may not load our answers as their resources."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class BodyLimit:
    """413 for a body over BODY_LIMITS, before anything reads it.

    REST framework's parsers read the stream, which Django's own limit does not see. A body without
    an announced length is none to Django.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.limits = sorted(settings.BODY_LIMITS.items(), key=lambda kept: -len(kept[0]))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = next(most for path, most in self.limits if request.path_info.startswith(path))
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) <= limit:
            return self.get_response(request)
        return errors.too_large(request, limit)


class RedisAway:
    """503 where a page cannot do without Redis: logins count their failures there, or not at all.

    Letting everybody guess passwords meanwhile would be worse than a minute without logins; guests
    of signup links need none.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RedisError):
            return None
        logger.error("Redis does not answer: %s", type(error).__name__)
        return errors.unavailable(request)


class ContentSecurityPolicy(CSPMiddleware):
    """The strict policy everywhere; the admin's own under `/admin/`."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/") and not report_only:
            parts.replace = {**(parts.replace or {}), **ADMIN_POLICY}
        return parts
