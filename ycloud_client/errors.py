"""What can go wrong, and what may be done about it.

    YCloudError
    ├── NoResponseError            nothing came back; may_have_happened says whether it was sent
    ├── UnreadableResponseError    something came back that is not an answer
    └── APIError                   YCloud said no: status, code, message, request_id, whatsapp_error
        ├── InvalidRequestError    400, 413, 422 and every other 4xx
        ├── AuthenticationError    401
        ├── PermissionDeniedError  403
        ├── NotFoundError          404
        ├── ConflictError          409
        ├── RateLimitError         429
        └── ServerError            5xx

`is_transient`: the same request may succeed later. `retry_after`: seconds that YCloud asks to
wait, or None. `may_have_happened`: a mutation may have been applied; read before repeating it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WhatsappError:
    """Meta's own refusal inside YCloud's (`whatsappApiError`); codes are strings, "" if absent."""

    code: str
    subcode: str = ""
    message: str = ""
    type: str = ""
    user_title: str = ""
    user_message: str = ""
    fbtrace_id: str = ""


class YCloudError(Exception):
    """Every failure of a call."""

    is_transient: bool = False
    may_have_happened: bool = False
    retry_after: float | None = None


class NoResponseError(YCloudError):
    """No answer: not connected, or the connection broke or was too slow."""

    is_transient = True

    def __init__(self, message: str, *, may_have_happened: bool) -> None:
        super().__init__(message)
        self.may_have_happened = may_have_happened


class UnreadableResponseError(YCloudError):
    """An answer that cannot be used: no JSON, the wrong shape, too large, a redirect."""

    is_transient = True
    may_have_happened = True

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class APIError(YCloudError):
    """YCloud refused. `code` is YCloud's word, "" where the answer had none."""

    def __init__(
        self,
        *,
        status: int,
        code: str = "",
        message: str = "",
        request_id: str | None = None,
        whatsapp_error: WhatsappError | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.whatsapp_error = whatsapp_error
        self.retry_after = retry_after
        meta = f"; Meta {whatsapp_error.code}" if whatsapp_error else ""
        if whatsapp_error and whatsapp_error.subcode:
            meta += f"/{whatsapp_error.subcode}"
        super().__init__(f"HTTP {status} {code or 'without a code'}{meta}: {message}"[:500])


class InvalidRequestError(APIError):
    """400, 413, 422 and every other 4xx: the same request will fail again."""


class AuthenticationError(APIError):
    """401: the API key is not accepted."""


class PermissionDeniedError(APIError):
    """403: not allowed, or the WABA is not bound to this YCloud account."""


class NotFoundError(APIError):
    """404."""


class ConflictError(APIError):
    """409: it exists already."""


class RateLimitError(APIError):
    """429: over the quota, or Meta asks to slow down."""

    is_transient = True


class ServerError(APIError):
    """5xx: YCloud failed, perhaps after it had done what was asked."""

    is_transient = True
    may_have_happened = True


BY_STATUS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def class_for(status: int) -> type[APIError]:
    """The class of an HTTP status of 400 or more."""
    return ServerError if status >= 500 else BY_STATUS.get(status, InvalidRequestError)


UNBOUND_CODES = frozenset({"WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE", "WHATSAPP_WABA_UNAVAILABLE"})
"""403 codes seen for a WABA that is not bound to the YCloud account."""


def is_unbound(error: BaseException) -> bool:
    """Whether the error says that this YCloud account does not hold the WABA (yet)."""
    if isinstance(error, NotFoundError):
        return True
    return isinstance(error, PermissionDeniedError) and error.code in UNBOUND_CODES
