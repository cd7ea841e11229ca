"""The whole stack as `make run` starts it: real servers, gunicorn, Celery, the sandbox."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.runenv import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = (
    "manage.py", "config", "tenants", "onboarding", "ycloud_client", "sandbox", "devstack",
    "templates", "static", "locale",
)  # fmt: skip
SETTINGS = ("YCLOUD_", "META_", "ONBOARDING_", "DATABASE_", "REDIS_", "SECRET_KEY", "FIELD_",
            "SITE_URL", "ALLOWED_HOSTS", "EMAIL_URL", "PARTNER_", "DJANGO_", "SANDBOX_",
            "ONLY_")  # fmt: skip


pytestmark = pytest.mark.timeout(400)  # a whole stack starts up to twice in one test


class Stack:
    """`manage.py runall` in a copy of the checkout, on free ports."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port, self.sandbox_port = free_port(), free_port()
        self.site = f"http://localhost:{self.port}"
        self.sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = place / "log"

    def start(self) -> str:
        """What it printed until all was healthy."""
        clean = {n: v for n, v in os.environ.items() if not n.startswith(SETTINGS)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "runall"],
                cwd=self.place,
                env={**clean, "PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + 100
        while "Ctrl-C stops everything" not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < until, self.printed
            time.sleep(0.1)
        return self.printed

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def left_over(self) -> list[str]:
        """Processes of this copy that are still there."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                cwd = str((path.parent / "cwd").readlink())
            except OSError:
                continue
            if str(self.place) in command or cwd == str(self.place):
                found.append(command)
        return found

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


def pid_of(word: str, place: Path) -> int:
    """The oldest process in the place with the word in its command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            here = (path.parent / "cwd").readlink() == place
            if here and word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return min(found)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    place = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, place / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, place / part)
    return Stack(place)


@pytest.fixture
def stack(checkout: Stack) -> Iterator[Stack]:
    """Not running before a test and not after it; the data of the tests before is there."""
    yield checkout
    if checkout.process is not None and checkout.process.poll() is None:
        checkout.stop()


class Guest:
    """The API as a guest's page uses it, over real HTTP."""

    def __init__(self, site: str, link: str) -> None:
        self.http = httpx.Client(base_url=site, follow_redirects=True, timeout=20)
        self.http.get(link)

    def posts(self, path: str, **body: Any) -> Any:
        token = self.http.cookies["csrftoken"]
        answer = self.http.post(
            f"/api/v1/onboardings/{path}", json=body, headers={"X-CSRFToken": token}
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def waits_for(self, onboarding: str, state: str) -> dict[str, Any]:
        until = time.monotonic() + 30
        while True:
            seen: dict[str, Any] = self.http.get(f"/api/v1/onboardings/{onboarding}/").json()
            if seen["state"] == state:
                return seen
            assert time.monotonic() < until, (
                seen,
                self.http.get(f"/api/v1/onboardings/{onboarding}/timeline/").json(),
            )
            time.sleep(0.1)


def test_one_command_starts_all_and_a_number_is_connected_and_kept(stack: Stack) -> None:
    printed = stack.start()
    for told in ("customer@example.com", "reviewer@example.com", f"{stack.sandbox}/", "/admin/"):
        assert told in printed
    link = re.search(rf"{stack.site}/s/\S+", printed)
    assert link
    guest = Guest(stack.site, link[0])
    control = httpx.Client(base_url=stack.sandbox, timeout=20)
    for mode in ("business_platform", "business_app"):
        onboarding = guest.posts("", connection_mode=mode)["id"]
        window = control.post("/control/signup", json={"connection_mode": mode}).json()
        guest.posts(f"{onboarding}/signup/", waba_id=window["waba_id"], event=window["event"])
        guest.posts(f"{onboarding}/signup/", code=window["code"])
        assert guest.waits_for(onboarding, "connected")["proven"] is True
    secrets = (link[0].split("/s/")[1].strip("/"), window["code"], "sandbox-key")
    logged = stack.printed.replace(link[0], "")
    assert [secret for secret in secrets if secret in logged] == []
    assert stack.stop() == 0
    assert stack.left_over() == []
    again = re.search(rf"{stack.site}/s/\S+", stack.start())
    assert again
    # A new start prints a new link, which ends the one before; what was done with that one is kept.
    assert guest.http.get("/api/v1/onboardings/").status_code == 401
    newer = Guest(stack.site, again[0])
    kept = newer.http.get("/api/v1/onboardings/").json()["results"]
    assert [each["state"] for each in kept] == ["connected", "connected"]
    for each in (control, guest.http, newer.http):
        each.close()


def test_a_dead_child_is_named_and_takes_all_others_with_it(stack: Stack) -> None:
    stack.start()
    assert stack.process is not None
    os.kill(pid_of("exchange@", stack.place), signal.SIGKILL)
    assert stack.process.wait(40) == 1
    assert "make run: exchange ended by signal 9" in stack.printed
    assert stack.left_over() == []


def test_the_supervisors_violent_death_leaves_nobody(stack: Stack) -> None:
    stack.start()
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait()
    until = time.monotonic() + 20
    while stack.left_over() and time.monotonic() < until:
        time.sleep(0.1)
    assert stack.left_over() == []
