"""Webhooks go to public https addresses only, also when a name changes its mind."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onboarding.outbound import call, guard
from onboarding.outbound.guard import RefusedAddressError
from tests.onboarding.receiver import Receiver

Names = dict[str, list[str]]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Names:
    """A name server of our own: tests say where names lead."""
    settings.OUTBOUND_ALLOW_PRIVATE = False
    known: Names = {
        "hooks.example.com": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    }

    def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        try:
            addresses = [str(ipaddress.ip_address(host))]
        except ValueError:
            addresses = known.get(host, [])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://HOOKS.example.com./a?b=c", "https://hooks.example.com/a?b=c"),
        ("https://hooks.example.com:443/", "https://hooks.example.com/"),
        ("https://hooks.example.com:8443/", "https://hooks.example.com:8443/"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:2800::1]:8443/x", "https://[2606:2800::1]:8443/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
    ],
)
def test_a_public_address_is_kept_in_its_plain_form(names: Names, given: str, kept: str) -> None:
    names["xn--bcher-kva.example"] = names["a_b.example.com"] = ["93.184.215.14"]
    assert guard.check(given) == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "//hooks.example.com/",
        "hooks.example.com",
        "",
        "https:///path",
        "https://user@hooks.example.com/",
        "https://user:secret@hooks.example.com/",  # pragma: allowlist secret
        "https://hooks.example.com@evil.example/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com/a b",
        "https://hooks.example.com\\@evil.example/",
        "https://hooks.example.com/\nHost: evil",
        "https://hooks.example.com/bücher",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://hooks..example.com/",
        "https://-hooks.example.com/",
        "https://unknown.example.com/",
        "https://[::1/",
        "https://" + "a" * 600 + ".example.com/",
    ],
)
def test_an_odd_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        guard.check(url)


PRIVATE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:93.184.215.14", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "5f00::1", "fec0::1",
    "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_name_and_no_number_leads_to_a_private_address(names: Names, address: str) -> None:
    names["inside.example.com"] = [address]
    with pytest.raises(RefusedAddressError, match="private"):
        guard.check("https://inside.example.com/")
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(RefusedAddressError, match="private"):
        guard.check(f"https://{host}/")


def test_one_private_address_among_public_ones_is_enough(names: Names) -> None:
    names["mixed.example.com"] = ["93.184.215.14", "10.0.0.1"]
    with pytest.raises(RefusedAddressError, match="private"):
        guard.check("https://mixed.example.com/")


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "x.localhost", "printer.local", "intranet",
        "metadata.google.internal", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1",
        "127.0.0.1.", "１２７.0.0.1", "①②⑦.0.0.1", "[::ffff:7f00:1]", "[fe80::1%25eth0]",
    ],
)  # fmt: skip
def test_another_spelling_of_a_private_host_is_refused(names: Names, host: str) -> None:
    names[host.lower().removesuffix(".")] = ["93.184.215.14"]
    with pytest.raises(RefusedAddressError):
        guard.check(f"https://{host}/")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.7", "fd12::1", "::1"])
def test_inside_is_allowed_by_the_setting_only(settings: Any, names: Names, address: str) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    names["inside"] = [address]
    assert guard.check("https://inside/") == "https://inside/"


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "224.0.0.1", "fe80::1",
     "::ffff:169.254.169.254", "::ffff:127.0.0.1", "168.63.129.16"],
)  # fmt: skip
def test_the_cloud_s_metadata_is_never_allowed(settings: Any, names: Names, address: str) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    names["inside"] = [address]
    with pytest.raises(RefusedAddressError, match="private"):
        guard.check("https://inside/")


def test_http_is_for_this_machine_only_and_with_the_setting_only(settings: Any) -> None:
    with pytest.raises(RefusedAddressError):
        guard.check("http://127.0.0.1:8000/")
    settings.OUTBOUND_ALLOW_PRIVATE = True
    assert guard.check("http://127.0.0.1:8000/") == "http://127.0.0.1:8000/"
    with pytest.raises(RefusedAddressError, match="https"):
        guard.check("http://10.0.0.1:8000/")


def test_a_name_server_that_is_slow_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(guard, "RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: answered.wait(10) and [])
    with pytest.raises(RefusedAddressError, match="in time"):
        guard.check("https://hooks.example.com/")
    answered.set()


# --- At connect time ------------------------------------------------------------------------------


def request_to(url: str) -> call.Request:
    return call.Request(url, ("whsec_" + "A" * 32,), "msg_1", "{}")


def test_a_name_that_is_public_when_saved_and_private_when_connecting_gets_nothing(
    names: Names,
) -> None:
    with Receiver() as inside:
        url = guard.check(f"https://hooks.example.com:{inside.port}/")
        names["hooks.example.com"] = ["127.0.0.1"]
        answer = call.send(request_to(url))
    assert answer.error == "refused: The host's name leads to a private address."
    assert answer.status is None
    assert inside.got == []


def test_a_stored_private_address_gets_nothing_either() -> None:
    with Receiver() as inside:
        answer = call.send(request_to(f"http://127.0.0.1:{inside.port}/"))
    assert answer.error.startswith("refused")
    assert inside.got == []


def certificate(path: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this name shows, and what a client needs to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = path / f"{name}.pem"
    kept = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(kept + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


@pytest.fixture
def trusts(monkeypatch: pytest.MonkeyPatch) -> Callable[[ssl.SSLContext], None]:
    return lambda context: monkeypatch.setattr(call, "_trusted", lambda: context)


def test_tls_and_the_host_header_keep_the_name_of_which_the_address_was_checked(
    names: Names, settings: Any, tmp_path: Path, trusts: Callable[[ssl.SSLContext], None]
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    names["hooks.example.com"] = ["127.0.0.1"]
    server, client = certificate(tmp_path, "hooks.example.com")
    trusts(client)
    with Receiver(tls=server) as receiver:
        answer = call.send(request_to(f"https://hooks.example.com:{receiver.port}/x?y=1"))
    assert (answer.status, answer.error, answer.address) == (204, "", "127.0.0.1")
    assert receiver.asked_names == ["hooks.example.com"]
    assert receiver.got[0].headers["Host"] == f"hooks.example.com:{receiver.port}"
    assert receiver.got[0].path == "/x?y=1"


def test_a_certificate_of_another_name_is_refused(
    names: Names, settings: Any, tmp_path: Path, trusts: Callable[[ssl.SSLContext], None]
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    names["hooks.example.com"] = ["127.0.0.1"]
    server, client = certificate(tmp_path, "other.example.com")
    trusts(client)
    with Receiver(tls=server) as receiver:
        answer = call.send(request_to(f"https://hooks.example.com:{receiver.port}/"))
    assert "certificate is not valid" in answer.error
    assert receiver.got == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    names: Names, settings: Any, tmp_path: Path
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    names["hooks.example.com"] = ["127.0.0.1"]
    server, _ = certificate(tmp_path, "hooks.example.com")
    with Receiver(tls=server) as receiver:
        answer = call.send(request_to(f"https://hooks.example.com:{receiver.port}/"))
    assert "certificate is not valid" in answer.error
    assert receiver.got == []


# --- One call -------------------------------------------------------------------------------------


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with Receiver() as started:
        yield started


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.answers = [(302, {"Location": elsewhere.url}, "")]
        answer = call.send(request_to(receiver.url))
    assert answer.status == 302
    assert not answer.is_taken
    assert elsewhere.got == []


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert call.send(request_to(receiver.url)).status == 204
    assert proxy.got == []


def test_of_a_long_answer_only_the_beginning_is_kept(receiver: Receiver) -> None:
    receiver.answers = [(500, {}, "x\x00y" + "z" * 1_000_000)]
    answer = call.send(request_to(receiver.url))
    assert answer.status == 500
    assert answer.text.startswith("xyzzz")
    assert len(answer.text) <= 500


def test_of_an_answer_that_took_it_nothing_is_kept(receiver: Receiver) -> None:
    receiver.answers = [(200, {}, "thanks")]
    assert call.send(request_to(receiver.url)).text == ""


def test_an_answer_that_does_not_come_ends_in_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "TOTAL_SECONDS", 0.3)
    ended = threading.Event()
    receiver.before_answer = lambda: ended.wait(10) and None
    began = time.monotonic()
    answer = call.send(request_to(receiver.url))
    ended.set()
    assert answer.error == "no answer in time"
    assert time.monotonic() - began < 2


def test_an_answer_that_drips_in_ends_in_time(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    monkeypatch.setattr(call, "TOTAL_SECONDS", 0.4)
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        peer, _ = listener.accept()
        with peer:
            while not ended.wait(0.05):
                try:
                    peer.sendall(b"H")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = time.monotonic()
    answer = call.send(request_to(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
    ended.set()
    thread.join(5)
    listener.close()
    assert answer.status is None
    assert time.monotonic() - began < 2


def test_no_single_read_outlasts_the_call() -> None:
    assert guard._shorter(10, time.monotonic() + 1) <= 1


def test_nobody_at_the_address_is_said_plainly(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert call.send(request_to(f"http://127.0.0.1:{port}/")).error == "no connection"


def test_nothing_goes_out_unsigned(receiver: Receiver) -> None:
    answer = call.send(call.Request(receiver.url, (), "msg_1", "{}"))
    assert "FIELD_ENCRYPTION_KEYS" in answer.error
    assert receiver.got == []
