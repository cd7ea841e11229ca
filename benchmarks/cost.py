"""What 1,000 onboardings cost, measured: `python -m benchmarks.cost --keep` writes measured.json.

Customers come in by links and go all the way while their pages ask every two seconds and YCloud's
webhooks come in. CPU time is read from the system for each process, what the same processes use in
the same time while nobody comes is taken off and told by itself. docs/scaling.md and
benchmarks/model.py calculate with what is kept.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import customers, memory
from benchmarks.processes import Processes, processes
from benchmarks.report import machine

MEASURED = Path(__file__).with_name("measured.json")
AT_ONCE, EACH, IDLE_SECONDS = 8, 13, 20.0
ROWS = """
SELECT relname, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname = 'public'
"""
LOOKS = """
import json
from datetime import timedelta
from onboarding import schedule
found, age = [], timedelta()
for day in range(31):
    looks = 0
    while age < timedelta(days=day + 1) and (wait := schedule.interval(age)) is not None:
        age += wait
        looks += 1
    found.append(looks)
print(json.dumps(found))
"""


def measure(at_once: int = AT_ONCE, each: int = EACH, idle: float = IDLE_SECONDS) -> dict[str, Any]:
    """Everything for 1,000 onboardings, as it is kept."""
    with processes(latency_ms=100) as made:
        guests = customers.guests(made, at_once, "cost")
        customers.go(guests, 1)  # what is loaded with the first of them
        resting, rest_seconds = _spent(made, lambda: time.sleep(idle))
        before = _stored(made)
        spent, seconds = _spent(made, lambda: customers.go(guests, each))
        time.sleep(2)  # the last events of the last customers
        after = _stored(made)
        looks = json.loads(made.manage("shell", "-v", "0", "-c", LOOKS).splitlines()[-1])
        for guest in guests:
            guest.close()
        held = {n: memory.pss([pid]) / memory.MB for n, pid in _pids(made).items()}
    factor = 1000 / (at_once * each)
    own = {n: max(spent[n] - resting[n] * seconds / rest_seconds, 0) for n in spent}
    return {
        "at": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "onboardings": at_once * each,
        "cpu_seconds": {name: round(each * factor, 1) for name, each in own.items()},
        "idle_cpu_share": {n: round(each / rest_seconds, 4) for n, each in resting.items()},
        "memory_mb": {name: round(mb) for name, mb in held.items()},
        "rows": _grown(before["rows"], after["rows"], factor),
        "bytes": _grown(before["bytes"], after["bytes"], factor),
        "ycloud_calls": round((after["calls"] - before["calls"]) * factor),
        "looks_by_day": looks,
    }  # fmt: skip


def _pids(made: Processes) -> dict[str, int]:
    assert made.postgres.child
    assert made.valkey.child
    ours = {name: child.pid for name, child in made.children.items() if name != "sandbox"}
    return {**ours, "postgresql": made.postgres.child.pid, "valkey": made.valkey.child.pid}


def _spent(made: Processes, doing: Callable[[], object]) -> tuple[dict[str, float], float]:
    """CPU seconds of each part while something is done, and how long that took."""
    pids = _pids(made)
    before = {name: memory.cpu_seconds([pid]) for name, pid in pids.items()}
    began = time.monotonic()
    doing()
    took = time.monotonic() - began
    return {n: memory.cpu_seconds([pid]) - before[n] for n, pid in pids.items()}, took


def _stored(made: Processes) -> dict[str, Any]:
    """Rows and bytes of each table, and the calls to YCloud."""
    whole = {"options": "-c onboarding.scope=everything"}
    with psycopg.connect(made.env["DATABASE_OWNER_URL"], autocommit=True, **whole) as owner:
        sizes = dict(owner.execute(ROWS).fetchall())
        rows = {
            name: owner.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # type: ignore[index,arg-type]  # noqa: S608
            for name in sizes
        }
        calls = owner.execute(
            "SELECT count(*) FROM onboarding_providercall "
            "WHERE kind <> 'exchange_code' AND outcome <> 'not_sent'"
        ).fetchone()
    return {"rows": rows, "bytes": sizes, "calls": calls[0] if calls else 0}


def _grown(before: Mapping[str, int], after: Mapping[str, int], factor: float) -> dict[str, int]:
    grown = {name: round((after[name] - before.get(name, 0)) * factor) for name in after}
    return {name: many for name, many in sorted(grown.items()) if many > 0}


def main() -> None:
    """Measure and print; with `--keep` also write the file that the model reads."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--keep", action="store_true", help=f"write {MEASURED.name}")
    given = ask.parse_args()
    text = json.dumps(measure(), indent=1) + "\n"
    print(text)
    if given.keep:
        MEASURED.write_text(text)


if __name__ == "__main__":
    main()
