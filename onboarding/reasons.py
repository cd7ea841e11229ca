"""The catalogue: why an onboarding stands where it stands, in words for people.

Each reason says what happened, why, what to do now and who must do it. Some are for staff only:
a customer reads the `public` one instead, so that nobody learns what another tenant owns.
Imports nothing of ours.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

CUSTOMER = "customer"
PARTNER = "partner"
YCLOUD = "ycloud"
META = "meta"
NOBODY = "nobody"

WHO_LABELS: dict[str, Text] = {
    CUSTOMER: _("You"),
    PARTNER: _("Your partner"),
    YCLOUD: _("YCloud, the messaging provider"),
    META: _("Meta"),
    NOBODY: _("This goes on by itself"),
}
STAFF_WHO_LABELS: dict[str, Text] = {
    **WHO_LABELS,
    CUSTOMER: _("the customer"),
    PARTNER: _("us, the partner"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry. `tone`: `wait` goes on by itself, `act` needs a person, `stop` has ended."""

    code: str
    what: Text
    why: Text
    remedy: tuple[Text, ...]
    who: str
    tone: str = "act"
    public: str = ""


_START_AGAIN = _("Start again when you are ready; nothing was lost.")
_CLOSE_PAGE = _("You can close this page and come back to it later.")
_CHECK_AGAIN = _("Then press “Check again”.")

_ALL = (
    # --- Meta's window -------------------------------------------------------------------------
    Reason(
        "withdrawn",
        _("This attempt was withdrawn"),
        _("Somebody of your company, or your partner, ended it."),
        (_START_AGAIN,),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "superseded",
        _("Another attempt for the same number is already under way"),
        _("Two attempts for one number would get in each other's way, so only the first goes on."),
        (_("Open the other attempt in the list on this page."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "meta_cancelled",
        _("Meta's window was closed before the end"),
        _("Meta told us that the steps in its window were not finished."),
        (_START_AGAIN,),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "meta_error",
        _("Meta's window showed an error"),
        _("Meta stopped the steps in its window and reported a problem."),
        (
            _("Note the error code below and what Meta's window said."),
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
            _("If you had finished the steps, wait a moment: the confirmation may still arrive."),
            _("Otherwise start again and keep this page open beside Meta's window."),
        ),
        CUSTOMER,
        "stop",
    ),
    # --- Gate 1: grant -------------------------------------------------------------------------
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
            _("Start again and go through all the steps of Meta's window."),
            _("If it happens again, send the reference to your partner."),
        ),
        CUSTOMER,
    ),
    Reason(
        "unproven",
        _("Your partner is checking this connection"),
        _("Meta did not confirm to us that you may connect this account, so a person looks at it."),
        (_("You need not do anything. Your partner decides and this page shows it."), _CLOSE_PAGE),
        PARTNER,
    ),
    Reason(
        "account_choice",
        _("Choose the WhatsApp account to connect"),
        _("You shared more than one WhatsApp account in Meta's window."),
        (_("Choose one below. You can connect the others afterwards."),),
        CUSTOMER,
    ),
    # --- Gate 2: owner -------------------------------------------------------------------------
    Reason(
        "account_unconfirmed",
        _("We could not confirm that this WhatsApp account is yours to connect"),
        _("The account was not shared in Meta's window, or cannot be read through our provider."),
        (
            _("Start again with a Facebook login that manages your business."),
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
        (_("Talk to both companies before you move anything."),),
        PARTNER,
        public="account_unconfirmed",
    ),
    # --- Gate 3: account health, and payment ---------------------------------------------------
    Reason(
        "account_in_review",
        _("Meta is reviewing your WhatsApp account"),
        _("New accounts are checked by Meta. This usually takes minutes, sometimes a day or two."),
        (_CLOSE_PAGE,),
        META,
        "wait",
    ),
    Reason(
        "account_rejected",
        _("Meta rejected your WhatsApp account"),
        _("Meta's review found something that it does not allow."),
        (
            _("Open WhatsApp Manager, read Meta's reason, and appeal there."),
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "account_banned",
        _("Meta has disabled your WhatsApp account"),
        _("Meta bans accounts that break its policies."),
        (
            _("Open WhatsApp Manager, read Meta's reason, and ask for a review there."),
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "account_restricted",
        _("Meta does not let your WhatsApp account add numbers now"),
        _("Meta has put a restriction on the account, for a time or until you appeal."),
        (_("Open WhatsApp Manager and look under Account quality."), _CHECK_AGAIN),
        CUSTOMER,
    ),
    Reason(
        "payment_missing",
        _("The payment method is not attached yet"),
        _(
            "YCloud, the provider, pays Meta for your messages and has not attached its payment "
            "method to your account. That often happens when an existing account is paid by a card "
            "or by another provider."
        ),
        (
            _("You need not do anything: your partner and YCloud sort this out."),
            _CLOSE_PAGE,
        ),
        YCLOUD,
    ),
    # --- Gate 4: number ------------------------------------------------------------------------
    Reason(
        "number_missing",
        _("Your WhatsApp account has no number to connect yet"),
        _("Meta's window finished without adding a phone number."),
        (
            _("Add a number: start again, choose the same account, and enter the number."),
            _("Or add it in WhatsApp Manager. It is found here by itself."),
        ),
        CUSTOMER,
    ),
    Reason(
        "number_choice",
        _("Choose the number to connect"),
        _("Your WhatsApp account has more than one number."),
        (_("Choose one below. You can connect the others afterwards."),),
        CUSTOMER,
    ),
    Reason(
        "number_not_listed",
        _("The number is not in your WhatsApp account yet"),
        _("Meta's window named a number that our provider does not list yet."),
        (
            _("Wait a little: new numbers can take some minutes to appear. We keep looking."),
            _("If it does not appear, start again and choose the account that holds the number."),
        ),
        NOBODY,
        "wait",
    ),
    Reason(
        "number_not_verified",
        _("The number is not verified yet"),
        _("Meta sends a code by text message or call; it was not entered, or it expired."),
        (
            _("Open WhatsApp Manager, choose the number, and enter the code that Meta sends."),
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "number_unexpected",
        _("This is not the number that was agreed"),
        _("This sign-up is for one certain number, and another one was chosen in Meta's window."),
        (_("Start again with the agreed number, or ask your partner for a new link."),),
        CUSTOMER,
    ),
    Reason(
        "number_banned",
        _("Meta has banned this number"),
        _("A banned number cannot send messages."),
        (
            _("Open WhatsApp Manager and ask Meta for a review, or connect another number."),
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "number_migrated",
        _("This number has moved to another WhatsApp account"),
        _("Meta says that the number was migrated away."),
        (_("Start again with the account that holds the number now."),),
        CUSTOMER,
    ),
    Reason(
        "number_disconnected",
        _("Meta says that this number is disconnected"),
        _("The number is not reachable on WhatsApp through this account."),
        (
            _("Check in WhatsApp Manager, or in the WhatsApp Business app, that it is there."),
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    # --- Gate 5: approval ----------------------------------------------------------------------
    Reason(
        "approval_needed",
        _("Your partner is looking at this connection"),
        _("Your partner approves new connections before the number is registered."),
        (_("You need not do anything. This page shows the decision."), _CLOSE_PAGE),
        PARTNER,
    ),
    # --- Gate 6: act ---------------------------------------------------------------------------
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
            _CHECK_AGAIN,
        ),
        CUSTOMER,
    ),
    Reason(
        "display_name_review",
        _("Meta is checking the display name of your number"),
        _("The number can be registered only after Meta has processed its name."),
        (
            _("You need not do anything. It usually takes up to two days; we go on by ourselves."),
            _CLOSE_PAGE,
        ),
        META,
        "wait",
    ),
    Reason(
        "register_budget",
        _("The number was tried too often"),
        _(
            "Meta allows ten registrations of a number in 72 hours and then blocks it. "
            "We stop before that and go on by ourselves."
        ),
        (_("You need not do anything. The time of the next try is shown below."), _CLOSE_PAGE),
        NOBODY,
        "wait",
    ),
    Reason(
        "register_later",
        _("Meta asks us to try again later"),
        _("The number was changed a moment ago, or Meta is busy."),
        (_CLOSE_PAGE,),
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
    # --- Gate 7: watch -------------------------------------------------------------------------
    Reason(
        "takes_longer",
        _("This number takes longer than usual"),
        _("Meta has accepted the number and has not switched it on yet. That can take days."),
        (_("You need not do anything. We keep looking."), _CLOSE_PAGE),
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
    # --- YCloud itself -------------------------------------------------------------------------
    Reason(
        "ycloud_unavailable",
        _("Our provider does not answer at the moment"),
        _("YCloud could not be reached or had a fault. Nothing is lost."),
        (_("You need not do anything. We try again by ourselves."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "ycloud_rate_limited",
        _("Our provider asks us to wait"),
        _("Many numbers are being connected at the moment."),
        (_("You need not do anything. We go on by ourselves."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "ycloud_access_refused",
        _("YCloud refuses our API key"),
        _("The key is wrong or revoked, lacks a permission, or the account is limited."),
        (_("Check YCLOUD_API_KEY and the state of the YCloud account. Work goes on by itself."),),
        PARTNER,
        "wait",
        public="ycloud_unavailable",
    ),
    Reason(
        "internal_fault",
        _("Something went wrong on our side"),
        _("The step failed in a way that we did not foresee. Nothing is lost."),
        (_("Your partner can see it. Send them the reference if you are in a hurry."),),
        PARTNER,
    ),
    Reason(
        "rejected",
        _("Your partner declined this connection"),
        _("A person looked at it and said no."),
        (_("Talk to your partner."),),
        PARTNER,
        "stop",
    ),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}


def public(code: str) -> str:
    """The code that a customer may see in place of `code` (empty stays empty)."""
    return (REASONS[code].public or code) if code else ""


_META_REGISTER = {
    # developers.facebook.com, WhatsApp error codes, read Nov 2026; 2388001 from chatwoot #12533.
    "133000": "register_later",  # incomplete deregistration
    "133004": "register_later",  # server temporarily unavailable
    "133005": "pin_mismatch",
    "133006": "number_not_verified",
    "133008": "register_later",  # too many PIN guesses
    "133009": "register_later",  # PIN entered too fast
    "133015": "register_later",  # deleted a moment ago: wait 5 minutes
    "133016": "register_budget",
    "2388001": "display_name_review",
}


def for_register_refusal(meta_code: str, meta_subcode: str) -> str:
    """The reason for a register call that Meta refused (codes as strings, "" when absent)."""
    return _META_REGISTER.get(meta_subcode) or _META_REGISTER.get(meta_code) or "register_refused"
