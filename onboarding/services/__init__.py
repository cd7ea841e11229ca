"""What people can ask for. The page, the API and the admin call exactly one of these each."""

from onboarding.services.decisions import (
    approve,
    choose_account,
    choose_number,
    reject,
    reread,
    resume,
    withdraw,
)
from onboarding.services.errors import RefusedError
from onboarding.services.links import create_link, open_link, revoke_link
from onboarding.services.recovery import look_for_account, reconnect
from onboarding.services.signup import record_signup_result, relaunch, start
from onboarding.services.transfers import accept, open_case, refuse
from onboarding.services.webhooks import replay_event

__all__ = [
    "RefusedError",
    "accept",
    "approve",
    "choose_account",
    "choose_number",
    "create_link",
    "look_for_account",
    "open_case",
    "open_link",
    "reconnect",
    "record_signup_result",
    "refuse",
    "reject",
    "relaunch",
    "replay_event",
    "reread",
    "resume",
    "revoke_link",
    "start",
    "withdraw",
]
