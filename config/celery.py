"""The Celery app. The database row is the queue; a task is only a nudge (docs/architecture.md).

What a message was about is found by the sweep when its worker dies; the message itself may come
once more (after the visibility timeout) and then finds its row not due.
"""

import os
import threading
from typing import Any

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import worker_shutting_down
from django.conf import settings
from kombu import Exchange, Queue

from config import broker, carried, threads
from tenants import walls

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's checks, whose findings Celery drops anyway, would load all pages into each worker.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

QUEUES: tuple[str, ...] = settings.WORKER_QUEUES
"""What goes where: onboarding/queues.py."""

BACKGROUND = (
    "watch_numbers", "send_notices", "tell_staff", "mail_sample", "mail_link",
    "mail_waiting_links", "read_balance", "count_for_desk", "forget_old",
)  # fmt: skip

STOP_SECONDS = 8.0
"""A worker that was asked to stop (SIGTERM) and still waits for a call then stops cold.

Its rows are free when their lease ends, its open acts count as lost and are looked at before
anything is repeated.
"""


def _every(when: float | crontab, task: str, *, expires: float) -> dict[str, Any]:
    """An entry of the schedule; one that was not taken in `expires` seconds is not worth taking."""
    return {"task": f"onboarding.tasks.{task}", "schedule": when, "options": {"expires": expires}}


class WorkerTask(Task):  # type: ignore[type-arg]
    """A worker takes the rows of all tenants."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with walls.seeing_everything("a worker's task"):
            return super().__call__(*args, **kwargs)


broker.install(QUEUES)
carried.connect()
threads.connect()
app = Celery("onboarding", task_cls=WorkerTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # Exchange and key by name: left out, all queues share `default` and get each message twice.
    task_queues=tuple(Queue(n, Exchange(n), routing_key=n) for n in QUEUES),
    task_default_queue="default",
    # A code lives 30 s, so its exchange never waits behind ordinary work; nor does the search for
    # codes whose message was lost.
    task_routes={
        "onboarding.tasks.exchange_code": {"queue": "exchange"},
        "onboarding.tasks.exchange_forgotten_codes": {"queue": "exchange"},
        # The partner's servers may be slow; nothing of ours waits for them.
        "onboarding.tasks.deliver_outbound": {"queue": "outbound"},
        # Nobody looks, and each may take long. Nudges of waiting rows go there too.
        **{f"onboarding.tasks.{name}": {"queue": "waiting"} for name in BACKGROUND},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=120,  # of threads: config/threads.py
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,  # a letter on the console (EMAIL_URL) is no log line
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "queue_order_strategy": "config.broker:InOrder",
        "visibility_timeout": 600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    },
    beat_schedule={
        "sweep_due": _every(1.0, "sweep_due", expires=10),
        "apply_forgotten_events": _every(5.0, "apply_forgotten_events", expires=20),
        "exchange_forgotten_codes": _every(3.0, "exchange_forgotten_codes", expires=5),
        "carry_out_transfers": _every(5.0, "carry_out_transfers", expires=10),
        "watch_numbers": _every(30.0, "watch_numbers", expires=60),
        "deliver_outbound": _every(1.0, "deliver_outbound", expires=5),
        "send_notices": _every(30.0, "send_notices", expires=30),
        "tell_staff": _every(60.0, "tell_staff", expires=60),
        "mail_waiting_links": _every(60.0, "mail_waiting_links", expires=60),
        "read_balance": _every(600.0, "read_balance", expires=300),
        "count_for_desk": _every(60.0, "count_for_desk", expires=60),
        "measure_pressure": _every(15.0, "measure_pressure", expires=30),
        "forget_old": _every(crontab(hour=3, minute=17), "forget_old", expires=3600),
        "beat_alive": _every(5.0, "beat_alive", expires=20),
    },
)
app.autodiscover_tasks(["onboarding"])

SCHEDULED = frozenset(str(entry["task"]) for entry in app.conf.beat_schedule.values())
"""The tasks that beat sends."""


@worker_shutting_down.connect
def hand_back(**_more: Any) -> None:
    """SIGTERM: tasks at work stop at their next step; what still hangs after a while is cut off."""
    from onboarding import stopping

    stopping.ask()
    cold = threading.Timer(STOP_SECONDS, threads.stop_cold)
    cold.daemon = True
    cold.start()
