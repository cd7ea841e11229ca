"""What the signup page weighs as production serves it, and what is compressed and kept at all."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.test import Client, override_settings

from config.modules import imported_by
from onboarding import services
from onboarding.models import Onboarding
from tenants.models import Tenant, User
from tests.conftest import pages_of

MOST_BYTES = 50 * 1024
PACKED = {"HTTP_ACCEPT_ENCODING": "gzip, br"}
TINY = 200
"""Bytes: packed, a file of a few lines is no smaller."""
OTHERS = ["admin", "unfold", "rest_framework", "import_export", "drf_spectacular_sidecar", "mfa"]
"""Files of other packages: none of them is on the signup page."""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our static files as the image's build step leaves them."""
    place = tmp_path_factory.mktemp("static")
    with override_settings(**as_in_production(place)):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=OTHERS)
    return place


def as_in_production(place: Path) -> dict[str, Any]:
    storages = {**site.STORAGES, "staticfiles": {"BACKEND": "config.static.HashedFiles"}}
    return {"STATIC_ROOT": place, "STORAGES": storages, "WHITENOISE_USE_FINDERS": False}


@pytest.fixture
def production(collected: Path, settings: Any) -> None:
    for name, value in as_in_production(collected).items():
        setattr(settings, name, value)


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def unpacked(answer: Any, body: bytes) -> str:
    is_packed = answer.get("Content-Encoding") == "gzip"
    return (gzip.decompress(body) if is_packed else body).decode()


def weigh(client: Client, address: str, **headers: str) -> dict[str, int]:
    """Bytes of the page and of everything of ours that it loads, by address, as they are sent."""
    weights: dict[str, int] = {}
    waiting = [address]
    while waiting:
        asked = waiting.pop()
        answer = client.get(asked, **PACKED, **headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, asked
        body = body_of(answer)
        weights[asked] = len(body)
        for found in named_in(unpacked(answer, body), asked):
            if found not in weights and found not in waiting:
                waiting.append(found)
    return weights


LOADED = (
    r"<(?:link|script|img|use)\b[^>]*?\b(?:href|src)=\"(/[^\"#]+)",
    r"\bfrom\s*[\"'](\./[^\"']+)",
    r"\burl\([\"']?(?!data:)([^\"')#]+)",
)


def named_in(text: str, base: str) -> set[str]:
    """What a page, a style or a module makes the browser load."""
    patterns = LOADED[:1] if text.lstrip().startswith("<") else LOADED[1:]
    found = {urljoin(base, each) for pattern in patterns for each in re.findall(pattern, text)}
    return {each for each in found if each.startswith(("/static/", "/theme"))}


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("language", [code for code, _ in site.LANGUAGES])
def test_the_signup_page_weighs_at_most_50_kilobytes(owner: User, language: str) -> None:
    weights = weigh(pages_of(owner), "/connect/?new", HTTP_ACCEPT_LANGUAGE=language)
    assert len(weights) > 6, weights
    assert sum(weights.values()) <= MOST_BYTES, weights


@pytest.mark.usefixtures("production")
def test_with_a_card_it_weighs_no_more(owner: User, tenant: Tenant) -> None:
    Onboarding.objects.create(
        tenant=tenant, started_by=owner, state="awaiting_payment", reason="payment_missing"
    )
    weights = weigh(pages_of(owner), "/connect/", HTTP_ACCEPT_LANGUAGE="ar")
    assert sum(weights.values()) <= MOST_BYTES, weights


@pytest.mark.usefixtures("production")
def test_its_files_come_compressed_and_are_kept_for_good(owner: User) -> None:
    client = pages_of(owner)
    page = client.get("/connect/?new", **PACKED)  # type: ignore[arg-type]
    assert page["Content-Encoding"] == "gzip"
    assert "immutable" not in page["Cache-Control"]
    files = {f for f in weigh(client, "/connect/?new") if f.startswith("/static/")}
    assert files
    for file in files:
        answer = client.get(file, **PACKED)  # type: ignore[arg-type]
        answer.close()
        assert "immutable" in answer["Cache-Control"], file
        is_tiny = int(answer["Content-Length"]) < TINY
        assert is_tiny or answer["Content-Encoding"] == "gzip", file


@pytest.mark.usefixtures("production")
def test_each_module_is_named_before_the_first_one_is_read(owner: User) -> None:
    page = pages_of(owner).get("/connect/?new").content.decode()
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)"', page)
    assert imported_by("connect.js")
    for name in imported_by("connect.js"):
        hashed = re.compile(rf"/static/{name.removesuffix('.js')}\.[0-9a-f]{{12}}\.js")
        assert [each for each in preloaded if hashed.fullmatch(each)], name


def test_a_checkout_serves_its_own_files_without_collecting_them(owner: User) -> None:
    page = pages_of(owner).get("/connect/?new").content.decode()
    assert 'src="/static/connect.js"' in page
    answer = Client().get("/static/connect.js")
    assert answer.status_code == 200
    answer.close()


def test_an_answer_with_a_secret_is_never_compressed(owner: User, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    client = pages_of(owner)
    for address in (f"/s/{token}/", "/company/cakes/links/", "/api/v1/onboardings/",
                    "/accounts/2fa/totp/activate/", "/s/unknown/"):  # fmt: skip
        answer = client.get(address, **PACKED)  # type: ignore[arg-type]
        assert "Content-Encoding" not in answer, address
