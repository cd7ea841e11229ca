"""Meta's full-page dialog: the same signup in this tab, where its window or script cannot work.

The way back is bound to one attempt by `state`, a secret of one use: the row keeps its hash, the
browser that left has it in a cookie (`views_dialog.py`). The dialog gives a code and never ids; the
grant tells the account.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from onboarding.models import Onboarding
from onboarding.services.signup import record_signup_result, relaunch
from onboarding.states import State
from tenants.access import Asker
from tenants.tokens import new_token, token_hash

LIFE = timedelta(minutes=30)
PREFIX = "dlg_"
"""By which `tenants/redaction.py` knows a state."""


def open_dialog(row: Onboarding, asker: Asker) -> tuple[Onboarding, str]:
    """The asker leaves for Meta's page: the row, and the state to be given along.

    A later one replaces it. Raises RefusedError where Meta's window was finished already.
    """
    with transaction.atomic():
        if row.state != State.STARTED:
            row = relaunch(row, asker)
        row = record_signup_result(row, asker, {"event": "LAUNCHED"})
        state = f"{PREFIX}{new_token()}"
        rows = Onboarding.objects.filter(pk=row.pk)
        rows.update(dialog_hash=token_hash(state), dialog_at=timezone.now())
    return row, state


def close_dialog(asker: Asker, state: str, result: dict[str, str]) -> Onboarding | None:
    """Keep what Meta's page gave; None where this state is not theirs, too old or used.

    The row count of the one UPDATE decides between two that come at once.
    """
    rows = Onboarding.objects.visible_to(asker).filter(
        dialog_hash=token_hash(state), dialog_at__gt=timezone.now() - LIFE
    )
    with transaction.atomic():
        row = rows.first()
        if row is None or not rows.filter(pk=row.pk).update(dialog_hash="", dialog_at=None):
            return None
        return record_signup_result(row, asker, result, by_dialog=True)
