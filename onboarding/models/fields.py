"""A text column that is encrypted at rest with FIELD_ENCRYPTION_KEYS."""

from typing import TYPE_CHECKING, Any

from django.db import models

from tenants.cipher import seal, unseal

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SealedTextField(_TextField):
    """Plain text in Python, ciphertext in PostgreSQL. It cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        return seal(value) if value else ""

    def from_db_value(self, value: str | None, *args: object) -> str:
        return unseal(value) if value else ""
