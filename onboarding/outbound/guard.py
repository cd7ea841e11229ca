"""Where we may send: public https addresses, looked at when they are saved and when we connect.

A name may point elsewhere a second later (DNS rebinding), so the connection goes to exactly the
address that was checked, while TLS still checks the name's certificate. What is allowed is a list
of public ranges; what is refused inside them follows IANA's special-purpose registries
(https://www.iana.org/assignments/iana-ipv4-special-registry/, -ipv6-, read Nov 2026).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import idna
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
RESOLVE_SECONDS = 5.0
LONGEST = 500

_V4 = [ipaddress.IPv4Network(text) for text in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",  # Azure's own services, at a public address, from inside Azure only
)]  # fmt: skip
_V6_PUBLIC = ipaddress.IPv6Network("2000::/3")
"""Leaves out loopback, mapped, NAT64, link-local, unique local (fd00:ec2::254 too), multicast."""
_V6 = [ipaddress.IPv6Network(text) for text in (
    "2001::/23",  # Teredo, ORCHID and other protocols
    "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)]  # fmt: skip

_INSIDE = [ipaddress.ip_network(text) for text in (
    "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "fc00::/7",
)]  # fmt: skip
"""What OUTBOUND_ALLOW_PRIVATE adds."""
_METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200")}
"""Cloud metadata inside those; the common 169.254.169.254 is link-local and never allowed."""


class RefusedAddressError(Exception):
    """We do not send there; the text says why."""

    def __init__(self, why: str | Promise) -> None:
        super().__init__(str(why))


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart. `host` is lower case ASCII, without brackets and last dot."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """As the Host header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def is_allowed(address: Address) -> bool:
    """Whether we may connect to this very address."""
    if settings.OUTBOUND_ALLOW_PRIVATE and any(address in net for net in _INSIDE):
        return address not in _METADATA
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _V4)
    return address in _V6_PUBLIC and not any(address in net for net in _V6)


def parse(url: str) -> Target:
    """Take an address apart, without asking DNS. Raises RefusedAddressError."""
    if len(url) > LONGEST:
        raise RefusedAddressError(_("The address is longer than 500 characters."))
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise RefusedAddressError(_("The address has blanks, control characters or backslashes."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddressError(_("This is no address.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise RefusedAddressError(_("Give a whole address that starts with https://"))
    if "@" in parts.netloc:
        raise RefusedAddressError(_("Leave out the name and password before the @."))
    if parts.fragment:
        raise RefusedAddressError(_("Leave out what follows the #."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise RefusedAddressError(_("Percent-encode what is not ASCII in the path."))
    host = _host(parts.hostname)
    if parts.scheme == "http" and not _is_loopback_name(host):
        raise RefusedAddressError(_("Only https is allowed."))
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    if port not in (443, 80 if parts.scheme == "http" else 443) and port < 1024:
        raise RefusedAddressError(_("Use port 443, or one from 1024 on."))
    return Target(parts.scheme, host, port, path)


def _host(name: str) -> str:
    """The name in ASCII. Numbers in odd notation (127.1, 0x7f000001) are no names."""
    if ":" in name:
        return str(_literal(name))
    try:
        host = idna.encode(name, uts46=True).decode().lower().removesuffix(".")
    except idna.IDNAError:
        # Underscores and doubled hyphens are no IDNA but fine ASCII names.
        host = name.lower().removesuffix(".")
    labels = host.split(".")
    if not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", each) for each in labels):
        raise RefusedAddressError(_("The host is no valid name."))
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return str(_literal(host))
    if not settings.OUTBOUND_ALLOW_PRIVATE and (len(labels) < 2 or labels[-1] in _PRIVATE_ENDINGS):
        raise RefusedAddressError(_("The host is private."))
    return host


_PRIVATE_ENDINGS = {"localhost", "local", "internal", "lan", "home", "corp", "intranet", "arpa"}


def _literal(text: str) -> Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise RefusedAddressError(_("The host is no valid name.")) from None
    if not is_allowed(address) or "%" in text:
        raise RefusedAddressError(_("The host is private."))
    return address


def _is_loopback_name(host: str) -> bool:
    """Without TLS only inside this machine, for development."""
    if not settings.OUTBOUND_ALLOW_PRIVATE:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(url: str) -> str:
    """The address in its plain form, when we may send there now. Raises RefusedAddressError."""
    target = parse(url)
    addresses_of(target.host, target.port)
    return target.url


@cache
def _resolvers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of the name. Raises RefusedAddressError when one of them is not allowed.

    getaddrinfo knows no timeout, so it is waited for from outside.
    """
    asked = _resolvers().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = asked.result(RESOLVE_SECONDS)
    except FutureTimeoutError:
        raise RefusedAddressError(_("The name server did not answer in time.")) from None
    except (OSError, UnicodeError):
        raise RefusedAddressError(_("The host's name is not known to the name server.")) from None
    texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not texts:
        raise RefusedAddressError(_("The host's name is not known to the name server."))
    for text in texts:
        if "%" in text or not is_allowed(ipaddress.ip_address(text)):
            raise RefusedAddressError(_("The host's name leads to a private address."))
    return texts


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked this very moment, until a deadline for the whole.

    httpcore hands over the name; TLS and the Host header keep it.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._below = httpcore.SyncBackend()
        self.address = ""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,
        local_address: str | None = None, socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """The first of the name's addresses that takes the connection."""
        until = time.monotonic() + _shorter(timeout, self._deadline)
        failed: Exception = httpcore.ConnectTimeout("the name server took too long")
        for self.address in addresses_of(host, port):
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                stream = self._below.connect_tcp(self.address, port, left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _BoundedStream(stream, self._deadline)
        raise failed


class _BoundedStream(httpcore.NetworkStream):
    """No read or write goes on past the deadline, however slowly the answer drips in."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _shorter(timeout, self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _shorter(timeout, self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _shorter(timeout, self._deadline)
        return _BoundedStream(
            self._stream.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _shorter(timeout: float | None, deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the call took too long")
    return left if timeout is None else min(timeout, left)
