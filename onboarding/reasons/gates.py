"""Meta's window and the gates before the act: grant, owner, health, payment, approval."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import (
    CHECK_AGAIN,
    CUSTOMER,
    META,
    NOBODY,
    PARTNER,
    START_AGAIN,
    YCLOUD,
    Reason,
)

ALL: tuple[Reason, ...] = (
    # --- Meta's window ----------------------------------------------------------------------------
    Reason(
        "withdrawn",
        _("This attempt was withdrawn"),
        _("You, somebody of your company, or your partner ended it."),
        (START_AGAIN,),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "superseded",
        _("Another attempt for the same number is already under way"),
        _("Two attempts for one number would get in each other's way, so only the first goes on."),
        (_("Go on with the other attempt."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "meta_cancelled",
        _("Meta's window was closed before the end"),
        _("Meta told us that the steps in its window were not finished."),
        (START_AGAIN,),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "meta_error",
        _("Meta's window showed an error"),
        _("Meta stopped the steps in its window and reported a problem."),
        (
            _("Note what Meta's window said, with its error number if there was one."),
            _("Start again. If the same error comes back, send the reference to your partner."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "no_confirmation",
        _("We did not get a confirmation from Meta's window"),
        _(
            "The window closed and nothing came back. It may have been blocked, closed early, or "
            "have lost the connection to this page."
        ),
        (
            _("If you had finished the steps, press “Look for my account”."),
            _("Otherwise press “Start again”, and keep this page open beside Meta's window."),
        ),
        CUSTOMER,
        "stop",
    ),
    # --- Gate 1: grant ----------------------------------------------------------------------------
    Reason(
        "waiting_for_confirmation",
        _("Checking with Meta what you shared"),
        _("Meta's window answers in two parts; the second one is on its way."),
        (),
        NOBODY,
        "wait",
    ),
    Reason(
        "ids_missing",
        _("We do not know which account you connected"),
        _("Meta's window finished without telling us the WhatsApp account."),
        (
            _("Press “Start again” and go through all the steps of Meta's window."),
            _("If it happens again, send the reference to your partner."),
        ),
        CUSTOMER,
    ),
    Reason(
        "account_not_found",
        _("We looked and found no account that we can prove to be yours"),
        _(
            "Meta's confirmation did not reach us, or it names no account that can be connected "
            "for you. Without it we cannot tell which account is yours."
        ),
        (
            _(
                "Press “Start again” and choose the same account in Meta's window: nothing is "
                "created twice."
            ),
            _("Keep this page open beside Meta's window until it says that it is done."),
        ),
        CUSTOMER,
    ),
    Reason(
        "unproven",
        _("Your partner is checking this connection"),
        _(
            "Meta's confirmation that you may connect this account did not reach us, so a person "
            "looks at it."
        ),
        (_("You need not do anything. Your partner decides and this page shows it."),),
        PARTNER,
    ),
    Reason(
        "account_choice",
        _("Choose the WhatsApp account to connect"),
        _("You shared more than one WhatsApp account in Meta's window."),
        (_("Choose one and press “Connect this one”. You can connect the others afterwards."),),
        CUSTOMER,
    ),
    # --- Gate 2: owner ----------------------------------------------------------------------------
    Reason(
        "account_unconfirmed",
        _("We could not confirm that this WhatsApp account is yours to connect"),
        _("The account was not shared in Meta's window, or our provider cannot see it."),
        (
            _("Press “Start again” and use a Facebook login that manages your business."),
            _("In Meta's window choose your own account, or create a new one."),
            _("If it happens again, send the reference to your partner."),
        ),
        CUSTOMER,
    ),
    Reason(
        "account_not_visible",
        _("YCloud does not show this WABA"),
        _("Retrieving it fails, also after a bind. It may not have been shared with the solution."),
        (
            _("Check the solution id and that the partner solution is ACTIVE at Meta."),
            _("Ask YCloud support with the request id in the timeline."),
        ),
        PARTNER,
        public="account_unconfirmed",
    ),
    Reason(
        "account_not_granted",
        _("The posted WABA is not among those that Meta granted"),
        _("The token's granular scopes do not name it: a mistake, or somebody else's account."),
        (_("Ask the customer to go through Meta's window again."),),
        CUSTOMER,
        public="account_unconfirmed",
    ),
    Reason(
        "account_held",
        _("Another tenant holds this WABA"),
        _("It was connected here before. It stays there until staff transfer it."),
        (_("Talk to both companies before you decide the transfer case."),),
        PARTNER,
        public="account_unconfirmed",
    ),
    Reason(
        "account_moved",
        _("This WhatsApp account is not connected here for you any more"),
        _("Your partner has taken the account out of your company's connections."),
        (_("If you did not expect this, send the reference to your partner."),),
        PARTNER,
        "stop",
    ),
    # --- Gate 3: account health, and payment ------------------------------------------------------
    Reason(
        "account_in_review",
        _("Meta is reviewing your WhatsApp account"),
        _("New accounts are checked by Meta. This usually takes minutes, sometimes a day or two."),
        (_("You need not do anything: we go on by ourselves."),),
        META,
        "wait",
    ),
    Reason(
        "account_rejected",
        _("Meta rejected your WhatsApp account"),
        _("Meta's review found something that it does not allow."),
        (
            _("Open WhatsApp Manager, read Meta's reason, and appeal there."),
            CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "account_banned",
        _("Meta has disabled your WhatsApp account"),
        _("Meta bans accounts that break its policies."),
        (
            _("Open WhatsApp Manager, read Meta's reason, and ask for a review there."),
            CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "account_restricted",
        _("Meta does not let your WhatsApp account add numbers now"),
        _("Meta has put a restriction on the account, for a time or until you appeal."),
        (_("Open WhatsApp Manager and look under Account quality."), CHECK_AGAIN),
        CUSTOMER,
    ),
    Reason(
        "payment_missing",
        _("The payment method is not attached yet"),
        _(
            "YCloud carries your messages and pays Meta for them, with a payment method that "
            "YCloud itself attaches to your account. It is not there yet. That often happens when "
            "an account is paid by a card or by another provider."
        ),
        (
            _("You need not do anything: your partner and YCloud sort this out."),
            _("If they tell you that it is done, press “Check again”."),
        ),
        YCLOUD,
    ),
    # --- Gate 5: approval -------------------------------------------------------------------------
    Reason(
        "approval_needed",
        _("Your partner is looking at this connection"),
        _("Your partner approves new connections before the number is registered."),
        (_("You need not do anything. This page shows the decision."),),
        PARTNER,
    ),
)
