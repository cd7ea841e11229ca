"""Send what is due: requests in threads, rows in this one, so that no thread needs the database."""

from __future__ import annotations

import os
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache

from onboarding import outbound_events, stopping
from onboarding.models import DeliveryAttempt
from onboarding.outbound import call, queue

THREADS = 16
BEGIN_SECONDS = 20.0
"""A run begins nothing new after this; the next one does."""
LOOK_SECONDS = 0.25
"""While slow endpoints are waited for, new events are looked for this often."""

Running = dict["Future[call.Answer]", DeliveryAttempt]


@cache
def _threads_of(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="webhook")


def deliver_due() -> int:
    """Hand new events to their endpoints and send what is due; how many were taken.

    Any number of these may run at once.
    """
    until = time.monotonic() + BEGIN_SECONDS
    running: Running = {}
    taken = 0
    while True:
        if time.monotonic() < until and not stopping.is_asked():
            queue.share_due()
            _begin(running)
        if not running:
            return taken
        ended, _ = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        taken += sum(_end(running.pop(future), future) for future in ended)


def _begin(running: Running) -> None:
    """Only as many as there are threads free: nothing that is claimed stands in a line."""
    free = THREADS - len(running)
    for attempt in queue.claim_due(free) if free else []:
        future = _threads_of(os.getpid()).submit(call.send, request_of(attempt))
        running[future] = attempt


def request_of(attempt: DeliveryAttempt) -> call.Request:
    """What the attempt sends."""
    event, endpoint = attempt.delivery.event, attempt.delivery.endpoint
    return call.Request(
        url=endpoint.url,
        secrets=tuple(endpoint.signing_secrets),
        message_id=event.public_id,
        body=outbound_events.body_of(event),
    )


def _end(attempt: DeliveryAttempt, future: Future[call.Answer]) -> bool:
    answer = future.result()
    queue.written(attempt, answer)
    return answer.is_taken
