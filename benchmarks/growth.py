"""Row 6, growth: what is asked and what is due, with 1,000 onboardings and with 100,000.

Two databases of one server, the app's role behind the walls, whole requests through all middleware
and the worker's own statements. Both sizes are asked in turns, so that what else the machine does
slows down both. GROWTH_MILLION=1 loads a million as well (some minutes) and tells it beside.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchmarks import desk
from benchmarks.loaded import Databases, alike, load, mark, reviewer, site, tidy
from benchmarks.report import Goal, Row

FEW, MANY, MILLION = 1_000, 100_000, 1_000_000
AT_MOST = Goal("ratio", 1.5)
CONSTANT = Goal("ratio", 1.0)
ASKED_A_ROUND = 5
CLAIMED = 200
DESK = (
    "desk", desk.COLD, "queue", "queue, by state", "queue, search: number",
    "queue, search: nothing", "record",
)  # fmt: skip
"""Of `make bench-desk`, which measures every list and search."""

_ids = itertools.count(1)


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Asked:
    """What is timed; `before` makes it ready, outside the time; `answers`: the status expected."""

    run: Callable[[], Any]
    before: Callable[[], Any] = _nothing
    answers: int | None = None

    def once(self) -> float:
        """Milliseconds of one."""
        self.before()
        began = time.perf_counter()
        found = self.run()
        took = (time.perf_counter() - began) * 1000
        assert self.answers in (None, getattr(found, "status_code", None)), found
        return took

    def queries(self) -> int:
        """How many statements one sends, transactions' own included."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self.before()
        with CaptureQueriesContext(connection) as asked:
            self.run()
        return len(asked)


@dataclass(slots=True)
class Found:
    """The rounds of one thing at one size."""

    ms: list[float] = field(default_factory=list)
    queries: int = 0


def member() -> tuple[Any, Any, Any]:
    """A browser of a made-up owner's, a connected onboarding of theirs, their tenant."""
    from django.test import Client

    row = alike()[0]
    client = Client(SERVER_NAME="localhost")
    assert row.started_by
    client.force_login(row.started_by, backend="tenants.login.Backend")
    return client, row, row.tenant


def asked() -> dict[str, Asked]:
    """All that is measured, by name."""
    of_desk = desk.requests(reviewer())
    return {**intake(), **worker(), **{n: Asked(of_desk[n], answers=200) for n in DESK}}


def intake() -> dict[str, Asked]:
    client, row, tenant = member()
    address = f"/api/v1/onboardings/{row.public_id}/"
    etag = client.get(address)["ETag"]
    fresh: list[Any] = []

    def begin() -> None:
        from onboarding.models import Onboarding

        same = {"tenant": tenant, "started_by": row.started_by}
        fresh.append(Onboarding.objects.create(connection_mode="business_platform", **same))

    def post() -> Any:
        number = next(_ids)
        body = {"event": "FINISH", "waba_id": f"55{number:013}"}
        there = f"/api/v1/onboardings/{fresh.pop().public_id}/signup/"
        return client.post(there, body, content_type="application/json")

    return {
        "GET …/{id}/": Asked(lambda: client.get(address), answers=200),
        "GET …/{id}/, 304": Asked(
            lambda: client.get(address, headers={"if-none-match": etag}), answers=304
        ),
        "POST …/signup/": Asked(post, begin, 202),
        "timeline": Asked(lambda: client.get(f"{address}timeline/"), answers=200),
        "list of onboardings": Asked(lambda: client.get("/api/v1/onboardings/"), answers=200),
        "tenant's dashboard": Asked(lambda: client.get(f"/company/{tenant.slug}/"), answers=200),
    }


def worker() -> dict[str, Asked]:
    from django.utils import timezone

    from onboarding import schedule, tasks, transitions
    from onboarding.models import Onboarding, PhoneNumber, WebhookEvent

    keys = list(Onboarding.objects.order_by("pk").values_list("pk", flat=True)[:CLAIMED])
    numbers = list(PhoneNumber.objects.order_by("pk").values_list("pk", flat=True)[:50])
    about = Onboarding.objects.filter(number__isnull=False).order_by("pk")[5]
    events: list[str] = []

    def make_due() -> None:
        at = timezone.now() - timedelta(seconds=1)
        Onboarding.objects.filter(pk__in=keys).update(next_look_at=at, lease_until=None)

    def claim() -> None:
        assert len(transitions.claim_due(CLAIMED)) == CLAIMED
        far = timezone.now() + timedelta(days=40)
        Onboarding.objects.filter(pk__in=keys).update(next_look_at=far, lease_until=None)

    def numbers_due() -> None:
        at = timezone.now() - timedelta(seconds=1)
        PhoneNumber.objects.filter(pk__in=numbers).update(next_look_at=at)

    def comes() -> None:
        event = WebhookEvent.objects.create(
            event_id=f"growth-{next(_ids)}-{time.time_ns()}", body={},
            type="whatsapp.phone_number.quality_updated",
            waba_id=about.claimed_waba_id, phone_number_id=about.claimed_phone_number_id,
        )  # fmt: skip
        events.append(event.event_id)

    def forgotten() -> None:
        from onboarding import meta

        meta.wipe_dead_codes()
        meta.forgotten_codes()

    return {
        "sweep: claim 200 due": Asked(claim, make_due),
        "numbers: claim 50 due": Asked(
            lambda: transitions.claim_numbers(50, timezone.now() + timedelta(days=40)), numbers_due
        ),
        "webhook event applied": Asked(
            lambda: tasks.apply_webhook_event(event_id=events.pop()), comes
        ),
        "forgotten codes": Asked(forgotten),
        "deliveries that are due": Asked(tasks.deliver_outbound),
        "letters that are due": Asked(tasks.send_notices),
        "wanted calls an hour": Asked(lambda: schedule.wanted_calls_an_hour()),
    }


def compare(
    of: dict[int, dict[str, Asked]], rounds: int, use: Callable[[int], object]
) -> dict[int, dict[str, Found]]:
    """Each round: the median of some, the sizes in turns."""
    found = {size: {name: Found() for name in names} for size, names in of.items()}
    for name in of[min(of)]:
        for size in of:
            use(size)
            of[size][name].once()  # the first one pays for what is then kept
            found[size][name].queries = of[size][name].queries()
        for _ in range(rounds):
            took: dict[int, list[float]] = {size: [] for size in of}
            for _ in range(ASKED_A_ROUND):
                for size in of:
                    use(size)
                    took[size].append(of[size][name].once())
            for size, each in took.items():
                found[size][name].ms.append(statistics.median(each))
    return found


def rows(found: dict[int, dict[str, Found]], few: int, many: int) -> list[Row]:
    """The most beside the fewest; the number of queries must be the same."""
    made = []
    for name, ours in found[many].items():
        other = found[few][name]
        against = f"the same with {few:,} onboardings"
        made.append(
            Row(
                "Growth", f"{name}, {many:,}", "ms", ours.ms, other.ms, against, AT_MOST,
                WHY.get(name, ""), f"{ours.queries} queries, {other.queries} with {few:,}",
            )
        )  # fmt: skip
    most = max(found[many], key=lambda name: found[many][name].queries - found[few][name].queries)
    worst = found[many][most].queries - found[few][most].queries
    pairs = [(found[many][name].queries, found[few][name].queries) for name in found[many]]
    made.append(
        Row(
            "Growth", "queries of all of these", "queries", [float(sum(a for a, _ in pairs))],
            [float(sum(b for _, b in pairs))], f"the same with {few:,} onboardings", CONSTANT,
            f"{most}: {worst} more" if worst > 0 else "",
        )
    )  # fmt: skip
    return made


WHY: dict[str, str] = {
    "wanted calls an hour": (
        "it adds up what each waiting row wants, of which there are a hundred times as many; once "
        "in 15 s for all workers together, and nobody waits for it"
    ),
    "desk": (
        "it counts all open rows by state and age each time it is opened, from one index: ten "
        "milliseconds of 100,000"
    ),
    desk.COLD: (
        "funnel and totals are counted over all rows of 90 days, which only happens when neither "
        "Redis nor a worker has a count of the last five minutes (decision 0012)"
    ),
}
"""Of what may grow: why it does."""


def measure(rounds: int, few: int = FEW, many: int = MANY) -> list[Row]:
    """The rows of the part; a million once where GROWTH_MILLION is set."""
    sizes = (few, many, MILLION) if os.environ.get("GROWTH_MILLION") else (few, many)
    with site():
        databases = Databases(sizes)
        of: dict[int, dict[str, Asked]] = {}
        for size in sizes:
            databases.use(size)
            began = time.monotonic()
            load(size)
            reviewer()
            mark()
            tidy(databases.name(size))
            print(f"  {size:,} onboardings in {time.monotonic() - began:.0f} s", flush=True)
            of[size] = asked()
        two = {size: of[size] for size in (few, many)}
        found = rows(compare(two, rounds, databases.use), few, many)
        if MILLION in of:
            once = {size: of[size] for size in (few, MILLION)}
            found += rows(compare(once, 1, databases.use), few, MILLION)
    return found
