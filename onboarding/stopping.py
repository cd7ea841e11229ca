"""Whether this worker was asked to stop (SIGTERM), seen by its pool processes too.

Celery tells only the worker's main process, and then waits for the tasks at work. They look here
between two steps and hand their rows back, so that a stop takes one call and not a whole task.
"""

import mmap

_flag = mmap.mmap(-1, 1)
"""Anonymous and shared: pool processes are forked later and see what the main process writes."""


def ask() -> None:
    """Have every task of this worker hand its row back at the next step."""
    _flag[0] = 1


def is_asked() -> bool:
    """Whether the worker stops."""
    return _flag[0] == 1


def forget() -> None:
    """For tests: this process goes on."""
    _flag[0] = 0
