"""`POST /webhooks/ycloud/`: check the signature, store once, answer; a task does the rest.

The bare address is that of the environment's YCloud account; each further one has its own with its
slug, whose events are checked with its own secrets and stored as its own.
"""

import logging
import time
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from structlog.contextvars import bind_contextvars

from onboarding import durable, events, instruments, tasks, ycloud_accounts
from onboarding.models import WebhookEvent
from onboarding.ycloud_accounts import Sender
from ycloud_client.webhooks import Event, SignatureError, verify_signature

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def ycloud(request: HttpRequest, slug: str = "") -> HttpResponse:
    """204 when stored (or known already), 400 for a bad signature or body.

    Without a configured secret nothing can be checked, so everything is refused.
    """
    sender = ycloud_accounts.sender(slug)
    if sender is None:  # of an account that is not in use no signature fits
        return _not_signed("no such YCloud account")
    try:
        _verify(request, sender)
        event = Event.parse(request.body)
        event_id = sender.named(event.id)
    except SignatureError as error:
        return _not_set_up() if error.why == "no_secret" else _not_signed(error.why)
    except ValueError:
        instruments.webhook_came("bad_body")
        logger.warning("a signed webhook had a body that is no event")
        return HttpResponse("The body is no event.", status=400)
    bind_contextvars(webhook_event=event_id)
    try:
        _store(event_id, {**events.columns_of(event), "ycloud_account_id": sender.account_id})
    except IntegrityError:  # known already; nearly all are new, so that is not asked first
        instruments.webhook_came("repeated")
    return HttpResponse(status=204)


def _verify(request: HttpRequest, sender: Sender) -> None:
    """Against the secrets that are at hand first: the others are read from the database.

    Raises SignatureError.
    """
    header, now = request.headers.get("YCloud-Signature", ""), time.time()
    try:
        verify_signature(request.body, header, sender.entered, now=now)
    except SignatureError:
        verify_signature(request.body, header, sender.secrets, now=now)


def _store(event_id: str, columns: dict[str, Any]) -> None:
    """Keep a new event and have it applied. Raises IntegrityError for one that is known."""
    with durable.single():
        stored = WebhookEvent.objects.create(event_id=event_id, **columns)
    if stored.applied_at is None:
        tasks.request_applying()
    instruments.webhook_came("stored", stored.sent_at)


def _not_set_up() -> HttpResponse:
    instruments.webhook_came("no_secret")
    logger.error("no webhook secret is set or installed: a webhook was refused")
    return HttpResponse("This endpoint is not set up.", status=503)


def _not_signed(why: str) -> HttpResponse:
    instruments.webhook_came("bad_signature")
    logger.warning("a webhook's signature was refused: %s", why)
    return HttpResponse("The signature does not fit.", status=400)
