"""A letter to ourselves: does the public address take signed events, and refuse unsigned ones?

The event is of a kind that is not ours and concerns nobody; its row is taken away again.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from onboarding import vitals, ycloud_accounts
from onboarding.doctor import http
from onboarding.doctor.finding import (
    Finding,
    Level,
    error,
    for_live,
    of_account,
    ok,
    unknown,
    warning,
)
from onboarding.doctor.install import ALL_SECONDS, webhook_url
from onboarding.models import WebhookEvent, WebhookSecret
from onboarding.ycloud_accounts import Sender
from ycloud_client.webhooks import sign

PREFIX = "doctor_"
KIND = "email.delivery.updated"
LEFT_OVER = timedelta(minutes=10)
SILENT = timedelta(days=7)


def reached() -> Iterator[Finding]:
    """Post to each account's public address as YCloud would: unsigned, then signed."""
    until = time.monotonic() + ALL_SECONDS
    for each in ycloud_accounts.active():
        if time.monotonic() > until:
            return  # the first ones say what is the matter
        with ycloud_accounts.using(each):
            sender = ycloud_accounts.sender(each.address)
            secret = _secret(sender)
            found = list(_reached(sender, secret)) if sender and secret else []
        yield from of_account(each, found)  # without a secret it is told already


def _reached(sender: Sender, secret: str) -> Iterator[Finding]:
    event_id = f"{PREFIX}{uuid.uuid4().hex}"
    try:
        yield from _posted(event_id, sender.named(event_id), secret)
    except http.NoAnswerError as failed:
        what = _("%(url)s does not answer from here: %(error)s") % {
            "url": webhook_url(), "error": failed,
        }  # fmt: skip
        fix = _("Look whether YCloud can reach it: name, proxy, firewall.")
        yield unknown("webhook_reachable", what, fix)
    finally:
        old = timezone.now() - LEFT_OVER
        WebhookEvent.objects.filter(event_id=sender.named(event_id)).delete()
        left = WebhookEvent.objects.filter(event_id__startswith=sender.named(PREFIX))
        left.filter(received_at__lt=old).delete()


def _secret(sender: Sender | None) -> str:
    """Of the endpoint at this address, or the first that is set."""
    stored = WebhookSecret.objects.filter(url=webhook_url()).order_by("-installed_at").first()
    known = [stored.secret if stored else "", *(sender.secrets if sender else ())]
    return next(filter(None, known), "")


def _posted(event_id: str, kept_as: str, secret: str) -> Iterator[Finding]:
    body = json.dumps(
        {"id": event_id, "type": KIND, "apiVersion": "v2",
         "createTime": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    ).encode()  # fmt: skip
    forged = _post(body, f"not-{secret}")
    if forged != 400:
        yield _unexpected("webhook_signed", _("A forged event"), forged, 400)
        return
    yield ok("webhook_signed", _("An event with a wrong signature is refused."))
    signed = _post(body, secret)
    if signed != 204:
        yield _unexpected("webhook_reachable", _("An event signed with our secret"), signed, 204)
        return
    _post(body, secret)
    rows = WebhookEvent.objects.filter(event_id=kept_as).count()
    if rows == 1:
        yield ok("webhook_reachable", _("A signed event is taken, and kept once."))
        return
    yield error(
        "webhook_reachable", _("A signed event was taken, but is not in this database."),
        _("SITE_URL leads to another installation, or its database is another one."),
    )  # fmt: skip


def _post(body: bytes, secret: str) -> int:
    now = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "YCloud-Signature": f"t={now},s={sign(body, secret, now)}",
    }
    return http.ask("POST", webhook_url(), headers=headers, content=body).status


def _unexpected(code: str, which: str, status: int, wanted: int) -> Finding:
    what = _("%(which)s is answered with %(status)d instead of %(wanted)d at %(url)s.") % {
        "which": which, "status": status, "wanted": wanted, "url": webhook_url(),
    }  # fmt: skip
    fix = _(
        "Have the proxy pass POST, body and headers through unchanged, and look whether SITE_URL "
        "leads to this installation with these secrets."
    )
    return error(code, what, fix, why=_("Events of YCloud's would be lost."))


def heard() -> Iterator[Finding]:
    """When YCloud last came, and whether the secret that it signs with is ours."""
    delay = vitals.webhook_delay()
    if delay.last_at is None:
        what = _("No event of YCloud's has come yet, so its secret is not proven to be ours.")
        fix = _("Connect a number of your own; an event follows. Then look again.")
        yield for_live("webhook_heard", what, fix, level=Level.UNKNOWN)
        return
    what = _("YCloud's last event came %(ago)s ago, signed with a secret of ours.") % {
        "ago": timesince(delay.last_at)
    }
    if timezone.now() - delay.last_at < SILENT:
        yield ok("webhook_heard", what)
    else:
        fix = _("Look at YCloud's console (Developers, Webhooks) for failed deliveries.")
        yield unknown("webhook_heard", what, fix)
    if delay.p95_seconds is not None and delay.p95_seconds > 60:
        slow = _("Events of the last hour came up to %(n)d s late.") % {"n": delay.p95_seconds}
        fix = _("Look at YCloud's console for failed deliveries, and at both clocks.")
        yield warning("webhook_delay", slow, fix)
