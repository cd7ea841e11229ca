"""What stands in Meta's window in place of its steps: no number, only Meta's words for it.

Most of them are the partner's to mend, at Meta (the words: Meta's login, read Nov 2026).
"""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import CUSTOMER, PARTNER, START_AGAIN, Reason

_TELL = _("Send this text and the reference below to your partner: only they can mend it.")
_LATER = _("When they have mended it, start again; nothing was lost.")

ALL: tuple[Reason, ...] = (
    Reason(
        "window_page_unknown",
        _("Meta does not know the address of this page yet"),
        _(
            "Your partner has to enter the address of this page in the settings of its app at "
            "Meta, and switch on the login there."
        ),
        (_TELL, _LATER),
        PARTNER,
        "stop",
    ),
    Reason(
        "window_return_unknown",
        _("Meta does not know the address to come back to"),
        _("Your partner has to enter it in the settings of its app at Meta."),
        (_TELL, _LATER),
        PARTNER,
        "stop",
    ),
    Reason(
        "window_login_off",
        _("Meta has switched off the login of your partner's app"),
        _(
            "The app is not published yet, waits for an approval of Meta, or has a yearly check "
            "to answer."
        ),
        (_TELL, _LATER),
        PARTNER,
        "stop",
    ),
    Reason(
        "window_insecure",
        _("Meta did not trust the address of this page"),
        _("Meta's login works from addresses that begin with https only."),
        (
            _("Look at the address bar: put https:// in front of this page's address."),
            _("If it has it already, send this text and the reference below to your partner."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_business_grey",
        _("The business cannot be chosen in Meta's window"),
        _(
            "Your Facebook login is not an admin of it, or it is the business that your partner's "
            "own app belongs to: Meta does not connect that one."
        ),
        (
            _("Start again with a Facebook login that is an admin of your business."),
            _("Or choose another business in Meta's window, or create a new one there."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_qr_invalid",
        _("The app did not accept the square code"),
        _(
            "The code lives for a short time only, and it has to be scanned from inside the "
            "WhatsApp Business app, not with the phone's camera."
        ),
        (
            _(
                "Update the app. Then follow the message that Meta sent in it, or open Settings, "
                "Account, Business Platform, and scan the code from there."
            ),
            _("Start again for a fresh code, on a computer screen if you can."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_customers_full",
        _("Your partner cannot connect more customers at the moment"),
        _("Meta limits how many new customers a partner may connect within seven days."),
        (_("Tell your partner, with the reference below."), START_AGAIN),
        PARTNER,
        "stop",
    ),
)
