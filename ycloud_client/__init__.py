"""A client for the account-level part of YCloud's API v2: httpx and the standard library only.

No retries, no sleeping, no settings: an error says what may be done, the caller decides.
"""

import logging

from ycloud_client.calls import CallRecord
from ycloud_client.client import YCloudClient
from ycloud_client.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnreadableResponseError,
    WhatsappError,
    YCloudError,
    is_unbound,
)
from ycloud_client.resources import (
    E164,
    Balance,
    BusinessAccount,
    Page,
    PhoneNumber,
    PhoneNumberId,
    WabaId,
    WebhookEndpoint,
)

__all__ = [
    "E164",
    "APIError",
    "AuthenticationError",
    "Balance",
    "BusinessAccount",
    "CallRecord",
    "ConflictError",
    "InvalidRequestError",
    "NoResponseError",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "PhoneNumber",
    "PhoneNumberId",
    "RateLimitError",
    "ServerError",
    "UnreadableResponseError",
    "WabaId",
    "WebhookEndpoint",
    "WhatsappError",
    "YCloudClient",
    "YCloudError",
    "is_unbound",
]

# They print whole addresses at INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)
