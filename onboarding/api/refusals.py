"""Why the API refuses, beside what REST framework and the services know; `errors.py` words it.

Apart from `errors.py`, because what is named in settings may not import REST framework's views.
"""

from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status


class Conflict(exceptions.APIException):
    """The request does not fit the state."""

    status_code = status.HTTP_409_CONFLICT


class KeyRefusedError(exceptions.AuthenticationFailed):
    """The same words for a key that is unknown, wrong, revoked or expired."""

    default_code = "key_refused"
    default_detail = gettext_lazy("This API key is not accepted.")


class KeyInAddressError(exceptions.APIException):
    """Addresses are written into logs by everything on their way."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "key_in_address"
    default_detail = gettext_lazy("An API key does not belong in an address.")


class ScopeMissingError(exceptions.PermissionDenied):
    """The key may not do this."""

    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        text = gettext_lazy("This key lacks the scope %(scope)s.")
        super().__init__(text % {"scope": scope})


class BadKeyError(exceptions.APIException):
    """The `Idempotency-Key` cannot be one."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "idempotency_key_invalid"
    default_detail = gettext_lazy("An Idempotency-Key has 1 to 255 printable ASCII characters.")


class KeyReusedError(exceptions.APIException):
    """The `Idempotency-Key` belongs to another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = gettext_lazy("This Idempotency-Key was used for another request.")


class UnderWayError(exceptions.APIException):
    """The first request with this `Idempotency-Key` has not been answered yet."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_under_way"
    default_detail = gettext_lazy("The first request with this Idempotency-Key is under way.")
    wait = 1  # becomes Retry-After
