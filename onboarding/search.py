"""What people type to find an onboarding: any id, a number as it is written, a name.

The term tells which tables to ask, and each is asked by its own index: an OR over joins reads every
row. Behind the wall only comparisons use an index (`models/staff.py`), so a prefix is a range.
Nothing is found by a part from the middle of a word or an id.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import phonenumbers
from django.db.models import Exists, OuterRef, Q, QuerySet

from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SearchWord,
    WhatsAppBusinessAccount,
)
from tenants.models import User

MOST = 500
"""Of each kind: who finds more than that has to say more."""

SHORTEST_PREFIX = 5
LONGEST_TERM = 200
_NUMBER = re.compile(r"[\d\s+().\-/]+")
_HEX = re.compile(r"[0-9a-f]{8,32}")


def matching(term: str) -> Q:
    """Which onboardings the term means, as a condition on indexed columns alone."""
    term = term.strip()[:LONGEST_TERM]
    found = Q(pk__in=_by_exact_id(term))
    found |= _by_words(term)
    if _NUMBER.fullmatch(term):
        found |= _by_digits(re.sub(r"\D", "", term))
    reference = term.replace("-", "").lower()
    if _HEX.fullmatch(reference):
        found |= Q(public_id__range=(_uuid(reference, "0"), _uuid(reference, "f")))
    if "@" in term:
        people = User.objects.filter(email__startswith=term.lower())
        found |= Q(started_by__in=_keys(people))
    return found


def _uuid(beginning: str, fill: str) -> UUID:
    return UUID(beginning.ljust(32, fill))


def _keys(rows: QuerySet[Any], column: str = "pk") -> list[int]:
    return list(rows.order_by().values_list(column, flat=True)[:MOST])


def _by_exact_id(term: str) -> list[int]:
    """Meta's session, and YCloud's ids of requests."""
    sessions = Onboarding.objects.filter(meta_session_id=term).exclude(meta_session_id="")
    calls = ProviderCall.objects.filter(request_id=term).exclude(request_id="")
    of_calls = _keys(calls.filter(onboarding__isnull=False), "onboarding_id")
    return [*_keys(sessions), *of_calls]


def _by_digits(digits: str) -> Q:
    """Meta's ids, which are digits too, and numbers."""
    if not digits:
        return Q(pk__in=[])
    rows = Onboarding.objects
    keys = [
        *_keys(rows.filter(claimed_business_id=digits)),
        *_keys(rows.filter(_begins("claimed_waba_id", digits))),
        *_keys(rows.filter(_begins("claimed_phone_number_id", digits))),
        *_keys(rows.filter(_numbers("expected_number", digits))),
    ]
    accounts = WhatsAppBusinessAccount.objects.filter(_begins("waba_id", digits))
    ids = PhoneNumber.objects.filter(_begins("phone_number_id", digits))
    numbers = PhoneNumber.objects.filter(_numbers("e164", digits))
    return (
        Q(pk__in=keys)
        | Q(business_account__in=_keys(accounts))
        | Q(number__in=[*_keys(ids), *_keys(numbers)])
    )


def _begins(column: str, digits: str, before: str = "") -> Q:
    """A range that holds what begins so, in any collation: ids and numbers are digits."""
    if len(digits) < SHORTEST_PREFIX:
        return Q(**{column: before + digits})
    last = before + digits.ljust(40, "9")
    return Q(**{f"{column}__gte": before + digits, f"{column}__lte": last}) & ~Q(**{column: ""})


def _numbers(column: str, digits: str) -> Q:
    """Written with its country code, or as people at home write it: without, or with a 0."""
    national = digits.lstrip("0")
    if not 6 <= len(national) <= 13:
        return _begins(column, national, "+")
    at_home = [f"+{code}{national}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
    home = Q(**{f"{column}__in": at_home}) & ~Q(**{column: ""})  # as the partial index says
    return _begins(column, national, "+") | home


def _by_words(term: str) -> Q:
    """Tenants (name, slug, external id), accounts and display names that have all these words.

    A word may be cut off at its end.
    """
    words = sorted(set(re.split(r"[\W_]+", term.lower())) - {""}, key=len, reverse=True)
    if not words:
        return Q(pk__in=[])
    return (
        Q(tenant__in=_owners("tenant", words, account=None, number=None))
        | Q(business_account__in=_owners("account", words))
        | Q(number__in=_owners("number", words))
    )


def _owners(owner: str, words: list[str], **only: None) -> list[int]:
    """The keys of tenants, accounts or numbers whose name has all the words."""
    found = SearchWord.objects.filter(**_of(words[0]), **_null(only)).exclude(**{owner: None})
    for word in words[1:]:
        same = SearchWord.objects.filter(**_of(word), **_null(only), **{owner: OuterRef(owner)})
        found = found.filter(Exists(same))
    return list(found.values_list(f"{owner}_id", flat=True).distinct()[:MOST])


def _of(word: str) -> dict[str, str]:
    """The range of what begins with the word, in "C"."""
    return {"word__gte": word, "word__lt": word[:-1] + chr(ord(word[-1]) + 1)}


def _null(only: dict[str, None]) -> dict[str, bool]:
    return {f"{name}__isnull": True for name in only}
