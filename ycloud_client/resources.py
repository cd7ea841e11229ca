"""What YCloud answers, as frozen dataclasses. Unknown fields and words are kept, nulls tolerated.

A field with the wrong JSON type is read as absent; only `id` is insisted on, and only where the
answer is of no use without it (accounts, list items). Field names: YCloud's OpenAPI v1.16.2
(July 2026) and live answers seen in June 2026 (`isOnBizApp`, `removed`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NewType, TypeVar

WabaId = NewType("WabaId", str)
PhoneNumberId = NewType("PhoneNumberId", str)
E164 = NewType("E164", str)

T = TypeVar("T")


class ShapeError(ValueError):
    """The JSON is not what it should be."""


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # an id that lost its quotes
    return value if isinstance(value, str) and value else None


def _flag(raw: Mapping[str, Any], name: str) -> bool | None:
    value = raw.get(name)
    return value if isinstance(value, bool) else None


def _required_id(raw: Mapping[str, Any]) -> str:
    found = _text(raw, "id")
    if found is None:
        raise ShapeError("`id` is missing")
    return found


def as_object(raw: object) -> Mapping[str, Any]:
    """The JSON object, or ShapeError."""
    if not isinstance(raw, Mapping):
        raise ShapeError(f"an object was expected, not {type(raw).__name__}")
    return raw


@dataclass(frozen=True, slots=True)
class BusinessAccount:
    """A WABA."""

    id: WabaId
    name: str | None = None
    currency: str | None = None
    account_review_status: str | None = None
    payment_method_attached: bool | None = None
    business_verification_status: str | None = None
    business_id: str | None = None
    business_name: str | None = None
    business_status: str | None = None
    country: str | None = None
    ownership_type: str | None = None
    timezone_id: str | None = None
    decision: str | None = None
    update_event: str | None = None
    ban_state: str | None = None
    ban_date: str | None = None
    violation_type: str | None = None
    restrictions: tuple[Mapping[str, Any], ...] = ()
    messaging_limit: str | None = None
    is_on_biz_app: bool | None = None
    removed: bool | None = None
    removed_reason: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, answer: object, *, sent_id: str = "") -> BusinessAccount:
        """From JSON; the id that was sent stands in for a missing one (answers to acts)."""
        raw = as_object(answer)
        restrictions = raw.get("restrictions")
        listed = restrictions if isinstance(restrictions, list) else []
        return cls(
            id=WabaId(_text(raw, "id") or sent_id or _required_id(raw)),
            name=_text(raw, "name"),
            currency=_text(raw, "currency"),
            account_review_status=_text(raw, "accountReviewStatus"),
            payment_method_attached=_flag(raw, "paymentMethodAttached"),
            business_verification_status=_text(raw, "businessVerificationStatus"),
            business_id=_text(raw, "businessId"),
            business_name=_text(raw, "businessName"),
            business_status=_text(raw, "businessStatus"),
            country=_text(raw, "country"),
            ownership_type=_text(raw, "ownershipType"),
            timezone_id=_text(raw, "timezoneId"),
            decision=_text(raw, "decision"),
            update_event=_text(raw, "updateEvent"),
            ban_state=_text(raw, "banState"),
            ban_date=_text(raw, "banDate"),
            violation_type=_text(raw, "violationType"),
            restrictions=tuple(r for r in listed if isinstance(r, Mapping)),
            messaging_limit=_text(raw, "whatsappBusinessManagerMessagingLimit"),
            is_on_biz_app=_flag(raw, "isOnBizApp"),
            removed=_flag(raw, "removed"),
            removed_reason=_text(raw, "removedReason"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number. `id` is None only in answers to acts that lack it."""

    id: PhoneNumberId | None
    phone_number: E164 | None = None
    display_phone_number: str | None = None
    waba_id: WabaId | None = None
    verified_name: str | None = None
    status: str | None = None
    code_verification_status: str | None = None
    name_status: str | None = None
    new_name_status: str | None = None
    quality_rating: str | None = None
    messaging_limit: str | None = None
    is_official_business_account: bool | None = None
    is_on_biz_app: bool | None = None
    update_event: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, answer: object, *, sent_id: str = "", needs_id: bool = False) -> PhoneNumber:
        """From JSON; `needs_id` insists on an id (list items)."""
        raw = as_object(answer)
        found = _required_id(raw) if needs_id else (_text(raw, "id") or sent_id)
        return cls(
            id=PhoneNumberId(found) if found else None,
            phone_number=_e164(raw),
            display_phone_number=_text(raw, "displayPhoneNumber"),
            waba_id=_waba(raw),
            verified_name=_text(raw, "verifiedName"),
            status=_text(raw, "status"),
            code_verification_status=_text(raw, "codeVerificationStatus"),
            name_status=_text(raw, "nameStatus"),
            new_name_status=_text(raw, "newNameStatus"),
            quality_rating=_text(raw, "qualityRating"),
            messaging_limit=_text(raw, "messagingLimit")
            or _text(raw, "whatsappBusinessManagerMessagingLimit"),
            is_official_business_account=_flag(raw, "isOfficialBusinessAccount"),
            is_on_biz_app=_flag(raw, "isOnBizApp"),
            update_event=_text(raw, "updateEvent"),
            raw=raw,
        )


def _e164(raw: Mapping[str, Any]) -> E164 | None:
    """Always with its plus (an example of the specification lost it)."""
    found = _text(raw, "phoneNumber")
    if found is None:
        return None
    return E164(f"+{found}" if found.isdigit() else found)


def _waba(raw: Mapping[str, Any]) -> WabaId | None:
    found = _text(raw, "wabaId")
    return WabaId(found) if found else None


@dataclass(frozen=True, slots=True)
class Balance:
    """The prepaid balance of the YCloud account."""

    amount: float
    currency: str

    @classmethod
    def parse(cls, answer: object) -> Balance:
        """From JSON."""
        raw = as_object(answer)
        amount, currency = raw.get("amount"), _text(raw, "currency")
        if isinstance(amount, bool) or not isinstance(amount, int | float) or currency is None:
            raise ShapeError("`amount` or `currency` is missing")
        return cls(float(amount), currency)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where YCloud sends events. `secret` is kept out of the repr."""

    id: str
    url: str | None = None
    enabled_events: tuple[str, ...] = ()
    description: str | None = None
    status: str | None = None
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, answer: object) -> WebhookEndpoint:
        """From JSON."""
        raw = as_object(answer)
        events = raw.get("enabledEvents")
        listed = events if isinstance(events, list) else []
        return cls(
            id=_required_id(raw),
            url=_text(raw, "url"),
            enabled_events=tuple(e for e in listed if isinstance(e, str)),
            description=_text(raw, "description"),
            status=_text(raw, "status"),
            secret=_text(raw, "secret"),
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; there is a next one while `length == limit`."""

    items: tuple[T, ...]
    offset: int
    limit: int
    length: int
    total: int | None = None

    @property
    def is_full(self) -> bool:
        return self.limit > 0 and self.length >= self.limit

    @classmethod
    def parse(cls, answer: object, item: Callable[[object], T]) -> Page[T]:
        """From JSON: an object with `items`, never a bare array."""
        raw = as_object(answer)
        items = raw.get("items")
        if not isinstance(items, list):
            raise ShapeError("`items` is missing")

        def count(name: str, otherwise: int) -> int:
            value = raw.get(name)
            fits = isinstance(value, int) and not isinstance(value, bool)
            return value if fits else otherwise  # type: ignore[return-value]

        total = raw.get("total")
        return cls(
            items=tuple(item(each) for each in items),
            offset=count("offset", 0),
            limit=count("limit", 0),
            length=count("length", len(items)),
            total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        )
