"""Rules of the whole: who writes states, what is in the repository, how large modules are."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "config", "tenants", "onboarding", "ycloud_client", "sandbox", "devstack", "benchmarks"
)  # fmt: skip
DATA = {"config/settings.py"}
"""One file of settings: long, and read by the line."""


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def modules() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    if str(path.relative_to(ROOT)) not in DATA:
        assert len(text.splitlines()) <= 300
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_only_transitions_writes_states_and_fences() -> None:
    assigned = re.compile(r"\.(state|fence|lease_until|wakes|next_look_at)\s*=[^=]")
    updated = re.compile(r"\.update\([^)]*\b(state|fence|lease_until|wakes|next_look_at)=")
    for path in (ROOT / "onboarding").rglob("*.py"):
        if path.parent.name == "transitions" or "migrations" in path.parts:
            continue
        text = path.read_text()
        assert not assigned.search(text), path
        assert not updated.search(text), path


def test_no_names_of_the_forbidden_kind() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                ending = re.search(r"(Service|Manager|Helper|Utils|Facade)$", node.name)
                assert not ending, f"{path}: {node.name}"


def test_no_committed_file_holds_a_download_address() -> None:
    hosts = re.compile("|".join(("files[.]pythonhosted", "pypi[.]org/", "registry[.]npmjs")))
    for path in committed():
        if path.suffix in (".png", ".ico") or path.name == Path(__file__).name:
            continue
        assert not hosts.search(path.read_text(errors="replace")), path


def test_there_is_no_lock_file_with_addresses() -> None:
    assert not [path for path in committed() if path.name in ("uv.lock", "poetry.lock")]


def test_every_pin_has_a_hash() -> None:
    for level in ("app", "local", "test"):
        text = (ROOT / "requirements" / f"{level}.txt").read_text()
        pins = re.findall(r"^[a-z0-9_.\[\],-]+==", text, re.MULTILINE | re.IGNORECASE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)


def test_templates_have_no_inline_script_or_style() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        if {"admin", "mail"} & set(path.parts):  # a letter has no stylesheet but its own
            continue
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path


EDGES = [
    "onboarding/views.py", "onboarding/views_dialog.py", "onboarding/views_links.py",
    "onboarding/api/*.py",
    "tenants/views.py", "tenants/account.py",
]  # fmt: skip
OTHER_WAYS_IN = {
    "onboarding/views.py": ["SignupLink.filter"],  # the link of the guest who asks
    "onboarding/views_links.py": ["Membership.filter"],  # one's own role
    "onboarding/api/idempotency.py": [
        "IdempotentAnswer.filter",
        "IdempotentAnswer.update_or_create",
    ],
    "onboarding/api/tenants.py": ["Tenant.all"],  # for keys alone
    "onboarding/api/serializers_partner.py": ["YCloudAccount.filter"],  # of no tenant; for keys
    "tenants/views.py": ["Membership.filter", "Membership.get", "User.filter"],
    "tenants/account.py": ["Membership.filter", "UserSession.purge_and_list"],  # one's own
}
"""Where an edge reads without `visible_to` or `for_tenant`, and why it may."""

WAY_IN = re.compile(r"(\w+)\.(?:_default_manager|_base_manager|objects)\s*\.(\w+)")


def test_the_edges_reach_tenants_rows_by_the_scoped_querysets_alone() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(path for pattern in EDGES for path in ROOT.glob(pattern)):
        for model, way in WAY_IN.findall(path.read_text()):
            if way not in ("visible_to", "for_tenant", "none"):
                found.setdefault(str(path.relative_to(ROOT)), set()).add(f"{model}.{way}")
    assert {name: sorted(ways) for name, ways in found.items()} == OTHER_WAYS_IN
