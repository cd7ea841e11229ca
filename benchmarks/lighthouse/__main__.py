"""`make lighthouse`: measures the signup page and says whether it is good enough.

    python -m benchmarks.lighthouse

Servers of its own, the sandbox, gunicorn with collected static files; a guest with a signup link
looks. Mobile and desktop, also with Meta's script blocked; the median of RUNS (3) runs counts.
Exits 1 below LEAST. The table is printed, everything found is in artefacts/lighthouse.json.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.loaded import site
from devstack import process, runenv
from sandbox.server import SandboxServer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOUND = ROOT / "artefacts" / "lighthouse.json"
LEAST = {"accessibility": 100, "best-practices": 100, "performance": 95}
PRESETS = ("mobile", "desktop")
OLDEST_NODE = 18


def main() -> int:
    """Measure, print, keep; the exit status."""
    node, chrome = node_of(), os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chrome is None:
        return refused("there is no Chromium: name it with CHROMIUM=/path/to/chromium.")
    if node is None:
        return refused(f"this needs Node {OLDEST_NODE} or newer with npm: install it, then again.")
    if not installed():
        return refused("npm could not install Lighthouse: check the network, then start again.")
    with served() as (address, cookie):
        asked = {"chrome": chrome, "runs": int(os.environ.get("RUNS", "3")),
                 "pages": list(pages(address, cookie))}  # fmt: skip
        done = subprocess.run(
            [node, "measure.mjs", json.dumps(asked)], cwd=HERE, stdout=subprocess.PIPE, check=False
        )
    if done.returncode:
        return refused("Lighthouse did not come to an end; what it said stands above.")
    found = json.loads(done.stdout)
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(json.dumps(found, indent=1))
    return told(found)


def refused(sentence: str) -> int:
    """Say one sentence."""
    print(f"make lighthouse: {sentence}", file=sys.stderr)
    return 1


def node_of() -> str | None:
    """Node's path, if it is new enough and npm is there."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().lstrip("v").partition(".")[0]
    return node if major.isdigit() and int(major) >= OLDEST_NODE else None


def installed() -> bool:
    """Lighthouse as the lock file pins it; at once where it is there already."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = HERE / "node_modules" / "installed-lock.json"
    if stamp.is_file() and stamp.read_bytes() == lock:
        return True
    print("Installing Lighthouse (the first time takes a minute) ...", flush=True)
    npm = shutil.which("npm") or "npm"
    if subprocess.call([npm, "ci", "--silent"], cwd=HERE):
        return False
    stamp.write_bytes(lock)
    return True


# --- What is measured -----------------------------------------------------------------------


def pages(address: str, cookie: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The question as a guest sees it first, with and without Meta's script."""
    for preset in PRESETS:
        for name, blocked in (("signup", []), ("signup, script blocked", ["*sdk.js*"])):
            yield {
                "name": name, "preset": preset, "url": f"{address}/connect/?new",
                "cookie": cookie, "blocked": blocked,
            }  # fmt: skip


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """The site as in production, on a free port; its address and the cookie of a guest."""
    port = runenv.free_port()
    address = f"http://localhost:{port}"
    with (
        tempfile.TemporaryDirectory(prefix="lighthouse-", dir=_local()) as static,
        SandboxServer(webhook_url=f"http://127.0.0.1:{port}/webhooks/ycloud/") as sandbox,
    ):
        os.environ.update(STATIC_COLLECTED="true", STATIC_ROOT=static)
        with site():
            # What was set up for Django here counts for the web server as well.
            env = {
                **os.environ, "SITE_URL": address, "META_SDK_URL": f"{sandbox.url}/sdk.js",
                "YCLOUD_API_BASE_URL": f"{sandbox.url}/v2", "LOG_LEVEL": "ERROR",
                "META_GRAPH_BASE_URL": f"{sandbox.url}/graph",
            }  # fmt: skip
            manage = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
            subprocess.run(manage, cwd=ROOT, env=env, check=True)
            web = process.spawn(
                [sys.executable, "-W", "ignore", "-m", "gunicorn", "config.wsgi", "--bind",
                 f"127.0.0.1:{port}", "--workers", "1", "--threads", "8", "--log-level", "error"],
                env=env, cwd=ROOT, output=None,
            )  # fmt: skip
            try:
                wait_for(f"{address}/healthz")
                yield address, guest_cookie(address)
            finally:
                web.terminate()
                web.wait(20)


def _local() -> Path:
    runenv.directory(runenv.LOCAL)
    return runenv.LOCAL


def wait_for(url: str) -> None:
    """Until it answers; a minute at most."""
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, timeout=5)
            return
        if time.monotonic() > until:
            raise TimeoutError(f"{url} did not answer")
        time.sleep(0.2)


def guest_cookie(address: str) -> dict[str, str]:
    """A tenant, a link, and what a browser holds after opening it."""
    from onboarding import guests, services
    from tenants.models import Tenant

    tenant = Tenant.objects.create(name="John's Cake Shop", slug="cakes")
    _, token = services.create_link(tenant)

    answer = httpx.get(f"{address}/s/{token}/", timeout=10)
    return {"name": guests.COOKIE, "value": answer.cookies[guests.COOKIE]}


# --- What is told -----------------------------------------------------------------------


def told(found: list[dict[str, Any]]) -> int:
    """The table, and what costs points; 1 where a median is too low."""
    too_low = []
    print(f"{'':34}{'access':>8}{'practices':>11}{'speed':>7}   first, largest paint, shift")
    for page in found:
        runs = page["runs"]
        strayed = {run["final"] for run in runs} - {page["url"]}
        too_low += [f"{page['name']} was led to {each}" for each in sorted(strayed)]
        middle = {
            name: int(statistics.median(run["scores"][name] for run in runs)) for name in LEAST
        }
        too_low += [
            f"{page['name']} {name}" for name, least in LEAST.items() if middle[name] < least
        ]
        paint = [
            statistics.median(run["figures"][name] or 0.0 for run in runs)
            for name in ("first-contentful-paint", "largest-contentful-paint",
                         "cumulative-layout-shift")
        ]  # fmt: skip
        print(
            f"{page['name'] + ', ' + page['preset']:34}{middle['accessibility']:8}"
            f"{middle['best-practices']:11}{middle['performance']:7}   "
            f"{paint[0] / 1000:.1f} s, {paint[1] / 1000:.1f} s, {paint[2]:.3f}"
        )
    for fault in sorted(
        {fault for page in found for run in page["runs"] for fault in run["failed"]}
    ):
        print(f"  {fault}")
    if too_low:
        print(f"Not good enough: {', '.join(sorted(set(too_low)))}.")
    return 1 if too_low else 0


if __name__ == "__main__":
    sys.exit(main())
