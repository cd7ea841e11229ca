"""Row 5, intake: the API's GET and POST beside a bare DRF view; YCloud's webhooks at 200 a second.

Ours and the bare view are served by the same gunicorn with the same settings, from the same
PostgreSQL, asked by the same generator, in turns. The workers stand still meanwhile (what a
signup begins is theirs and measured elsewhere); they run while the webhooks come.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.intake_load import STREAMS, WEBHOOKS_A_SECOND, Intake, Size, streams_served
from benchmarks.load import Timed
from benchmarks.processes import processes
from benchmarks.report import Goal, Row

AT_MOST = Goal("ratio", 1.5)
WEBHOOK_MS = Goal("ours", 20.0)
POLLED_EVERY = 5
"""Seconds between two questions of a page that waits (progress.poll_seconds: 1 to 15)."""


ANSWER = frozenset({"web", "bare", "bare, kept", "sandbox"})
"""Who answers; the others can stand still."""


def measure(rounds: int, size: Size | None = None) -> list[Row]:
    """All rows of the part."""
    size = size or Size()
    with processes(latency_ms=100) as product:
        made = Intake(product, size, rounds)
        of_none = made.etag()
        found = in_turns(made, rounds, {
            "get": lambda: made.our_get().only(200),
            "get unchanged": lambda: made.our_get(**{"If-None-Match": of_none}).only(304),
            "bare get, login": lambda: made.bare_get("login"),
            "bare get, open": lambda: made.bare_get("open"),
            "bare get, kept": lambda: made.bare_get("open", made.kept_port),
        })  # fmt: skip
        # Not after the signups, which give the workers something to do for minutes; nor before the
        # answers that nothing changed, for webhooks change what is shown.
        webhooks = under_webhooks(made, rounds)
        found |= in_turns(made, rounds, {
            "post": made.our_post,
            "bare post, login": lambda: made.bare_post("login"),
            "bare post, open": lambda: made.bare_post("open"),
        })  # fmt: skip
        streams = [float(streams_served(made.bare_port)) for _ in range(rounds)]
    return [*beside_bare(found), *decided(found, streams), *webhooks]


def in_turns(
    made: Intake, rounds: int, asked: dict[str, Callable[[], Timed]]
) -> dict[str, list[Timed]]:
    """Ours and bare in turns, while nobody works. The first round of each is not counted."""
    with made.of.paused(*(name for name in made.of.children if name not in ANSWER)):
        found: dict[str, list[Timed]] = {name: [] for name in asked}
        for turn in range(rounds + 1):
            for name, ask in asked.items():
                timed = ask()
                if turn:
                    found[name].append(timed)
    return found


def beside_bare(found: dict[str, list[Timed]]) -> list[Row]:
    """GET and POST, each beside a bare view with a login and one that is open to all."""
    rows = []
    for what, bare in (("get", "bare get"), ("get unchanged", "bare get"), ("post", "bare post")):
        for which, whom in (("login", "signed in"), ("open", "open to all")):
            rows += _rows(what, found[what], found[f"{bare}, {which}"], whom)
    return rows


def decided(found: dict[str, list[Timed]], streams: list[float]) -> list[Row]:
    """What docs/decisions/0016 rests on."""
    pooled, kept = found["bare get, open"], found["bare get, kept"]
    pages = [each.per_second * POLLED_EVERY for each in found["get unchanged"]]
    return [
        Row(
            "Intake", "psycopg's pool: median of a bare GET", "ms", [t.median for t in pooled],
            [t.median for t in kept], "a connection that each thread keeps, asked for its health",
        ),
        Row(
            "Intake", f"open pages, each asking every {POLLED_EVERY} s", "pages", pages, streams,
            f"server-sent events, of {STREAMS} pages on the same gunicorn",
            Goal("ratio", 1, "at least"),
        ),
    ]  # fmt: skip


_TITLES = {"get": "GET …/{id}/", "get unchanged": "GET …/{id}/, 304", "post": "POST …/signup/"}


def _rows(what: str, ours: list[Timed], other: list[Timed], whom: str) -> list[Row]:
    """Median and throughput beside the comparator; p99 named beside them."""
    against = f"a bare DRF view, {whom}, with one {'insert' if what == 'post' else 'select'}"
    p99 = [_median([each.percentile(0.99) for each in them]) for them in (ours, other)]
    name, why = f"{_TITLES[what]}, {whom}", WHY.get((what, whom), "")
    return [
        Row(
            "Intake", f"{name}: median", "ms", [each.median for each in ours],
            [each.median for each in other], against, AT_MOST, why,
            f"p99: {p99[0]:.1f} ms beside {p99[1]:.1f} ms",
        ),
        # Time a request, so that "at most" reads the same way as for the median.
        Row(
            "Intake", f"{name}: 1/throughput", "ms", [1000 / each.per_second for each in ours],
            [1000 / each.per_second for each in other], against, AT_MOST, why,
        ),
        Row(
            "Intake", f"{name}: CPU of the web", "ms", [_cpu(each) for each in ours],
            [_cpu(each) for each in other], against,
        ),
    ]  # fmt: skip


_OPEN = (
    "the bare view knows nobody: ours reads session and login with memberships, and opens the wall "
    "of the tenant, in five more round trips to PostgreSQL and three to Redis (the limit, how much "
    "of it is left, somebody looks)"
)
_LOGIN = (
    "the tenant's wall is three round trips to PostgreSQL more than a login's, limit and lane are "
    "three to Redis"
)
_WRITES = (
    "it is 13 statements for one: the event of the window, the row under lock, its move with the "
    "audit row, who listens and what letters are due are written in one transaction, and a worker "
    "is told; nothing of it can be left out, and each is a round trip"
)
WHY = {
    ("get", "signed in"): _LOGIN,
    ("get", "open to all"): _OPEN,
    ("get unchanged", "signed in"): _LOGIN,
    ("get unchanged", "open to all"): _OPEN,
    ("post", "signed in"): _WRITES,
    ("post", "open to all"): f"{_WRITES}; and {_OPEN}",
    ("webhooks", ""): (
        "web, workers, PostgreSQL, the sandbox and the generator share this machine's cores; the "
        "row with the workers standing still tells what answering alone takes"
    ),
}
"""What stands in the way; shown only where a goal is missed."""


def _cpu(timed: Timed) -> float:
    """Milliseconds a request: what else the machine does hardly changes it."""
    return 1000 * timed.server_cpu / len(timed.ms)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def under_webhooks(made: Intake, rounds: int) -> list[Row]:
    """200 webhooks a second: while workers apply them, and answered alone while workers stand."""
    applying: list[Timed] = []
    alone: list[Timed] = []
    behind: list[float] = []
    left: list[int] = []
    made.until_applied()
    for turn in range(rounds + 1):
        found = made.webhooks().only(204)
        waiting, drained = made.unapplied(), made.until_applied()
        with made.of.paused(*(name for name in made.of.children if name not in ANSWER)):
            still = made.webhooks().only(204)
        made.until_applied()
        if turn:
            applying.append(found)
            alone.append(still)
            left.append(waiting)
            behind.append(drained)
    waited = f"at the end {_median([float(n) for n in left]):.0f} events waited"
    return [
        _webhooks("204 at p95", applying, waited, WEBHOOK_MS, WHY["webhooks", ""]),
        _webhooks("204 at p95, workers standing still", alone, "nothing is applied meanwhile"),
        Row("Intake", "webhooks: all applied after the last", "s", behind),
    ]


def _webhooks(
    name: str, timed: list[Timed], aside: str, goal: Goal | None = None, why: str = ""
) -> Row:
    p50, p95, p99 = ([each.percentile(share) for each in timed] for share in (0.5, 0.95, 0.99))
    taken, cpu = [each.per_second for each in timed], [_cpu(each) for each in timed]
    return Row(
        "Intake", f"webhooks at {WEBHOOKS_A_SECOND}/s: {name}", "ms", p95, goal=goal, why=why,
        aside=f"{_median(taken):.0f}/s taken; p50 {_median(p50):.1f} ms, p99 {_median(p99):.1f} "
        f"ms; CPU of the web {_median(cpu):.1f} ms each; {aside}",
    )  # fmt: skip
