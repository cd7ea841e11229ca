"""Where a request comes from, in one place: limits and lists of sessions use it."""

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "0.0.0.0"  # noqa: S104 - no address to listen on: what stands for "cannot be told"


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name, strict=False) for name in names)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: with a port, in brackets, or as an IPv4-mapped IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted_proxy(text: str) -> bool:
    """Whether the address is one of TRUSTED_PROXIES (addresses or networks)."""
    address = _parsed(text)
    networks = _networks(tuple(settings.TRUSTED_PROXIES))
    return address is not None and any(address in network for network in networks)


def client_address(request: HttpRequest) -> str:
    """The client's address, which the client cannot choose; `0.0.0.0` if it cannot be told.

    Behind a trusted proxy it is the right-most address of X-Forwarded-For that is no trusted
    proxy: everything left of it was written by the client. From anybody else the header counts
    for nothing.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and hops and is_trusted_proxy(str(address)):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = before
    return UNKNOWN if address is None else str(address)
