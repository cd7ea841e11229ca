"""The gate of the number: which one is meant, and whether it can be connected."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import CHECK_AGAIN, CUSTOMER, NOBODY, Reason

ALL: tuple[Reason, ...] = (
    Reason(
        "number_missing",
        _("Your WhatsApp account has no number to connect yet"),
        _("Meta's window finished without adding a phone number."),
        (
            _(
                "Press “Add a number in Meta's window”, choose the same account, and enter the "
                "number."
            ),
            _("Or add it in WhatsApp Manager: it is found here by itself."),
        ),
        CUSTOMER,
    ),
    Reason(
        "number_choice",
        _("Choose the number to connect"),
        _("Your WhatsApp account has more than one number."),
        (_("Choose one and press “Connect this one”. You can connect the others afterwards."),),
        CUSTOMER,
    ),
    Reason(
        "number_not_listed",
        _("The number is not in your WhatsApp account yet"),
        _("Meta's window named a number that our provider does not list yet."),
        (
            _("Wait a little: new numbers can take some minutes to appear. We keep looking."),
            _(
                "If it does not appear, press “Stop this attempt”, start again, and choose the "
                "account that holds the number."
            ),
        ),
        NOBODY,
        "wait",
    ),
    Reason(
        "number_not_verified",
        _("The number is not verified yet"),
        _("Meta sends a code by text message or call; it was not entered, or it expired."),
        (
            _(
                "Press “Open Meta's window again”, choose the same account and number, and enter "
                "the code that Meta sends."
            ),
            _("Or enter the code in WhatsApp Manager, then press “Check again”."),
        ),
        CUSTOMER,
    ),
    Reason(
        "number_unexpected",
        _("This is not the number that was agreed"),
        _("This sign-up is for one certain number, and another one was chosen in Meta's window."),
        (
            _(
                "Press “Start again with the right number”, and choose the agreed number in "
                "Meta's window."
            ),
            _("If another number is meant, ask your partner."),
        ),
        CUSTOMER,
    ),
    Reason(
        "number_banned",
        _("Meta has banned this number"),
        _("A banned number cannot send messages."),
        (
            _("Open WhatsApp Manager and ask Meta for a review."),
            _("When Meta has lifted the ban, press “Check again”. Or connect another number."),
        ),
        CUSTOMER,
    ),
    Reason(
        "number_migrated",
        _("This number has moved to another WhatsApp account"),
        _("Meta says that the number was migrated away."),
        (_("Press “Start again” and choose the account that holds the number now."),),
        CUSTOMER,
    ),
    Reason(
        "number_disconnected",
        _("Meta says that this number is disconnected"),
        _("The number is not reachable on WhatsApp through this account."),
        (
            _("Check in WhatsApp Manager, or in the WhatsApp Business app, that it is there."),
            CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
)
