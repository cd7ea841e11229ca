"""A small load model: what a load needs, and what so many machines can bear.

    python -m benchmarks.model --per-hour 500 --waiting 20000 --accounts 1
    python -m benchmarks.model --tables

It multiplies what benchmarks/cost.py measured (measured.json) and makes the
tables of docs/scaling.md. What it assumes is at the top of
this file, in words: change it to your machines.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("measured.json")
JOURNAL = "onboarding_providercall"
WEB = ("web",)
WORKERS = ("worker", "exchange", "background")
HOUR = 3600.0


@dataclass(frozen=True)
class Assumed:
    """What is not measured here: machines, limits of others, and how full things may get."""

    cores: int = 4
    """Of one of our machines; half of it serves pages, half works."""
    busy: float = 0.7
    """CPU above this makes people wait."""
    threads: int = 16
    """Of the web on a machine: 2 processes of 8; each keeps a connection to PostgreSQL."""
    slots: int = 80
    """Threads of all workers on a machine (docker-compose.yml); each keeps one too."""
    call_seconds: float = 0.5
    """A call to YCloud, as slow as it gets on a usual day."""
    calls_per_look: int = 2
    """A waiting row's account and its numbers; where only the number is awaited, one."""
    postgres_cores: int = 16
    connections: int = 500
    """What PostgreSQL takes; each costs it memory."""
    quota_per_hour: int = 9_000
    working_share: float = 0.95
    """Of the quota, for who is at the page or being worked on."""
    waiting_share: float = 0.9
    cap_per_7_days: int = 200
    """New customers that Meta lets a reviewed partner take."""


def measured() -> dict[str, Any]:
    """What cost.py kept."""
    found: dict[str, Any] = json.loads(MEASURED.read_text())
    return found


def cpu(of: Mapping[str, Any], *names: str) -> float:
    """CPU seconds of one onboarding."""
    return float(sum(of["cpu_seconds"].get(name, 0.0) for name in names)) / 1000


def limits(of: Mapping[str, Any], machines: int, accounts: int, to: Assumed) -> dict[str, float]:
    """Onboardings an hour at which each thing is used up; the lowest comes first."""
    calls = of["ycloud_calls"] / 1000
    half = machines * to.cores / 2 * to.busy * HOUR
    return {
        "Meta's cap": to.cap_per_7_days / (7 * 24),
        "YCloud's quota": accounts * to.quota_per_hour * to.working_share / calls,
        "web CPU": half / cpu(of, *WEB),
        "worker CPU": half / cpu(of, *WORKERS),
        "worker slots": machines * to.slots * to.busy * HOUR / (calls * to.call_seconds),
        "PostgreSQL CPU": to.postgres_cores * to.busy * HOUR / cpu(of, "postgresql"),
        "Valkey CPU": to.busy * HOUR / cpu(of, "valkey"),
    }


def connections(machines: int, to: Assumed) -> int:
    """Kept open to PostgreSQL by so many machines, beat's included."""
    return machines * (to.threads + to.slots) + 1


def needs(
    of: Mapping[str, Any], per_hour: float, waiting: int, accounts: int, to: Assumed
) -> dict[str, float]:
    """What a load asks for: cores busy, machines, shares of what others allow, growth in a day."""
    calls = per_hour * of["ycloud_calls"] / 1000
    looks = waiting * average_looks(of) / 24 * to.calls_per_look
    ours = per_hour * cpu(of, *WEB, *WORKERS)
    per_call = cpu(of, *WORKERS, "postgresql", "valkey") / (of["ycloud_calls"] / 1000)
    quota = accounts * to.quota_per_hour
    room = max(quota * to.waiting_share - calls, quota * to.waiting_share / 10)
    made = min(looks, room)
    cores = (ours + made * per_call) / HOUR
    stored = sum(of["bytes"].values()) / 1000
    kept = of["bytes"][JOURNAL] / of["rows"][JOURNAL]
    return {
        "machines": max(math.ceil(cores / (to.cores * to.busy)), 1),
        "cores of web and workers": cores,
        "cores of PostgreSQL": per_hour * cpu(of, "postgresql") / HOUR,
        "calls to YCloud an hour": calls + made,
        "of the quota": (calls + made) / quota,
        "waiting looks stretched by": max(looks / room, 1.0),
        "of Meta's cap": per_hour * 7 * 24 / to.cap_per_7_days,
        "MB a day in PostgreSQL": 24 * (per_hour * stored + made * kept) / 1e6,
    }


def average_looks(of: Mapping[str, Any]) -> float:
    """Looks a day at a number that waits, over the 30 days in which it is looked at."""
    return float(sum(of["looks_by_day"])) / len(of["looks_by_day"])


# --- The page's tables ----------------------------------------------------------------------------


def tables(of: Mapping[str, Any]) -> str:
    """As they stand in docs/scaling.md between its marks."""
    to = Assumed()
    parts = [_cost(of), _first(of, to), _growth(of)]
    return "\n\n".join("\n".join(part) for part in parts)


def _cost(of: Mapping[str, Any]) -> Iterator[str]:
    yield "| 1,000 onboardings cost | |"
    yield "|---|---|"
    spent = of["cpu_seconds"]
    yield f"| CPU of the web | {_told(cpu(of, *WEB) * 1000)} s |"
    yield f"| CPU of the workers | {_told(cpu(of, *WORKERS) * 1000)} s |"
    yield f"| CPU of PostgreSQL | {_told(spent['postgresql'])} s |"
    yield f"| CPU of Valkey | {_told(spent['valkey'])} s |"
    yield f"| calls to YCloud | {_told(of['ycloud_calls'])} |"
    yield f"| rows in PostgreSQL | {_told(sum(of['rows'].values()))} |"
    yield f"| bytes in PostgreSQL, indexes included | {_told(sum(of['bytes'].values()) / 1e6)} MB |"


def _first(of: Mapping[str, Any], to: Assumed) -> Iterator[str]:
    many = (1, 10, 100)
    yield "| used up at so many onboardings an hour | 1 machine | 10 machines | 100 machines |"
    yield "|---|---|---|---|"
    found = [limits(of, machines, 1, to) for machines in many]
    for name in found[0]:
        yield f"| {name} | " + " | ".join(_told(each[name]) for each in found) + " |"
    ours = [{k: v for k, v in each.items() if k not in FOREIGN} for each in found]
    first = [min(each, key=lambda name: each[name]) for each in ours]
    yield "| first of ours | " + " | ".join(first) + " |"
    share = to.quota_per_hour * to.working_share / (of["ycloud_calls"] / 1000)
    accounts = [max(math.ceil(min(each.values()) / share), 1) for each in ours]
    yield "| YCloud accounts to come so far | " + " | ".join(map(_told, accounts)) + " |"
    held = " | ".join(_told(connections(machines, to)) for machines in many)
    yield f"| connections to PostgreSQL | {held} |"


FOREIGN = ("Meta's cap", "YCloud's quota")


def _growth(of: Mapping[str, Any]) -> Iterator[str]:
    rates = (100, 1_000, 2_800)
    yield (
        "| table | rows an onboarding | bytes an onboarding | "
        + " | ".join(f"GB in 90 days at {_told(rate)} an hour" for rate in rates)
        + " |"
    )
    yield "|---|---|---|" + "---|" * len(rates)
    largest = sorted(of["bytes"].items(), key=lambda each: -each[1])[:6]
    for name, grown in largest:
        kept = " | ".join(_told(rate * 24 * 90 * grown / 1000 / 1e9) for rate in rates)
        rows = of["rows"].get(name, 0) / 1000
        yield f"| `{name}` | {_told(rows)} | {_told(grown / 1000)} | {kept} |"


def _told(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def main() -> None:
    """Print the tables of the page, or what a load needs."""
    ask = argparse.ArgumentParser(description="What a load needs")
    ask.add_argument("--per-hour", type=float, default=100, help="onboardings that come in an hour")
    ask.add_argument("--waiting", type=int, default=0, help="numbers that wait for days")
    ask.add_argument("--accounts", type=int, default=1, help="YCloud accounts")
    ask.add_argument("--cap", type=int, default=Assumed.cap_per_7_days, help="Meta's, in 7 days")
    ask.add_argument("--cores", type=int, default=Assumed.cores, help="of one machine")
    ask.add_argument("--tables", action="store_true", help="the tables of docs/scaling.md")
    given = ask.parse_args()
    of = measured()
    if given.tables:
        print(tables(of))
        return
    to = Assumed(cores=given.cores, cap_per_7_days=given.cap)
    for name, value in needs(of, given.per_hour, given.waiting, given.accounts, to).items():
        print(f"{name:28}{_told(value):>12}")


if __name__ == "__main__":
    main()
