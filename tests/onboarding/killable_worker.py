"""A worker that kills itself at the nth point between two things that it does.

Reads `N ONBOARDING_ID` lines, takes the row's steps in a forked child, and prints `killed` or
`finished`. Points lie before and after each call to YCloud and each written move.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

django.setup()

from onboarding import steps, transitions  # noqa: E402
from tenants import walls  # noqa: E402
from ycloud_client import YCloudClient  # noqa: E402


def deadly(act: Callable[..., Any], point: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **named: Any) -> Any:
        point()
        result = act(*args, **named)
        point()
        return result

    return wrapped


def take_steps(kill_at: int, onboarding_id: int) -> None:
    passed = [0]

    def point() -> None:
        if passed[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        passed[0] += 1

    transitions.move = deadly(transitions.move, point)
    YCloudClient._call = deadly(YCloudClient._call, point)  # type: ignore[method-assign]
    row = transitions.claim(onboarding_id)
    assert row is not None, "the row is not due"
    steps.run(row)


def main() -> None:
    for line in sys.stdin:
        kill_at, onboarding_id = map(int, line.split())
        child = os.fork()
        if child == 0:
            with walls.seeing_everything("a worker"):
                take_steps(kill_at, onboarding_id)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        told = "killed" if killed else "finished" if status == 0 else f"failed {status}"
        print(told, flush=True)


if __name__ == "__main__":
    main()
