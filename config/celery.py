"""The Celery app. The database row is the queue; a task is only a nudge (docs/architecture.md).

The figures were tried with kombu 5.7 and Valkey 9 in November 2026: with the defaults a task
of a killed worker came back after 86 s, with these after about 10 s.
"""

import os

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("onboarding")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # Exchange and key by name: left out, both queues share `default` and get each message twice.
    task_queues=tuple(Queue(n, Exchange(n), routing_key=n) for n in ("default", "exchange")),
    task_default_queue="default",
    # A code lives 30 s, so its exchange never waits behind ordinary work.
    task_routes={"onboarding.tasks.exchange_code": {"queue": "exchange"}},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=120,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
    },
    beat_schedule={
        "sweep_due": {
            "task": "onboarding.tasks.sweep_due",
            "schedule": 2.0,
            "options": {"expires": 10},
        },
        "forget_old": {
            "task": "onboarding.tasks.forget_old",
            "schedule": crontab(hour=3, minute=17),
            "options": {"expires": 3600},
        },
        "beat_alive": {
            "task": "onboarding.tasks.beat_alive",
            "schedule": 5.0,
            "options": {"expires": 20},
        },
    },
)
app.autodiscover_tasks(["onboarding"])
