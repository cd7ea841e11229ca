"""The act and the watch."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import (
    CUSTOMER,
    META,
    NOBODY,
    PARTNER,
    Reason,
)

ALL: tuple[Reason, ...] = (
    # --- Gate 6: act ------------------------------------------------------------------------------
    Reason(
        "bind_refused",
        _("YCloud refused to bind the WABA"),
        _("The answer is in the timeline."),
        (_("Ask YCloud support with the request id, then resume."),),
        PARTNER,
        public="provider_refused",
    ),
    Reason(
        "provider_refused",
        _("Our provider could not take the account over"),
        _("YCloud refused the step that connects your account to it."),
        (_("Your partner can see the details. Send them the reference if you are in a hurry."),),
        PARTNER,
    ),
    Reason(
        "register_refused",
        _("The number could not be registered"),
        _("Meta or YCloud refused the registration."),
        (
            _("Send the reference to your partner: the exact answer is kept with it."),
            _("After the cause is mended press “Check again”."),
        ),
        PARTNER,
    ),
    Reason(
        "pin_mismatch",
        _("The number is protected by a PIN that we do not know"),
        _("Two-step verification was switched on for this number earlier, with a PIN of its own."),
        (
            _("Open WhatsApp Manager, choose the number, and turn off two-step verification."),
            _("Meta sends an e-mail; confirm it."),
            _("Then press “Try again”."),
        ),
        CUSTOMER,
    ),
    Reason(
        "display_name_review",
        _("Meta is checking the display name of your number"),
        _("The number can be registered only after Meta has processed its name."),
        (
            _("You need not do anything: it usually takes one to two days, and we go on then."),
            _("To change the name, open WhatsApp Manager and choose the number."),
        ),
        META,
        "wait",
    ),
    Reason(
        "register_budget",
        _("The number was tried too often"),
        _(
            "Meta allows ten registrations of a number in 72 hours and then blocks it. "
            "We stop before that and wait until the next one is allowed."
        ),
        (_("You need not do anything: the next try begins by itself."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "register_later",
        _("Meta asks us to try again later"),
        _("The number was changed a moment ago, or Meta is busy."),
        (_("You need not do anything: we try again by ourselves."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "answer_lost",
        _("Making sure that the last step arrived"),
        _("The connection broke before the answer came, so we look before anything is repeated."),
        (),
        NOBODY,
        "wait",
    ),
    # --- Gate 7: watch ----------------------------------------------------------------------------
    Reason(
        "takes_longer",
        _("This number takes longer than usual"),
        _("Meta has accepted the number and has not switched it on yet. That can take days."),
        (_("You need not do anything. We keep looking."),),
        META,
        "wait",
    ),
    Reason(
        "number_limited",
        _("Meta limits this number at the moment"),
        _(
            "Too many people blocked or reported its messages, or a sending limit was reached, so "
            "Meta holds it back for a time."
        ),
        (
            _("Open WhatsApp Manager and read what it says about the number."),
            _("You need not do anything here. We keep looking and go on by ourselves."),
        ),
        CUSTOMER,
        "wait",
    ),
    Reason(
        "status_unclear",
        _("Making sure how the number stands"),
        _("Our provider's answer did not say it, so we look once more before anything is done."),
        (),
        NOBODY,
        "wait",
    ),
    Reason(
        "already_there",
        _("Our provider says that this was done before"),
        _("So nothing is repeated: we look at the number and go on from what we see."),
        (_("You need not do anything."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "history_declined",
        _("The chat history is not shared"),
        _("Sharing the history of the WhatsApp Business app was declined in Meta's window."),
        (_("You need not do anything: the number works without it."),),
        NOBODY,
        "wait",
    ),
)
