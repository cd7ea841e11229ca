"""What stands in a letter to a customer: one item for each notice, in the recipient's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import gettext, ngettext

from onboarding import guests, mail_addresses, progress, requirements
from onboarding.models import Notice, Onboarding, PhoneNumber, SignupLink
from onboarding.models.onboarding import ConnectionMode
from onboarding.reasons import REASONS
from onboarding.states import State
from tenants import languages
from tenants.letters import letter, one_line
from tenants.models import Tenant

Kind = Notice.Kind
Item = dict[str, Any]

SAID = 500
"""Of one line that a reviewer wrote."""


def language_of(notice: Notice) -> str:
    """The address's or the member's own, else the tenant's, else the site's."""
    if notice.address is not None:
        return mail_addresses.language_of(notice.address)
    return languages.of_user(notice.user, notice.tenant.language)


def news(notices: Sequence[Notice], *, server: Any = None) -> EmailMultiAlternatives:
    """One letter with these notices, all of one recipient and tenant."""
    first = notices[0]
    language = language_of(first)
    with translation.override(language):
        items = [_item(notice) for notice in notices]
    return news_of(
        items, first.tenant, to=first.recipient, language=language, message=first.letter,
        stop_url=mail_addresses.stop_url(first.address) if first.address else "", server=server,
    )  # fmt: skip


def news_of(
    items: Sequence[Item], tenant: Tenant, *, to: str, language: str, **more: Any
) -> EmailMultiAlternatives:
    """The letter with these items; `more` as in `tenants.letters.letter`."""
    name = one_line(tenant.name)
    with translation.override(language):
        if len({item["what"] for item in items}) == 1:
            times = f" ({len(items)})" if len(items) > 1 else ""
            subject = f"{name}: {items[0]['what']}{times}"
        else:
            told = {"tenant": name, "count": len(items)}
            subject = (
                ngettext(
                    "%(tenant)s: %(count)s piece of news",
                    "%(tenant)s: %(count)s pieces of news",
                    len(items),
                )
                % told
            )
    words = {
        "items": items,
        "tenant": name,
        "for_guest": bool(more.get("stop_url")),
        "lets_in": all(item["link"].startswith(f"{settings.SITE_URL}/s/") for item in items),
        "account_url": f"{settings.SITE_URL}/accounts/letters/",
    }
    return letter("news", subject, words, language=language, to=[to], **more)


def confirmation(notice: Notice, *, server: Any = None) -> EmailMultiAlternatives:
    """The letter that asks whether the address may be used; it makes the token."""
    address = notice.address
    if address is None:
        raise ValueError("a confirmation has an address")
    return confirmation_of(
        notice.tenant,
        mail_addresses.new_confirmation(address),
        to=address.email,
        language=language_of(notice),
        message=notice.letter,
        stop_url=mail_addresses.stop_url(address),
        server=server,
    )


def confirmation_of(
    tenant: Tenant, token: str, *, to: str, language: str, **more: Any
) -> EmailMultiAlternatives:
    """The same for a token that is there."""
    name = one_line(tenant.name)
    with translation.override(language):
        subject = gettext("%(tenant)s: confirm your address") % {"tenant": name}
    words = {"tenant": name, "address": f"{settings.SITE_URL}/mail/confirm/{token}/"}
    return letter("confirm", subject, words, language=language, to=[to], **more)


def _item(notice: Notice) -> Item:
    row, number = notice.onboarding, notice.number
    if notice.kind == Kind.CONNECTED and row is not None:
        item = connected(row)
    elif notice.kind == Kind.NEEDED and row is not None:
        item = needed(row, notice.reason)
    else:
        row = _attempt_of(number)
        item = health(notice.reason, number, notice.tenant, row)
    link = notice.address.onboarding.link if notice.address else None
    if link is not None and row is not None:
        item["link"] = way_in(link, row.public_id)
    return item


def way_in(link: SignupLink, onboarding: UUID) -> str:
    """For a guest, who has no login: opens on any device, and says so where the link has ended."""
    return f"{settings.SITE_URL}/s/{guests.way_in_of_letter(link, onboarding)}/"


def _attempt_of(number: PhoneNumber | None) -> Onboarding | None:
    """The attempt whose card shows this number and reconnects it."""
    connected = Onboarding.objects.filter(number=number, state=State.CONNECTED)
    return connected.order_by("-connected_at", "-pk").first() if number else None


def needed(row: Onboarding, code: str) -> Item:
    """What is needed of the customer, in the words of the page; a rejection with its reason."""
    stop = requirements.stop_of(row)
    if stop is not None:
        what, why, remedy = stop.what, stop.why, list(stop.remedy)
    else:
        what, why, remedy = _words(code)
    return {
        "what": what,
        "why": why,
        "said": [one_line(line, SAID) for line in progress.said(row).splitlines() if line.strip()],
        "remedy": remedy,
        "remedy_title": gettext("What to do"),
        "number": _number(row),
        "link": _page_of(row),
        "reference": row.reference,
    }


def connected(row: Onboarding) -> Item:
    """The number, its limit, and what to do first."""
    number = row.number
    limit = progress.limit_label(number.messaging_limit) if number else ""
    if row.connection_mode == ConnectionMode.BUSINESS_APP:
        second = gettext(
            "Keep using the app, and open it at least every week, so that the number stays "
            "connected."
        )
    else:
        second = gettext(
            "Ask only people who agreed to hear from you: good replies raise your limit."
        )
    first = gettext(
        "Tell your partner that the number is there, or send a first message to yourself."
    )
    return {
        "what": gettext("Your number is connected"),
        "why": "",
        "facts": [(gettext("You may write to"), limit)] if limit else [],
        "remedy": [first, second],
        "remedy_title": gettext("What to do first"),
        "number": _number(row),
        "link": _page_of(row),
        "reference": row.reference,
    }


def health(
    code: str, number: PhoneNumber | None, tenant: Tenant, row: Onboarding | None = None
) -> Item:
    """What has become of a connected number; `row`: the attempt that connected it."""
    what, why, remedy = _words(code)
    shown = (progress.display_number(number.e164) or number.phone_number_id) if number else ""
    return {
        "what": what,
        "why": why,
        "remedy": remedy,
        "remedy_title": gettext("What to do"),
        "number": shown,
        "link": _page_of(row) if row else f"{settings.SITE_URL}/connect/?tenant={tenant.slug}",
    }


def _page_of(row: Onboarding) -> str:
    return f"{settings.SITE_URL}/connect/?onboarding={row.public_id}"


def _words(code: str) -> tuple[str, str, list[str]]:
    reason = REASONS[code]
    return str(reason.what), str(reason.why), [str(line) for line in reason.remedy]


def _number(row: Onboarding) -> str:
    e164 = row.number.e164 if row.number else row.expected_number
    return progress.display_number(e164) if e164 else ""
