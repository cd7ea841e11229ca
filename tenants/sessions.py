"""Sessions in the database, encrypted: a login under way keeps codes and secrets in them."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from tenants import rotation
from tenants.cipher import seal, unseal
from tenants.prepared import Prepared

_ALIVE: Prepared[Session] = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now)
)


class SessionStore(DatabaseStore):
    """As Django's own, sealed with FIELD_ENCRYPTION_KEYS. What no key opens is an empty session."""

    def _get_session_from_db(self) -> Session | None:
        found = _ALIVE.first(str(self.session_key), timezone.now())
        if found is None:
            self._session_key = None
        return found

    def encode(self, session_dict: dict[str, Any]) -> str:
        return seal(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        opened = unseal(str(session_data))
        return super().decode(opened) if opened else {}


def rotate(count: rotation.Count) -> None:
    """The part of `rotate_keys`. A session that no key opens is an empty one already."""
    live = Session.objects.filter(expire_date__gt=timezone.now())
    for key, data in live.values_list("session_key", "session_data").iterator():
        if sealed := rotation.fresh(data, "", count):
            same = Session.objects.filter(session_key=key, session_data=data)
            count.rotated += same.update(session_data=sealed)


rotation.register("sessions.Session.session_data", rotate)
