"""`make bench`: every claim about speed and scale as a row beside its comparator of the same run.

    ROWS=straight,calls ROUNDS=7 make bench

Real PostgreSQL and Valkey, the product as processes, the sandbox with a set latency; one table at
the end, the rounds in artefacts/bench.json. Ends with 1 when a goal is not met and no reason stands
beside it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import alone
from benchmarks.report import Row, machine, table

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "artefacts" / "bench.json"
PARTS = ("straight", "calls", "noticing", "quota", "intake", "growth", "footprint")
"""In the order of docs/benchmarks.md; each is a module of this package with `measure(rounds)`."""
LEAST_ROUNDS = 5


def main() -> int:
    """Measure what was asked for, print the table, keep the JSON."""
    rounds = max(int(os.environ.get("ROUNDS", LEAST_ROUNDS)), LEAST_ROUNDS)
    parts = [each for each in os.environ.get("ROWS", "").split(",") if each] or list(PARTS)
    unknown = [each for each in parts if each not in PARTS]
    if unknown:
        sys.exit(f"make bench: ROWS names {', '.join(unknown)}: use {', '.join(PARTS)}.")
    rows: list[Row] = []
    took: dict[str, float] = {}
    for part in parts:
        print(f"Measuring {part} ...", flush=True)
        began = time.monotonic()
        rows += alone.measured(f"benchmarks.{part}", rounds)
        took[part] = round(time.monotonic() - began, 1)
    keep(rows, took, rounds)
    print(f"\n{table(rows)}\n\nMedians of {rounds} rounds; all of them in {KEPT}.")
    silent = [row for row in rows if row.is_met is False and not row.why]
    return 1 if silent else 0


def keep(rows: Sequence[Row], took: dict[str, float], rounds: int) -> None:
    """Write the JSON file: the machine, the rounds, what each part took in seconds."""
    KEPT.parent.mkdir(exist_ok=True)
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rounds": rounds,
        "took_seconds": took,
        "rows": [row.kept() for row in rows],
    }
    KEPT.write_text(json.dumps(told, indent=1, default=str))


if __name__ == "__main__":
    sys.exit(main())
