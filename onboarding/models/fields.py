"""A text column that is encrypted at rest with FIELD_ENCRYPTION_KEYS."""

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def seal(text: str) -> str:
    """Encrypt with the first key."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """Decrypt with any of the keys; "" when none fits (a key was removed too early)."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        return ""


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SealedTextField(_TextField):
    """Plain text in Python, ciphertext in PostgreSQL. It cannot be searched.

    `is_sealed` is how `rotate_keys` finds the column (tenants/rotation.py).
    """

    is_sealed = True

    def get_prep_value(self, value: Any) -> Any:
        return seal(value) if value else ""

    def from_db_value(self, value: str | None, *args: object) -> str:
        return unseal(value) if value else ""
