"""What staff read of an onboarding that stands still, where a customer's words do not fit them.

The first line of a remedy is the desk's "next move": short, and all that most cases need. `acts`
are the buttons that help, the likeliest first (`admin/onboardings/acts.py`).
"""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import CUSTOMER, META, NOBODY, PARTNER, YCLOUD, ForStaff, Text

_LINK = _("Send a new link.")
_KEEP = _("Nothing to do: we keep looking.")
_ITSELF = _("Nothing to do: it goes on by itself.")
_MANAGER = _("They find it in WhatsApp Manager.")
_RESUME = _("Then resume: we look at once.")
_SUPPORT = _("Ask YCloud support, then resume.")
_REQUEST = _("Give them the request id of the refusal in the timeline.")

GATES: dict[str, ForStaff] = {
    # --- Meta's window ----------------------------------------------------------------------------
    "withdrawn": ForStaff(
        why=_("The customer, a program of theirs, or one of us ended it."),
        remedy=(_("Nothing to do; they may start again."), _LINK),
        acts=("link",),
    ),
    "superseded": ForStaff(
        remedy=(_("Follow the other attempt: search for the number."),),
    ),
    "meta_cancelled": ForStaff(
        remedy=(
            _("Ask them what held them up, or send a new link."),
            _("The timeline names the step of Meta's window at which they left."),
        ),
        acts=("link", "search"),
    ),
    "meta_error": ForStaff(
        remedy=(
            _("Ask what the window said, then send a new link."),
            _("Meta's support needs the error code and the session id: both are in the timeline."),
        ),
        acts=("link", "search"),
    ),
    "no_confirmation": ForStaff(
        why=_("The window closed and nothing came back: blocked, closed early, or cut off."),
        remedy=(
            _("Look for the account; else send a new link."),
            _("Looking finds it only if Meta's grant reached us."),
        ),
        acts=("search", "link"),
    ),
    # --- Gate 1: grant ----------------------------------------------------------------------------
    "waiting_for_confirmation": ForStaff(
        what=_("Checking with Meta what was shared"), remedy=(_ITSELF,)
    ),
    "ids_missing": ForStaff(
        what=_("Meta's window ended without naming a WABA"),
        why=_("It said that it finished; neither its message nor the grant names an account."),
        remedy=(_("Look for the account; else send a new link."),),
        acts=("search", "link"),
    ),
    "account_not_found": ForStaff(
        what=_("No account was found that Meta's grant names"),
        why=_("The grant did not reach us, or names none that can be connected for this tenant."),
        remedy=(
            _("Send a new link: they choose the same account."),
            _("Nothing is created twice in Meta's window."),
        ),
        acts=("link", "search"),
    ),
    "unproven": ForStaff(
        what=_("Meta's grant does not prove this account"),
        why=_("Only the browser named it. Whoever knows a WABA's id could have sent it."),
        remedy=(
            _("Make sure that it is theirs, then approve or reject."),
            _("Ask the customer by a way that you know: which account, which number?"),
        ),
        acts=("approve", "reject"),
    ),
    "account_choice": ForStaff(
        what=_("The customer has to choose a WhatsApp account"),
        why=_("More than one was shared in Meta's window."),
        remedy=(_("Remind them, or send a new link."), _("They choose on their signup page.")),
        acts=("link",),
    ),
    # --- Gate 2: owner ----------------------------------------------------------------------------
    "account_unconfirmed": ForStaff(
        what=_("This WABA is not confirmed as theirs to connect"),
        remedy=(_("Send a new link: they choose their own account."),),
        acts=("link", "search"),
    ),
    "account_not_visible": ForStaff(
        remedy=(
            _("Check the partner solution, then resume."),
            _("META_SOLUTION_ID must be right and the solution ACTIVE at Meta."),
            _("Ask YCloud support with the request id in the timeline."),
        ),
        acts=("resume", "search"),
    ),
    "account_not_granted": ForStaff(
        remedy=(
            _("Look for what Meta did grant, or send a new link."),
            _("If nobody of theirs knows this account, reject it."),
        ),
        acts=("search", "link", "reject"),
    ),
    "account_held": ForStaff(
        remedy=(
            _("Open and decide its transfer case."),
            _("Talk to both companies before: what they say decides, not who asks."),
        ),
        acts=("transfer", "reject"),
    ),
    "account_moved": ForStaff(
        what=_("This account was moved to another tenant"),
        why=_("A transfer case was accepted. What was connected for this tenant has ended."),
        remedy=(_("Nothing to do; tell them if they ask."),),
    ),
    # --- Gate 3: account health, and payment ------------------------------------------------------
    "account_in_review": ForStaff(
        what=_("Meta is reviewing the WhatsApp account"), remedy=(_KEEP,), acts=("resume",)
    ),
    "account_rejected": ForStaff(
        what=_("Meta rejected the WhatsApp account"),
        remedy=(_("Ask them to appeal to Meta."), _MANAGER, _RESUME),
        acts=("resume", "reject"),
    ),
    "account_banned": ForStaff(
        what=_("Meta has disabled the WhatsApp account"),
        remedy=(
            _("Ask them to appeal to Meta, or reject it."),
            _MANAGER,
            _("When Meta has lifted the ban, resume."),
        ),
        acts=("resume", "reject"),
    ),
    "account_restricted": ForStaff(
        what=_("Meta does not let the account add numbers now"),
        why=_("Meta has put a restriction on the account, for a time or until an appeal."),
        remedy=(_("Tell them to look under Account quality."), _MANAGER, _RESUME),
        acts=("resume",),
    ),
    "payment_missing": ForStaff(
        why=_(
            "YCloud pays Meta for the messages and has not attached its payment method. That is "
            "usual where an account is paid by a card or by another provider."
        ),
        remedy=(
            _("Ask YCloud to attach the payment method."),
            _("Give YCloud's support the WABA id above."),
            _RESUME,
        ),
        acts=("resume",),
    ),
    # --- Gate 4: number ---------------------------------------------------------------------------
    "number_missing": ForStaff(
        what=_("The WhatsApp account has no number yet"),
        remedy=(
            _("Remind them, or send a new link."),
            _("They add it in Meta's window or in WhatsApp Manager; we find it by ourselves."),
        ),
        acts=("link", "resume"),
    ),
    "number_choice": ForStaff(
        what=_("The customer has to choose a number"),
        why=_("The account has more than one, and Meta's window named none."),
        remedy=(_("Remind them, or send a new link."), _("They choose on their signup page.")),
        acts=("link", "resume"),
    ),
    "number_not_listed": ForStaff(
        what=_("The number is not in the WhatsApp account yet"),
        why=_("Meta's window named a number that YCloud does not list yet."),
        remedy=(
            _("Wait some minutes: we keep looking."),
            _("If it does not come, send a new link: they choose the account that holds it."),
        ),
        acts=("resume", "link"),
    ),
    "number_not_verified": ForStaff(
        remedy=(
            _("Ask them to enter Meta's code."),
            _("In WhatsApp Manager they choose the number and have a new code sent."),
            _RESUME,
        ),
        acts=("resume",),
    ),
    "number_unexpected": ForStaff(
        why=_("The link is for one certain number; another one was chosen in Meta's window."),
        remedy=(
            _("Agree on the number, then send a new link."),
            _("For another number make a link of its own (Signup links)."),
        ),
        acts=("link", "reject"),
    ),
    "number_banned": ForStaff(
        remedy=(_("Ask them to appeal, or to take another number."), _MANAGER, _RESUME),
        acts=("resume", "link", "reject"),
    ),
    "number_migrated": ForStaff(
        remedy=(_("Send a new link: they choose where it is now."),), acts=("link", "resume")
    ),
    "number_disconnected": ForStaff(
        remedy=(_("Ask them whether it is still on WhatsApp."), _MANAGER, _RESUME),
        acts=("resume", "link"),
    ),
    # --- Gate 5: approval -------------------------------------------------------------------------
    "approval_needed": ForStaff(
        what=_("One of us has to approve this connection"),
        why=_("Nothing is registered before. The line below says which policy asks for it."),
        remedy=(_("Approve or reject it."),),
        acts=("approve", "reject"),
    ),
}

ACTS: dict[str, ForStaff] = {
    "bind_refused": ForStaff(remedy=(_SUPPORT, _REQUEST), acts=("resume",)),
    "provider_refused": ForStaff(
        why=_("YCloud refused the step that connects the account to it."),
        remedy=(_SUPPORT, _REQUEST),
        acts=("resume",),
    ),
    "register_refused": ForStaff(
        remedy=(
            _("Read the answer in the timeline, mend, register again."),
            _("Ask YCloud support with the request id if the answer does not say it."),
        ),
        acts=("retry", "resume"),
    ),
    "pin_mismatch": ForStaff(
        remedy=(
            _("Ask them to switch two-step verification off."),
            _("In WhatsApp Manager, of this number; Meta mails them a link to confirm it."),
            _("Then register again."),
        ),
        acts=("retry", "resume"),
    ),
    "display_name_review": ForStaff(
        what=_("Meta is checking the display name"),
        remedy=(_KEEP, _("It usually takes up to two days; then it is registered again.")),
        acts=("resume",),
    ),
    "register_budget": ForStaff(
        why=_("Meta allows ten registrations in 72 hours. We stop before that, and wait."),
        remedy=(
            _("Have the cause mended; it goes on by itself."),
            _("The refusals in the timeline say what it was. The next try is at the time below."),
        ),
        acts=("resume",),
    ),
    "register_later": ForStaff(remedy=(_ITSELF,), acts=("resume",)),
    "answer_lost": ForStaff(remedy=(_ITSELF,)),
    "takes_longer": ForStaff(
        remedy=(_KEEP, _("After some days ask YCloud support why Meta does not switch it on.")),
        acts=("resume",),
    ),
    "number_limited": ForStaff(
        remedy=(_("Tell them to look at WhatsApp Manager."), _KEEP), acts=("resume",)
    ),
    "status_unclear": ForStaff(why=_("YCloud's answer did not say it."), remedy=(_ITSELF,)),
    "already_there": ForStaff(
        what=_("YCloud says that this was done before"), remedy=(_ITSELF,), acts=("resume",)
    ),
    "history_declined": ForStaff(remedy=(_("Nothing to do: the number works without it."),)),
}

WITHOUT_REASON: dict[str, Text] = {
    CUSTOMER: _("Remind them, or send a new link."),
    PARTNER: _("Read the record, then decide."),
    YCLOUD: _("Ask YCloud support."),
    META: _KEEP,
    NOBODY: _ITSELF,
}
"""By who moves, where a state alone says it."""
