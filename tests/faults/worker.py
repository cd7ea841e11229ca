"""A worker in processes of its own that tests kill from outside, in the middle of a call.

Reads `steps ID` or `exchange ID` lines; for each it forks a child that does the work, prints the
child's pid, waits for it, and prints how it ended.
"""

from __future__ import annotations

import os
import sys

import django

django.setup()

from onboarding import meta, steps, transitions  # noqa: E402
from tenants import walls  # noqa: E402


def work(what: str, onboarding_id: int) -> None:
    if what == "exchange":
        meta.exchange_code(onboarding_id)
        return
    row = transitions.claim(onboarding_id)
    assert row is not None, "the row is not due"
    steps.run(row)


def main() -> None:
    for line in sys.stdin:
        what, onboarding_id = line.split()
        child = os.fork()
        if child == 0:
            with walls.seeing_everything("a worker"):
                work(what, int(onboarding_id))
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"ended {status}", flush=True)


if __name__ == "__main__":
    main()
