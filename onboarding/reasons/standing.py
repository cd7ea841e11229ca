"""Conditions of a WABA and of a number, told by their facts (`requirements/conditions.py`).

What an onboarding stops at as well keeps the code that it has there (`gates`, `acts`), and what
became of a connected number is in `health`: one condition has one code.
"""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import CUSTOMER, META, NOBODY, PARTNER, Reason

WRONG, DUE, PENDING, NOTICE = "wrong", "due", "pending", "notice"
STANDINGS = (WRONG, DUE, PENDING, NOTICE)
"""It has stopped; somebody must act; others are at it; good to know. The worst one first."""

LABELS = {
    WRONG: _("stopped"),
    DUE: _("to do"),
    PENDING: _("under way"),
    NOTICE: _("good to know"),
}

_MANAGER = _("Open WhatsApp Manager and look under Account quality.")
_NOTHING_TO_DO = _("You need not do anything here.")
_SECURITY = _("Open Meta's Business Settings, Security Center, and follow the verification.")
_NEW_NAME = _("Open WhatsApp Manager, choose the number, and ask for another display name.")
_GOOD_MESSAGES = _(
    "Write only to people who agreed to hear from you, and make it easy for them to say no."
)
_WORD = _("YCloud's word for it:")

ALL: tuple[Reason, ...] = (
    # --- A WABA -----------------------------------------------------------------------------------
    Reason(
        "account_restricted_starting",
        _("Meta does not let your WhatsApp account start conversations now"),
        _("You can still answer people who write to you. Meta restricts accounts for a time."),
        (_MANAGER, _("If you think that it is a mistake, ask Meta for a review there.")),
        CUSTOMER,
    ),
    Reason(
        "account_restricted_answering",
        _("Meta does not let your WhatsApp account answer people now"),
        _("Messages that people send you cannot be answered. Meta restricts accounts for a time."),
        (_MANAGER, _("If you think that it is a mistake, ask Meta for a review there.")),
        CUSTOMER,
    ),
    Reason(
        "account_restriction_new",
        _("Meta has put a restriction on the account that we do not know"),
        _WORD,
        (_("Look in WhatsApp Manager what it means, and tell them."),),
        PARTNER,
    ),
    Reason(
        "account_disable_scheduled",
        _("Meta is going to disable your WhatsApp account"),
        _("It found something that breaks its policies and has set a date."),
        (_("Open WhatsApp Manager, read Meta's reason, and ask for a review before that date."),),
        CUSTOMER,
    ),
    Reason("account_ban_new", _("The account's ban has a new word"), _WORD, (), NOBODY, "wait"),
    Reason(
        "account_review_new", _("The account's review has a new word"), _WORD, (), NOBODY, "wait"
    ),
    Reason(
        "business_not_verified",
        _("Meta has not verified your business"),
        _("Everything works. A verified business may have more numbers and higher limits."),
        (_SECURITY,),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "business_verification_pending",
        _("Meta is verifying your business"),
        _("Everything works meanwhile. Limits can rise when it is done."),
        (_NOTHING_TO_DO,),
        META,
        "wait",
    ),
    Reason(
        "business_verification_more",
        _("Meta needs more papers to verify your business"),
        _("The verification waits for them. Everything else works meanwhile."),
        (_SECURITY,),
        CUSTOMER,
    ),
    Reason(
        "business_verification_failed",
        _("Meta could not verify your business"),
        _("Everything works, with the limits of a business that is not verified."),
        (_("Open Meta's Business Settings, Security Center, and read Meta's reason."),),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "business_verification_new",
        _("The business verification has a new word"),
        _WORD,
        (),
        NOBODY,
        "wait",
    ),
    # --- A number's name, quality and status ------------------------------------------------------
    Reason(
        "name_review",
        _("Meta is checking the display name of your number"),
        _("It usually takes up to two days. People see the name when it is approved."),
        (_NOTHING_TO_DO,),
        META,
        "wait",
    ),
    Reason(
        "name_declined",
        _("Meta did not accept the display name of your number"),
        _("People may see the number instead of your name, and Meta limits what you can send."),
        (_("Read Meta's rules for display names."), _NEW_NAME),
        CUSTOMER,
    ),
    Reason(
        "name_expired",
        _("The approval of your number's display name has expired"),
        _("The name was approved and was not used in time."),
        (_NEW_NAME,),
        CUSTOMER,
    ),
    Reason(
        "name_missing",
        _("Meta has no approved display name for your number"),
        _("People see the number until there is one."),
        (_NEW_NAME,),
        CUSTOMER,
        "wait",
    ),
    Reason("name_new", _("The display name has a new word"), _WORD, (), NOBODY, "wait"),
    Reason(
        "new_name_review",
        _("Meta is checking the new display name of your number"),
        _("The name that you have stays until then."),
        (_NOTHING_TO_DO,),
        META,
        "wait",
    ),
    Reason(
        "new_name_declined",
        _("Meta did not accept the new display name of your number"),
        _("The name that you have stays."),
        (_("Read Meta's rules for display names."), _NEW_NAME),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "quality_medium",
        _("The quality of your messages is medium"),
        _("Some people blocked or reported them. If it falls further, Meta may limit the number."),
        (_GOOD_MESSAGES,),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "quality_low",
        _("The quality of your messages is low"),
        _("Many people blocked or reported them. Meta may lower your limit."),
        (_GOOD_MESSAGES, _("Open WhatsApp Manager and see which messages people reported.")),
        CUSTOMER,
    ),
    Reason("quality_new", _("The quality has a new word"), _WORD, (), NOBODY, "wait"),
    Reason(
        "number_flagged",
        _("Meta has flagged your number"),
        _(
            "The quality of its messages is low. If it does not rise within seven days, Meta "
            "lowers the number's limit."
        ),
        (_GOOD_MESSAGES, _("Send fewer messages for some days.")),
        CUSTOMER,
    ),
    Reason(
        "number_warned",
        _("Meta has warned your number"),
        _("Perhaps people reported its messages as spam."),
        (_("Open WhatsApp Manager and read the warning."), _GOOD_MESSAGES),
        CUSTOMER,
    ),
    Reason(
        "number_rate_limited",
        _("Meta may hold back some of your messages"),
        _("The number of messages that you can send is limited for a time."),
        (_("Send more slowly. Meta lifts this by itself."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "number_restricted",
        _("Your number has reached its limit for 24 hours"),
        _("It cannot start conversations until Meta counts anew."),
        (_("Wait until the limit is counted anew."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "number_blocked",
        _("Your number has reached its message limit"),
        _("It cannot start conversations until Meta counts anew."),
        (_("Wait until the limit is counted anew."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "number_in_review",
        _("Meta is reviewing your number"),
        _("It checks whether the number may be connected to your account."),
        (_NOTHING_TO_DO,),
        META,
        "wait",
    ),
    Reason(
        "number_status_new",
        _("The number's status does not say how it stands"),
        _WORD,
        (),
        NOBODY,
        "wait",
    ),
    # --- The WhatsApp Business app ----------------------------------------------------------------
    Reason(
        "app_keep_open",
        _("Keep the WhatsApp Business app on your phone"),
        _("Meta ends the connection when the app is not opened for about two weeks."),
        (_("Open the app at least once a week."),),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "app_features",
        _("Some things work differently in the WhatsApp Business app"),
        _(
            "While the number is connected: no groups here, broadcast lists can only be read, and "
            "disappearing messages, view once and live location are off."
        ),
        (_("Link your computers and other devices again, if they were linked before."),),
        CUSTOMER,
        "wait",
    ),
)

_BY_CODE = {
    **dict.fromkeys(
        (
            "account_rejected", "account_banned", "account_restricted",
            "account_restricted_starting", "account_restricted_answering",
            "number_banned", "number_migrated", "number_disconnected",
        ),
        WRONG,
    ),
    **dict.fromkeys(
        (
            "business_not_verified", "business_verification_failed", "name_missing",
            "new_name_declined", "quality_medium", "app_keep_open", "app_features",
        ),
        NOTICE,
    ),
}  # fmt: skip
STAFF_ONLY = frozenset(
    {
        "account_restriction_new", "account_ban_new", "account_review_new",
        "business_verification_new", "name_new", "quality_new", "number_status_new",
    }
)  # fmt: skip
"""Words of YCloud's that are new to us: a neutral notice, and nothing for a customer."""

_BY_TONE = {"act": DUE, "wait": PENDING, "stop": WRONG}


def of(reason: Reason, lost: frozenset[str] = frozenset()) -> str:
    """How bad it is; `lost`: the codes of numbers that do not work any more."""
    if reason.code in STAFF_ONLY:
        return NOTICE
    if reason.code in lost:
        return WRONG
    return _BY_CODE.get(reason.code) or _BY_TONE[reason.tone]
