"""`make bench-desk`: how much longer desk and queue take with 100,000 onboardings than with 1,000.

A PostgreSQL and a Valkey of its own, the app's role behind the walls, whole requests through all
middleware by a signed-in reviewer. Medians; the first request of each kind is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.loaded import COMMON, ENDING, Databases, alike, load, mark, reviewer, site, tidy
from devstack import runenv

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from onboarding.models import Onboarding

QUEUE = "/admin/onboarding/onboarding/"
AT_MOST = 2.0
"""A request with all the rows may take so many times what it takes with few."""

FEW_LINES = 5
COLD = "desk, nothing kept"
"""No worker has counted for minutes: the first who asks waits, so the bound is not for it."""


def requests(client: Any) -> dict[str, Callable[[], Any]]:
    """What is measured, by name; all find the same kind of row however many there are."""
    from django.core.cache import cache

    from onboarding import tally
    from onboarding.admin.base import ReadOnlyAdmin
    from onboarding.admin.counting import BoundedPaginator
    from onboarding.admin.onboardings.filters import ENDED
    from onboarding.models import Onboarding, ProviderCall, WhatsAppBusinessAccount

    row = alike()[0]
    common = WhatsAppBusinessAccount.objects.filter(name__endswith=ENDING).order_by("-pk")[0]
    called = ProviderCall.objects.exclude(request_id="").order_by("pk")[0]
    assert row.number
    assert row.business_account

    def opens(address: str, **query: Any) -> Callable[[], Any]:
        return lambda: client.get(f"{address}?{urlencode(query)}")

    def last_page(rows: QuerySet[Onboarding], **query: Any) -> Callable[[], Any]:
        full = BoundedPaginator(rows, 1).count // ReadOnlyAdmin.list_per_page
        return opens(QUEUE, p=full, **query)

    def counted_live() -> Any:
        cache.delete(tally._KEY)
        return client.get("/admin/")

    tally.keep()
    lists: dict[str, dict[str, Any]] = {
        "everything": {"show": "all"},
        "what has ended": {"show": "ended"},
        "by state": {"state": "needs_attention"},
        "by state: connected": {"state": "connected"},
        "by reason": {"reason": "payment_missing"},
        "by next move": {"mover": "partner"},
        "by assignee: me": {"assigned": "me"},
        "by assignee: nobody": {"assigned": "nobody"},
        "by assignee: somebody": {"assigned": "somebody"},
        "by tenant": {"tenant__id__exact": row.tenant_id, "show": "all"},
        "by age": {"age": "week"},
        "by country": {"country": "ES", "show": "all"},
        "by mode": {"mode": "business_app"},
        "by proof: proven": {"proof": "yes"},
        "by proof: refuted": {"proof": "no"},
        "by proof: not checked yet": {"proof": "unchecked"},
        "by state, mode, age": {"state": "connected", "mode": "business_app", "age": "day"},
        "link of the desk: waits for": {"waits_for": "ycloud"},
        "link of the desk: open for": {"open_for": "week"},
        "link of the desk: stage": {"launched": "30", "stage": "not-paid"},
        "link of the desk: connected": {"connected": "30"},
        "sorted by state": {"o": "2"},
        "sorted by age, newest": {"o": "-5"},
        "search: number": {"q": row.number.e164},
        "search: number, as at home": {"q": row.number.e164[-9:]},
        "search: WABA id": {"q": row.business_account.waba_id},
        "search: reference": {"q": row.reference},
        "search: request id": {"q": called.request_id},
        "search: name": {"q": row.business_account.name.removesuffix(ENDING)},
        "search: a word of each tenth": {"q": COMMON[0]},
        "search: a common and a rare word": {"q": f"{COMMON[0]} {_digits_of(common.name)}"},
        "search: two common words": {"q": " ".join(COMMON)},
        "search: nothing": {"q": "nobody-has-this-name"},
    }
    return {
        "desk": lambda: client.get("/admin/"),
        COLD: counted_live,
        "queue": opens(QUEUE),
        **{f"queue, {name}": opens(QUEUE, **query) for name, query in lists.items()},
        "queue, last full page": last_page(Onboarding.objects.exclude(state__in=ENDED)),
        "queue, last full page of everything": last_page(Onboarding.objects.all(), show="all"),
        "record": opens(f"{QUEUE}{row.pk}/change/"),
    }


def _digits_of(name: str) -> str:
    return "".join(filter(str.isdigit, name))


@dataclass(frozen=True, slots=True)
class Found:
    """A request's median, and how many onboardings its page listed."""

    ms: float
    listed: int


def once(ask: Callable[[], Any]) -> Found:
    """One whole request; it has to answer 200."""
    begin = time.perf_counter()
    answer = ask()
    took = (time.perf_counter() - begin) * 1000
    assert answer.status_code == 200, answer
    return Found(took, answer.content.count(b'name="_selected_action"'))


def compare(
    asked: dict[int, dict[str, Callable[[], Any]]], rounds: int, use: Callable[[int], object]
) -> dict[int, dict[str, Found]]:
    """The medians of each size, asked in turns: what else the machine does slows down both."""
    found: dict[int, dict[str, Found]] = {size: {} for size in asked}
    for name in asked[min(asked)]:
        took: dict[int, list[Found]] = {size: [] for size in asked}
        for _ in range(rounds + 1):
            for size, of in asked.items():
                use(size)
                took[size].append(once(of[name]))
        for size, each in took.items():
            ms = statistics.median(one.ms for one in each[1:])
            found[size][name] = Found(round(ms, 1), each[0].listed)
    return found


def ratios(found: dict[int, dict[str, Found]]) -> dict[str, float]:
    """How many times as long each takes with the most rows as with the fewest."""
    few, many = found[min(found)], found[max(found)]
    return {name: round(many[name].ms / few[name].ms, 2) for name in few}


def _as_long(found: dict[int, dict[str, Found]], name: str) -> bool:
    """Both pages list about as many rows; else it is the drawing of the others that is measured."""
    few, many = found[min(found)][name].listed, found[max(found)][name].listed
    return many <= 1.2 * few or many < FEW_LINES


def report(found: dict[int, dict[str, Found]]) -> str:
    """A table: a line a request; for each size the median and the rows on the page; the ratio."""
    few, many = min(found), max(found)
    lines = [f"{'median ms (rows listed)':36}{few:>14,}{many:>14,}{'ratio':>8}"]
    for name, ratio in ratios(found).items():
        both = (found[few][name], found[many][name])
        cells = [f"{each.ms:.1f} ({each.listed:2})" for each in both]
        mark = "" if _as_long(found, name) else "  a longer page"
        lines.append(f"{name:36}{cells[0]:>14}{cells[1]:>14}{ratio:>8.2f}{mark}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write; 1 when something takes more than AT_MOST times as long."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--few", type=int, default=1_000)
    ask.add_argument("--many", type=int, default=100_000)
    ask.add_argument("--rounds", type=int, default=7)
    ask.add_argument("--json", type=Path, default=runenv.LOCAL / "bench-desk.json")
    given = ask.parse_args()
    with site():
        databases, asked = Databases((given.few, given.many)), {}
        for count in (given.few, given.many):
            print(f"Loading {count:,} onboardings ...", flush=True)
            databases.use(count)
            load(count)
            client = reviewer()
            mark()
            tidy(databases.name(count))
            asked[count] = requests(client)
        print("Measuring ...", flush=True)
        found = compare(asked, given.rounds, databases.use)
    print(report(found), flush=True)
    kept = {size: {name: asdict(each) for name, each in of.items()} for size, of in found.items()}
    given.json.write_text(json.dumps({"rounds": given.rounds, "found": kept}, indent=1))
    over = [
        name for name, ratio in ratios(found).items()
        if ratio > AT_MOST and name != COLD and _as_long(found, name)
    ]  # fmt: skip
    print(f"More than {AT_MOST:.0f} times as long: {', '.join(over) or 'none'}; see {given.json}.")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
