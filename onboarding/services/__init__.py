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
from onboarding.services.dialog import close_dialog, open_dialog
from onboarding.services.errors import RefusedError
from onboarding.services.links import create_link, mail_link, open_link, revoke_link, under_way
from onboarding.services.notify import notify
from onboarding.services.outbound import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    end_old_secret,
    resend,
    rotate_secret,
    send_test,
)
from onboarding.services.recovery import look_for_account, reconnect, restart
from onboarding.services.registration import budget_of, may_register, retry_registration
from onboarding.services.signup import record_signup_result, relaunch, start
from onboarding.services.staff import assign, may_send_link, note, send_new_link
from onboarding.services.standing import reread_account, reread_number
from onboarding.services.transfers import accept, open_case, refuse
from onboarding.services.webhooks import replay_event
from onboarding.services.ycloud_accounts import NotPossibleError
from onboarding.services.ycloud_accounts import assign as assign_ycloud_account
from onboarding.services.ycloud_accounts import end as end_ycloud_account
from onboarding.services.ycloud_accounts import make_default as make_default_ycloud_account
from onboarding.services.ycloud_accounts import take_up as take_up_ycloud_account

__all__ = [
    "NotPossibleError",
    "RefusedError",
    "accept",
    "approve",
    "assign",
    "assign_ycloud_account",
    "budget_of",
    "change_endpoint",
    "choose_account",
    "choose_number",
    "close_dialog",
    "create_endpoint",
    "create_link",
    "delete_endpoint",
    "disable_endpoint",
    "enable_endpoint",
    "end_old_secret",
    "end_ycloud_account",
    "look_for_account",
    "mail_link",
    "make_default_ycloud_account",
    "may_register",
    "may_send_link",
    "note",
    "notify",
    "open_case",
    "open_dialog",
    "open_link",
    "reconnect",
    "record_signup_result",
    "refuse",
    "reject",
    "relaunch",
    "replay_event",
    "reread",
    "reread_account",
    "reread_number",
    "resend",
    "restart",
    "resume",
    "retry_registration",
    "revoke_link",
    "rotate_secret",
    "send_new_link",
    "send_test",
    "start",
    "take_up_ycloud_account",
    "under_way",
    "withdraw",
]
