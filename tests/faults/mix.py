"""`python -m tests.faults.mix --seed 1 --count 2000`: onboardings under a random mix of faults.

Real PostgreSQL, Valkey, gunicorn, Celery workers and beat; the sandbox over HTTP. The seed decides
the scripts, the spoiled answers and the order of the violence; the operating system decides the
rest. Exits 0 when nothing was lost, repeated or wrong, and prints one table.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tests.faults.scripts import API, CALLS, SCRIPTS, SPOILS, Browser, Customer, Signup
from tests.faults.stack import WORKERS, Stack

SPOILED_SHARE = 0.35
WEIGHTS = [1 if kind.startswith("rate_limited") else 4 for kind in SPOILS]
"""A 429 holds up everybody for a second or two, as it should; with many, nothing else happens."""

SETTLE_SECONDS = 420.0


class Run:
    """One run: customers in threads, violence in the main thread, the audit at the end."""

    def __init__(
        self, stack: Stack, seed: int, count: int, rate: float, *, short: bool = False
    ) -> None:
        self.short = short
        self.stack, self.seed, self.count, self.rate = stack, seed, count, rate
        self.chance = random.Random(seed)
        self.injected: collections.Counter[str] = collections.Counter()
        self.signups: list[Signup] = []
        self.browsers: dict[str, Browser] = {}
        self.ends = time.monotonic() + 3600
        self.errors: list[str] = []
        self.started_again = 0

    # --- Customers --------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Tenants with their guests; a script and its faults for each signup."""
        from onboarding import services
        from onboarding.models import SignupLink
        from tenants.models import Tenant, User

        self.reviewer = User.objects.create(username="reviewer", email="r@x.example", is_staff=True)
        tenants: dict[str, Tenant] = {}
        for number in range(max(self.count // 25, 3)):
            tenant = Tenant.objects.create(name=f"Tenant {number}", slug=f"tenant-{number}")
            tenants[tenant.slug] = tenant
            link = f"/s/{services.create_link(tenant)[1]}/"
            self.browsers[tenant.slug] = Browser(self.stack.site, link, lambda: self.ends)
        slugs = sorted(tenants)
        scripts = [each for each in SCRIPTS if not (self.short and each.takes_long)]
        weights = [script.weight for script in scripts]
        for script in self.chance.choices(scripts, weights, k=self.count):
            signup = Signup(script, self.chance.choice(slugs))
            signup.link = f"/s/{services.create_link(tenants[signup.tenant])[1]}/"
            if self.chance.random() < SPOILED_SHARE:
                signup.faults = [
                    self._spoil(script.mode) for _ in range(self.chance.choice((1, 2)))
                ]
            self.signups.append(signup)
        # A new link of a tenant revokes the one before; here each customer has one of their own.
        SignupLink.objects.update(revoked_at=None)

    def _spoil(self, mode: str) -> dict[str, Any]:
        kind = self.chance.choices(SPOILS, WEIGHTS)[0]
        slow = self.chance.random() < 0.02
        seconds = 17 if slow and kind.startswith("timeout") else self.chance.choice((0.1, 1))
        self.injected[f"answer: {kind}"] += 1
        return {"match": self.chance.choice(CALLS[mode]), "fault": kind, "times": 1,
                "seconds": seconds}  # fmt: skip

    def customers(self) -> None:
        """All signups, at a steady rate, several at once; each in a browser of its own."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            for n, signup in enumerate(self.signups):
                pool.submit(self._plays, signup, random.Random(self.seed * 1_000_003 + n))
                time.sleep(1 / self.rate)

    def _plays(self, signup: Signup, chance: random.Random) -> None:
        try:
            browser = Browser(self.stack.site, signup.link, lambda: self.ends)
            victim = self._victim(signup) if signup.script.steals else None
            Customer(browser, self.stack.sandbox, chance).play(signup, victim)
            browser.http.close()
        except Exception as error:
            self.errors.append(f"{signup.script.name}: {error!r}")

    def _victim(self, thief: Signup) -> Signup:
        """Somebody of another tenant who is connected, so that the WABA is held; waits for one.

        (A reviewer who approves whatever waits would let an unproven thief be the first.)
        """
        from django.db import Error, connection

        from onboarding.models import Onboarding

        while True:
            connected: set[str] = set()
            with contextlib.suppress(Error):
                rows = Onboarding.objects.filter(state="connected").order_by("pk")[:50]
                connected = {str(row.public_id) for row in rows}
            connection.close()
            for signup in list(self.signups):
                honest = not signup.script.steals and signup.public_id in connected
                if honest and signup.tenant != thief.tenant:
                    return signup
            time.sleep(0.5)

    def press(self) -> None:
        """The panel's buttons, the reviewer and the withdrawals, when their time has come."""
        from onboarding import services
        from onboarding.models import Onboarding

        for signup in self.signups:
            if signup.pressed or not signup.due or time.monotonic() < signup.due:
                continue
            script = signup.script
            if script.act:
                target = "waba_id" if script.act == "attach_payment" else "phone_number_id"
                value = signup.waba_id if target == "waba_id" else signup.number_id
                self.stack.sandbox.control("/control/act", {"act": script.act, target: value})
            if script.withdraws:
                self._browser(signup).post(f"{API}{signup.public_id}/withdraw/", {})
            signup.pressed = True
        self._start_again_where_told()
        # Two answers of a bind were lost: staff are asked to resume, and do.
        stopped = Onboarding.objects.filter(
            state="needs_attention", reason__in=("account_not_visible", "bind_refused")
        )
        for row in stopped.filter(tenant__slug__startswith="tenant-")[:50]:
            with contextlib.suppress(services.RefusedError):
                services.resume(row, "reviewer")
        # The reviewer approves whatever waits for it: unproven because a code was lost, say.
        for row in Onboarding.objects.filter(state="in_review")[:200]:
            with contextlib.suppress(services.RefusedError):
                services.approve(row, self.reviewer)

    def _start_again_where_told(self) -> None:
        """Neither message nor grant arrived: the page asks to start again; the customer does."""
        from onboarding.models import Onboarding

        told = Onboarding.objects.filter(state="needs_attention", reason="ids_missing")
        ids = {str(public_id) for public_id in told.values_list("public_id", flat=True)}
        for signup in self.signups:
            if signup.public_id in ids:
                self._browser(signup).post(f"{API}{signup.public_id}/withdraw/", {})
                signup.earlier.append(signup.public_id)
                signup.public_id = ""
                self.started_again += 1
                chance = random.Random(self.seed * 1_000_003 + self.started_again)
                threading.Thread(target=self._plays, args=(signup, chance), daemon=True).start()

    def _browser(self, signup: Signup) -> Browser:
        return self.browsers[signup.tenant]

    # --- Violence ---------------------------------------------------------------------------------

    def violence(self, kinds: list[tuple[int, str, Callable[[], None]]]) -> None:
        weights = [weight for weight, _, _ in kinds]
        _, name, act = self.chance.choices(kinds, weights)[0]
        self.injected[name] += 1
        act()

    def kinds(self) -> list[tuple[int, str, Callable[[], None]]]:
        return [
            (30, "kill -9 a pool process", self._kill_pool_process),
            (6, "kill -9 a worker", self._kill_worker),
            (4, "SIGTERM a worker (deploy)", self._deploy),
            (3, "kill -9 the web server", self._kill_web),
            (2, "kill -9 beat", self._kill_beat),
            (2, "a second beat", self._second_beat),
            (4, "Redis killed, restarted", lambda: self._redis(empty=False)),
            (4, "Redis killed, restarted empty", lambda: self._redis(empty=True)),
            (4, "Redis slow", lambda: self.stack.slow_redis(self.chance.uniform(0.5, 3))),
            (3, "PostgreSQL crashed", self._postgres),
            (5, "YCloud refuses connections", self._refuse),
            (8, "connections to YCloud cut", self.stack.gate.cut),
            (8, "webhook repeated", self._repeat_webhook),
            (8, "webhook forged", lambda: self._post_webhook("whsec_wrong", {})),
            (6, "webhook for an unknown WABA", self._unknown_webhook),
            (6, "webhook of an unknown kind", self._odd_webhook),
            (6, "wakes beside a read", self._wake),
            (4, "old and new task messages", self._odd_tasks),
            (6, "two browsers and the sweep at once", self._race),
        ]

    def _kill_pool_process(self) -> None:
        self.stack.kill_pool_process(self.chance.choice(list(WORKERS)), self.chance.randrange(2))

    def _kill_worker(self) -> None:
        name = self.chance.choice(list(WORKERS))
        self.stack.kill(name)
        self.stack.run(name)

    def _deploy(self) -> None:
        name = self.chance.choice(list(WORKERS))
        seconds = self.stack.terminate(name)
        if seconds > 15:
            self.errors.append(f"{name} needed {seconds:.0f} s to stop")
        self.stack.run(name)

    def _kill_web(self) -> None:
        self.stack.kill("web")
        self.stack.run("web")

    def _kill_beat(self) -> None:
        self.stack.kill("beat")
        self.stack.run("beat")

    def _second_beat(self) -> None:
        if "beat2" in self.stack.children:
            self.stack.kill("beat2")
        else:
            self.stack.run("beat2")

    def _redis(self, *, empty: bool) -> None:
        self.stack.stop_redis(empty=empty)
        self._deliver_something()
        time.sleep(self.chance.uniform(0.2, 2))
        self.stack.start_redis()

    def _postgres(self) -> None:
        self._deliver_something()
        self.stack.restart_postgres(self.chance.uniform(0, 1.5))

    def _deliver_something(self) -> None:
        """A webhook is on its way while the server that it needs goes away."""
        number = self._any_number()
        if number is not None:
            self.stack.sandbox.emit(
                "whatsapp.phone_number.quality_updated", {"whatsappPhoneNumber": number}
            )

    def _any_number(self) -> dict[str, Any] | None:
        known = [s.number_id for s in self.signups if s.number_id]
        if not known:
            return None
        there = self.stack.sandbox.world.numbers.get(self.chance.choice(known))
        return dict(there["answer"]) if there else None

    def _refuse(self) -> None:
        self.stack.gate.refuse()
        time.sleep(self.chance.uniform(0.2, 2))
        self.stack.gate.open()

    def _repeat_webhook(self) -> None:
        log = list(self.stack.sandbox.sender.log)
        self.chance.shuffle(log)  # out of order too
        for each in log[:5]:
            self.stack.sandbox.sender.again(each["event"]["id"])

    def _post_webhook(self, secret: str, body: dict[str, Any]) -> int | None:
        import httpx

        from sandbox.webhooks import sign

        raw = json.dumps({"id": f"evt_{self.chance.random()}", "type": "x", **body}).encode()
        headers = {"YCloud-Signature": sign(secret, int(time.time()), raw)}
        try:
            answer = httpx.post(f"{self.stack.site}/webhooks/ycloud/", content=raw, headers=headers)
        except httpx.HTTPError:
            return None
        if secret == "whsec_wrong" and answer.status_code not in (400, 500, 502, 503):
            self.errors.append(f"a forged webhook was answered {answer.status_code}")
        return answer.status_code

    def _unknown_webhook(self) -> None:
        from sandbox.webhooks import SECRET

        kind = "whatsapp.business_account.deleted"
        self._post_webhook(SECRET, {"type": kind, "whatsappBusinessAccount": {"id": "1"}})

    def _odd_webhook(self) -> None:
        from sandbox.webhooks import SECRET

        body = {"type": "whatsapp.brand_new.event", "whatsappBusinessAccount": {"id": None}}
        self._post_webhook(SECRET, body)

    def _wake(self) -> None:
        for _ in range(5):
            self._deliver_something()

    def _odd_tasks(self) -> None:
        """Messages as an older and as a newer release send them."""
        from config.celery import app

        known = [s.public_id for s in self.signups if s.public_id]
        if not known:
            return
        from onboarding.models import Onboarding

        for row in Onboarding.objects.filter(
            public_id__in=self.chance.sample(known, min(3, len(known)))
        ):
            with contextlib.suppress(Exception):
                for more in ({}, {"lane": "page", "brand_new": [1]}, {"fence": row.fence}):
                    app.send_task(
                        "onboarding.tasks.advance_onboarding",
                        kwargs={"onboarding_id": row.pk, **more}, retry=False,
                    )  # fmt: skip

    def _race(self) -> None:
        """The same parts from two browsers at once, while the sweep is at the row too."""
        candidates = [s for s in self.signups if s.waba_id and s.public_id and not s.script.steals]
        if not candidates:
            return
        signup = self.chance.choice(candidates)
        if signup.script.expected == "cancelled":
            return
        body = {"waba_id": signup.waba_id, "login_status": "connected"}
        for _ in range(2):
            browser = Browser(self.stack.site, signup.link, lambda: self.ends)
            threading.Thread(
                target=browser.post, args=(f"{API}{signup.public_id}/signup/", body), daemon=True
            ).start()

    # --- The whole --------------------------------------------------------------------------------

    def play(self, violence_every: float) -> None:
        kinds = self.kinds()
        customers = threading.Thread(target=self.customers, daemon=True)
        customers.start()
        next_at = time.monotonic() + 2
        while customers.is_alive():
            self._safely(self.press)
            self.errors += [f"{name} ended by itself" for name in self.stack.ended()]
            if time.monotonic() >= next_at:
                self._safely(lambda: self.violence(kinds))
                next_at = time.monotonic() + self.chance.expovariate(1 / violence_every)
            time.sleep(0.1)

    def _safely(self, act: Callable[[], None]) -> None:
        """Our own look at the database may meet its restart."""
        from django.db import Error, close_old_connections

        try:
            act()
        except Error:
            with contextlib.suppress(Error):
                close_old_connections()

    def settle(self) -> float:
        """No more violence: everything has to arrive by itself. The seconds that it took."""
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_SECONDS:
            self._safely(self.press)
            self.errors += [f"{name} ended by itself" for name in self.stack.ended()]
            if self._all_arrived():
                break
            time.sleep(1)
        return time.monotonic() - began

    def _all_arrived(self) -> bool:
        from django.db import Error

        from onboarding.models import Onboarding

        try:
            states = {
                str(public_id): state
                for public_id, state in Onboarding.objects.values_list("public_id", "state")
            }
        except Error:
            return False
        return all(states.get(s.public_id) == s.script.expected for s in self.signups)


def table(run: Run, report: Any, seconds: float, settled: float) -> str:
    faults = sum(run.injected.values())
    lines = [
        f"seed {run.seed}: {seconds:.0f} s, of which {settled:.0f} s to settle",
        "",
        *(f"  {name:<40} {times:>6}" for name, times in sorted(run.injected.items())),
        "",
        f"  {'faults injected':<40} {faults:>6}",
        f"  {'onboardings':<40} {len(run.signups):>6}",
        f"  {'of them started again when told':<40} {run.started_again:>6}",
        f"  {'lost':<40} {len(report.lost):>6}",
        f"  {'repeated':<40} {len(report.repeated):>6}",
        f"  {'wrong':<40} {len(report.wrong):>6}",
    ]
    for kind in ("lost", "repeated", "wrong"):
        lines += [f"  {kind}: {each}" for each in getattr(report, kind)[:20]]
    return "\n".join([*lines, *(f"  error: {each}" for each in run.errors[:20])])


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults.mix", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=8.0, help="signups a second")
    parser.add_argument("--every", type=float, default=1.5, help="seconds between acts of violence")
    parser.add_argument("--short", action="store_true", help="without the scripts that take long")
    parser.add_argument("--keep", action="store_true", help="keep the directory with the logs")
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="onboarding-faults-"))
    stack = Stack(place)
    began = time.monotonic()
    os.environ.update(stack.env)
    try:
        stack.start()
        import django

        django.setup()
        from tenants import walls

        # All threads of this process look at all rows; the stack's processes do as in production.
        walls.current = ContextVar("scope", default=walls.EVERYTHING)
        from tests.faults.audit import audit

        run = Run(stack, asked.seed, asked.count, asked.rate, short=asked.short)
        run.prepare()
        run.play(asked.every)
        settled = run.settle()
        report = audit(run.signups, stack.sandbox, run.browsers)
        print(table(run, report, time.monotonic() - began, settled), flush=True)
    finally:
        stack.stop()
    clean = report.is_clean and not run.errors
    if clean and not asked.keep:
        import shutil

        shutil.rmtree(place, ignore_errors=True)
    else:
        print(f"logs: {place}", flush=True)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
