"""The closed sets from which every label of /metrics takes its value."""

from __future__ import annotations

import platform

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from config import metrics
from config.celery import app
from onboarding import gauges, instruments
from onboarding.models import ProviderCall
from onboarding.models.onboarding import ConnectionMode
from onboarding.models.ycloud_account import ENVIRONMENT
from onboarding.quota import Lane
from onboarding.reasons import REASONS
from onboarding.states import State
from tenants import throttle

NONE, OTHER = instruments.NONE, instruments.OTHER


def known() -> dict[str, set[str]]:
    """Label -> every value that it may ever have."""
    states = {str(state) for state in State}
    tasks = {name.removeprefix("onboarding.tasks.") for name in app.tasks} | {OTHER}
    return {
        "state": states,
        "to": states,
        "reason": {*REASONS, NONE, OTHER},
        "milestone": set(instruments.FUNNEL),
        "mode": {*map(str, ConnectionMode), OTHER},
        "kind": {str(kind) for kind in ProviderCall.Kind},
        "status": {*instruments.STATUSES, *metrics.CLASSES},
        "outcome": {
            *map(str, ProviderCall.Outcome), *instruments.STEP_OUTCOMES,
            *instruments.WEBHOOK_OUTCOMES, *instruments.OUTBOUND_OUTCOMES,
            *instruments.TASK_OUTCOMES,
        },
        "lane": {str(lane) for lane in Lane},
        "ycloud_account": {ENVIRONMENT},  # and the slugs of further ones, few
        "scope": {*throttle.SCOPES, OTHER},
        "queue": set(settings.WORKER_QUEUES),
        "part": set(gauges.PARTS),
        "standing": {"waiting", "unsure", "failed", "failing", "well", "switched_off"},
        "task": tasks,
        "view": {*_views(get_resolver(), ""), NONE, OTHER},
        "method": {*metrics.METHODS, OTHER},
        "version": {metrics.VERSION},
        "python": {platform.python_version()},
        "le": _bounds(),
    }  # fmt: skip


def _views(resolver: URLResolver, before: str) -> set[str]:
    found: set[str] = set()
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            space = f"{before}{each.namespace}:" if each.namespace else before
            found |= _views(each, space)
        elif isinstance(each, URLPattern) and each.name:
            found.add(before + each.name)
    return found


def _bounds() -> set[str]:
    from prometheus_client import REGISTRY

    told = (s for family in REGISTRY.collect() for s in family.samples)
    made = {s.labels["le"] for s in told if "le" in s.labels}
    every = (*instruments.QUICK, *instruments.SLOW, *instruments.LATE)
    http = metrics.request_seconds._upper_bounds
    return made | {str(float(bound)) for bound in (*every, *http)} | {"+Inf"}
