"""Sessions in the database, encrypted: a login under way keeps codes and secrets in them."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from tenants.cipher import seal, unseal


class SessionStore(DatabaseStore):
    """As Django's own, sealed with FIELD_ENCRYPTION_KEYS. What no key opens is an empty session."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return seal(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        opened = unseal(str(session_data))
        return super().decode(opened) if opened else {}
