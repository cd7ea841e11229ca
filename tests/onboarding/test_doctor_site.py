"""What doctor finds of the site as it is served: each header broken by a proxy, one at a time."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from onboarding.doctor import clock, http, site
from onboarding.doctor.finding import Finding
from onboarding.models import WebhookEvent, WebhookSecret
from tests.conftest import Sandbox
from tests.onboarding.proxy import Headers, Proxy

COOP, CSP = "cross-origin-opener-policy", "content-security-policy"


@pytest.fixture
def proxy(settings: Any) -> Iterator[Proxy]:
    settings.SANDBOX_ORIGIN = ""
    settings.META_SDK_URL = "https://connect.facebook.net/en_US/sdk.js"
    settings.ALLOWED_HOSTS = ["localhost"]
    with Proxy() as made:
        settings.SITE_URL = made.url
        yield made


def without(name: str) -> Callable[[Headers], Headers]:
    return lambda headers: [each for each in headers if each[0].lower() != name]


def instead(name: str, *values: str) -> Callable[[Headers], Headers]:
    return lambda headers: [*without(name)(headers), *((name, value) for value in values)]


def found(looks: Any, code: str) -> Finding:
    (one,) = [each for each in looks() if each.code == code]
    return one


def levels(looks: Any) -> dict[str, str]:
    return {each.code: str(each.level) for each in looks()}


def test_a_proxy_that_changes_nothing_is_well(proxy: Proxy) -> None:
    assert levels(site.served) == {
        "site_reachable": "ok", "coop": "ok", "csp": "ok", "site_clock": "ok",
    }  # fmt: skip
    assert proxy.asked == ["GET /connect/"]


@pytest.mark.parametrize(
    ("change", "code", "level", "words"),
    [
        (without(COOP), "coop", "warning", "has no Cross-Origin-Opener-Policy"),
        (instead(COOP, "same-origin"), "coop", "error", "“same-origin”"),
        (instead(COOP, "same-origin", "same-origin-allow-popups"), "coop", "error", " | "),
        (without(CSP), "csp", "warning", "has no Content-Security-Policy"),
        (instead(CSP, "default-src 'self'"), "csp", "error", "connect.facebook.net (script-src)"),
        (
            instead(CSP, "script-src https: 'unsafe-inline'; connect-src https:; frame-src *"),
            "csp", "warning", "inline scripts",
        ),
        (
            instead(CSP, "default-src https:", "script-src 'self'"),
            "csp", "error", "(script-src)",
        ),
        (
            instead(CSP, "script-src *.facebook.net; connect-src *; frame-src 'none'"),
            "csp", "error", "https://www.facebook.com (frame-src)",
        ),
    ],
)  # fmt: skip
def test_a_header_that_a_proxy_spoils_is_told(
    proxy: Proxy, change: Any, code: str, level: str, words: str
) -> None:
    proxy.change = change
    finding = found(site.served, code)
    assert finding.level == level
    assert words in finding.what
    assert finding.remedy
    assert finding.why


def test_a_page_that_is_not_ours_is_told(proxy: Proxy) -> None:
    proxy.status = 404
    assert levels(site.served) == {"site_reachable": "error"}
    assert levels(site.healthz) == {"healthz": "error"}


def test_a_probe_that_somebody_else_answers_is_told(proxy: Proxy) -> None:
    assert levels(site.healthz) == {"healthz": "ok"}
    proxy.body = b"welcome"
    assert levels(site.healthz) == {"healthz": "error"}


def test_a_site_that_redirects_to_itself_is_told_what_the_proxy_has_to_send(proxy: Proxy) -> None:
    proxy.status = 301
    proxy.change = instead("location", f"{proxy.url}/connect/")
    finding = found(site.served, "forwarded_proto")
    assert finding.level == "error"
    assert "X-Forwarded-Proto" in finding.remedy


def test_what_does_not_answer_is_looked_at_here_and_says_so(settings: Any) -> None:
    settings.SITE_URL = "http://localhost:9"
    settings.SANDBOX_ORIGIN = ""
    assert levels(site.served) == {"site_reachable": "warning", "coop": "ok", "csp": "ok"}
    assert "as this process would serve it" in found(site.served, "coop").what


def test_a_page_of_ours_that_lost_its_policy_is_told_without_any_proxy(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SITE_URL = "http://localhost:9"
    monkeypatch.setattr("onboarding.views._sdk_policy", dict)
    assert found(site.served, "csp").level == "error"


def test_hsts_is_looked_at_where_the_site_is_https(proxy: Proxy, settings: Any) -> None:
    assert "hsts" not in levels(site.served)
    settings.HTTPS = True
    assert found(site.served, "hsts").level == "warning"
    proxy.change = instead("strict-transport-security", "max-age=31536000; preload")
    assert found(site.served, "hsts").level == "ok"
    proxy.change = instead("strict-transport-security", "max-age=9", "max-age=0")
    assert found(site.served, "hsts").level == "warning"


def test_a_site_that_is_answered_in_the_open_is_told(proxy: Proxy) -> None:
    looked = proxy.url + "/connect/"
    assert [each.level for each in site.redirects(looked)] == ["error"]
    proxy.status, proxy.change = 301, instead("location", "https://connect.example/connect/")
    assert [each.level for each in site.redirects(looked)] == ["ok"]
    assert [each.level for each in site.redirects("http://localhost:9/connect/")] == ["ok"]


# --- The address itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code", "level"),
    [
        ({}, "site_https", "error"),
        ({"SANDBOX_ORIGIN": "http://127.0.0.1:1"}, "site_https", "todo"),
        ({"HTTPS": True, "SITE_URL": "https://8.8.8.8"}, "site_https", "ok"),
        ({"SITE_URL": "https://8.8.8.8"}, "site_public", ""),
        ({"SITE_URL": "https://10.0.0.1"}, "site_public", "error"),
        ({"SITE_URL": "https://localhost"}, "site_public", "error"),
        ({"ALLOWED_HOSTS": ["*"]}, "allowed_hosts", "warning"),
        ({"ALLOWED_HOSTS": ["other.example"]}, "allowed_hosts", "error"),
        ({"ALLOWED_HOSTS": ["localhost"]}, "allowed_hosts", "ok"),
        ({"SITE_URL": "https://a.cakes.example", "ALLOWED_HOSTS": [".cakes.example"]},
         "allowed_hosts", "ok"),
    ],
)  # fmt: skip
def test_the_address_is_judged(settings: Any, changed: Any, code: str, level: str) -> None:
    settings.SANDBOX_ORIGIN, settings.SITE_URL = "", "http://localhost:8000"
    for name, value in changed.items():
        setattr(settings, name, value)
    assert levels(site.address).get(code, "") == level


@pytest.mark.parametrize(
    ("named", "level"),
    [([], ""), (["10.0.0.0/24"], ""), (["0.0.0.0/0"], "error"), (["proxy"], "error")],
)
def test_proxies_that_are_trusted_too_widely_are_told(
    settings: Any, named: list[str], level: str
) -> None:
    settings.TRUSTED_PROXIES = named
    assert levels(site.proxies).get("trusted_proxies", "") == level


def test_debug_is_told(settings: Any) -> None:
    settings.DEBUG = False
    assert levels(site.debug) == {}
    settings.DEBUG = True
    assert levels(site.debug) == {"debug": "error"}


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    """An https server whose certificate nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that refuses the certificate."""

    with Server(("127.0.0.1", 0), _Quiet) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"https://localhost:{server.server_address[1]}"
        server.shutdown()


def test_a_certificate_that_is_not_valid_is_told(settings: Any, self_signed: str) -> None:
    settings.SITE_URL, settings.SANDBOX_ORIGIN = self_signed, ""
    assert levels(site.served) == {"certificate": "error"}


# --- Clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (0.0, "ok", "agree"),
        (4.0, "ok", "agree"),
        (10.0, "warning", "10 s behind"),
        (-10.0, "warning", "10 s ahead"),
        (90.0, "error", "90 s behind"),
        (-90.0, "error", "90 s ahead"),
        (None, "unknown", "no time"),
    ],
)
def test_a_clock_is_judged(ahead: float | None, level: str, words: str) -> None:
    finding = clock.judged("x_clock", "X", ahead)
    assert finding.level == level
    assert words in finding.what


@pytest.mark.parametrize("look", [clock.ycloud, clock.meta])
@pytest.mark.parametrize(("ahead", "level"), [(0, "ok"), (30, "warning"), (-120, "error")])
def test_the_clocks_of_both_sides_are_read_from_their_answers(
    db: None, sandbox: Sandbox, look: Any, ahead: int, level: str
) -> None:
    sandbox.server.ahead_seconds = ahead
    try:
        (finding,) = look()
    finally:
        sandbox.server.ahead_seconds = 0
    assert finding.level == level
    assert sandbox.calls == []


def test_a_side_that_does_not_answer_has_no_clock(settings: Any) -> None:
    settings.YCLOUD_API_BASE_URL = "http://127.0.0.1:9/v2"
    (finding,) = clock.ycloud()
    assert finding.level == "unknown"


def test_the_databases_clock_is_read(db: None) -> None:
    (finding,) = clock.database()
    assert (finding.code, finding.level) == ("database_clock", "ok")


# --- The webhook, as YCloud would post it --------------------------------------------------------


@pytest.fixture
def posted(transactional_db: None, proxy: Proxy, settings: Any) -> Proxy:
    settings.YCLOUD_WEBHOOK_SECRETS = ["whsec_ours"]
    return proxy


def probe() -> dict[str, str]:
    from onboarding.doctor import probe

    return levels(probe.reached)


def test_a_signed_event_is_taken_and_leaves_no_row(posted: Proxy) -> None:
    assert probe() == {"webhook_signed": "ok", "webhook_reachable": "ok"}
    assert posted.asked == ["POST /webhooks/ycloud/"] * 3
    assert not WebhookEvent.objects.exists()


def test_the_secret_of_the_installed_endpoint_is_used(posted: Proxy, settings: Any) -> None:
    settings.YCLOUD_WEBHOOK_SECRETS = []
    assert probe() == {}
    WebhookSecret.objects.create(
        endpoint_id="wh1", url=f"{posted.url}/webhooks/ycloud/", secret="whsec_installed"
    )
    assert probe() == {"webhook_signed": "ok", "webhook_reachable": "ok"}


def test_an_address_that_takes_anything_is_told(posted: Proxy) -> None:
    posted.status = 204
    assert probe() == {"webhook_signed": "error"}


def test_a_proxy_that_drops_the_signature_is_told(posted: Proxy) -> None:
    posted.status = 400
    assert probe() == {"webhook_signed": "ok", "webhook_reachable": "error"}


def test_an_address_of_another_installation_is_told(
    posted: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = WebhookEvent.objects.create

    def elsewhere(event_id: str, **columns: Any) -> Any:
        return kept(event_id=f"other_{event_id}", **columns)

    monkeypatch.setattr(WebhookEvent.objects, "create", elsewhere)
    assert probe() == {"webhook_signed": "ok", "webhook_reachable": "error"}


def test_an_address_that_does_not_answer_is_unknown(posted: Proxy, settings: Any) -> None:
    settings.SITE_URL = "http://localhost:9"
    assert probe() == {"webhook_reachable": "unknown"}


def test_an_answer_that_is_too_long_is_cut_off(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 100_000)
    proxy.body = b"x" * 5_000_000
    assert len(http.ask("GET", proxy.url + "/healthz").body) < 1_000_000
