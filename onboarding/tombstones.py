"""Ids that were erased, as keyed hashes: what comes later about them is known as not ours.

The key is random and kept encrypted; without it the hashes of ids of some 15 digits could be
tried out one by one. Who proves an erased WABA later may have it: then its tombstone goes.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable

from onboarding.models import Tombstone, TombstoneKey
from tenants.prepared import Prepared

logger = logging.getLogger(__name__)


def bury(ids: Iterable[str]) -> int:
    """Keep the hashes of these ids; how many. Call it in the transaction that erases them."""
    wanted = sorted({each for each in ids if each})
    if not wanted:
        return 0
    key = _key() or _new_key()
    Tombstone.objects.bulk_create(
        [Tombstone(digest=_digest(key, each)) for each in wanted], ignore_conflicts=True
    )
    return len(wanted)


def covers(*ids: str) -> bool:
    """Whether any of these ids was erased, and nobody has proven it since."""
    key = _key()
    digests = [_digest(key, each) for each in ids if each] if key else []
    return bool(digests) and Tombstone.objects.filter(digest__in=digests).exists()


def lift(*ids: str) -> None:
    """These ids belong to somebody again."""
    if key := _key():
        Tombstone.objects.filter(digest__in=[_digest(key, each) for each in ids if each]).delete()


def can_be_read() -> bool:
    """Whether the key opens, where there is one."""
    return not TombstoneKey.objects.exists() or bool(_key())


def _digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _key() -> str:
    """The key, or "" while nothing was ever erased."""
    row = _KEYS.first()
    if row is not None and not row.key:
        # An encryption key was taken out too early; a second key would make the first's rows mute.
        logger.error(
            "no key of FIELD_ENCRYPTION_KEYS opens the tombstone key: put the old one back"
        )
        return ""
    return row.key if row is not None else ""


_KEYS: Prepared[TombstoneKey] = Prepared(lambda: TombstoneKey.objects.order_by("pk")[:1])


def _new_key() -> str:
    if TombstoneKey.objects.exists():
        raise RuntimeError("The tombstone key cannot be opened with FIELD_ENCRYPTION_KEYS.")
    return TombstoneKey.objects.create(key=secrets.token_urlsafe(32)).key
