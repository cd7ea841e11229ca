"""Is the process up, is it ready, is everything that it needs there."""

from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import QUEUES
from config.celery import app as celery_app


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Database and migrations; with `?full=1` Redis, workers and beat too. 503 names what fails."""
    checks = {"database": _database}
    if request.GET.get("full") == "1":
        checks |= {"redis": _redis, "workers": _workers, "beat": _beat}
    found = {name: _tried(check) for name, check in checks.items()}
    ready = all(word == "ok" for word in found.values())
    response = JsonResponse({"ready": ready, **found}, status=200 if ready else 503)
    # A probe that says "not yet" is no error of ours; Django would log each one as such.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _tried(check: Any) -> str:
    try:
        return str(check())
    except Exception as error:  # whatever it is, the answer is "not ready", and of what kind
        return f"not reachable ({type(error).__name__})"


def _database() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(pending)} migrations are not applied" if pending else "ok"


def _redis() -> str:
    cache.set("readyz", "ok", 5)
    return str(cache.get("readyz"))


def _workers() -> str:
    """Every queue has a worker that answers."""
    queues = celery_app.control.inspect(timeout=1).active_queues() or {}
    served = {queue["name"] for worker in queues.values() for queue in worker}
    missing = set(QUEUES) - served
    return f"no worker for {', '.join(sorted(missing))}" if missing else "ok"


def _beat() -> str:
    return "ok" if cache.get("beat_alive") else "no sign of beat in the last 30 s"
