"""What staff read of an error of Meta's window, of YCloud itself, and of our own faults."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import ForStaff, Text

_ITSELF = _("Nothing to do: it goes on by itself.")
_CLICK = ("link", "search")


def _window(remedy: Text, what: Text = "", why: Text = "") -> ForStaff:
    return ForStaff(what, why, (remedy, _("Then send a new link.")), _CLICK)


WINDOW: dict[str, ForStaff] = {
    "window_app_too_new": _window(_("Tell them to use the app for a week first.")),
    "window_region": ForStaff(
        remedy=(_("Offer a number that is used nowhere else."), _("Send a link for that one.")),
        acts=_CLICK,
    ),
    "window_app_update": _window(
        _("Tell them to update the app."), why=_("Meta needs a newer version of the app.")
    ),
    "window_not_in_app": _window(
        _("Ask which app it is in: WhatsApp Business?"),
        why=_("Meta looked for it there, because they said that they use the app."),
    ),
    "window_other_partner": _window(
        _("Tell them to leave the old provider first."),
    ),
    "window_other_business": _window(
        _("Tell them to choose the business that has it."),
        why=_("It is tied to a business portfolio other than the one that was chosen."),
    ),
    "window_page_linked": _window(_("Tell them to unlink it in the Page's settings.")),
    "window_number_in_use": _window(_("Tell them to delete its WhatsApp account first.")),
    "window_marketing_account": _window(_("Tell them to create a new account.")),
    "window_limit": _window(
        _("Tell them to remove what they do not need at Meta."),
        _("The business has reached a limit at Meta"),
    ),
    "window_code_failed": _window(_("Make sure that the phone can receive the code.")),
    "window_slow_down": _window(_("Let them wait an hour."), _("Meta asked them to wait")),
    "window_sharing": _window(
        _("Tell them to use an admin's Facebook login."),
        why=_("Meta did not let the login share it with us."),
    ),
    "window_verification": _window(
        _("Tell them to have the business verified."),
        _("Meta has not verified the business"),
    ),
    "window_login": _window(
        _("Tell them to sign in to Facebook first."),
        _("The Facebook login needs attention"),
    ),
    "window_captcha": _window(
        _("Tell them to pass Meta's check, without a VPN."),
        _("Meta wanted to make sure that it is a person"),
    ),
    "window_page_unknown": ForStaff(
        _("Meta does not know the address of our signup page"),
        _("It is missing in the app's settings at Meta, or the login by script is off there."),
        (
            _("Enter our domain in the app's settings at Meta."),
            _("Under Allowed Domains for the JavaScript SDK; and switch on the login with it."),
            _("Then send a new link."),
        ),
        _CLICK,
    ),
    "window_return_unknown": ForStaff(
        _("Meta does not know our address to come back to"),
        _("It is missing among the app's valid OAuth redirect addresses at Meta."),
        (
            _("Enter our address in the app's settings at Meta."),
            _("Under Valid OAuth Redirect URIs. Then send a new link."),
        ),
        _CLICK,
    ),
    "window_login_off": ForStaff(
        _("Meta has switched off the login of our app"),
        _("It is not live, public_profile lacks advanced access, or a data use check-up is due."),
        (
            _("Do what the app's dashboard at Meta asks for."),
            _("Then send a new link."),
        ),
        _CLICK,
    ),
    "window_insecure": _window(
        _("Send them the https address of SITE_URL."),
        _("Meta did not trust the signup page's address"),
        _("Meta's login works from https addresses only."),
    ),
    "window_business_grey": _window(
        _("Tell them to use an admin's login of their own business."),
        why=_("Their login is no admin of it, or it is the business that owns our app."),
    ),
    "window_qr_invalid": _window(_("Tell them to update the app and scan from inside it.")),
    "window_customers_full": ForStaff(
        _("Meta lets us connect no more customers at the moment"),
        _("The cap of new customers within seven days is reached."),
        (
            _("Ask Meta for a higher cap, or wait."),
            _("The desk shows what is used of it. Then send a new link."),
        ),
        _CLICK,
    ),
    "window_restricted": _window(_("Tell them to ask Meta's Business Support.")),
    "window_fault": _window(
        _("Let them try again in some minutes."),
        why=_("Nothing that they did was wrong."),
    ),
    "window_app_not_ready": _window(
        _("Have the permission approved at Meta (Set-up)."),
        _("Our app may not connect customers yet"),
    ),
}

PROVIDER: dict[str, ForStaff] = {
    "ycloud_unavailable": ForStaff(what=_("YCloud does not answer now"), remedy=(_ITSELF,)),
    "ycloud_rate_limited": ForStaff(what=_("YCloud asks us to wait"), remedy=(_ITSELF,)),
    "ycloud_access_refused": ForStaff(
        remedy=(
            _("Check YCLOUD_API_KEY."),
            _("And the state of the account in YCloud's console. Work goes on by itself."),
        ),
    ),
    "internal_fault": ForStaff(
        remedy=(
            _("Resume; if it comes back, report a fault."),
            _("Give the reference: the log says what failed."),
        ),
        acts=("resume",),
    ),
    "rejected": ForStaff(
        what=_("One of us declined this connection"),
        why=_("The timeline says who, and what the customer was told."),
        remedy=(_("Nothing to do."),),
    ),
    "quota_full": ForStaff(
        why=_("Our share of YCloud's quota is used up for a while, so this one waits its turn."),
        remedy=(_ITSELF,),
    ),
    "ycloud_account_limited": ForStaff(
        remedy=(_("Talk to YCloud."), _("With the request id in the timeline.")),
    ),
    "ycloud_balance_empty": ForStaff(remedy=(_("Top up the balance in YCloud's console."),)),
    "ycloud_request_refused": ForStaff(
        remedy=(
            _("Read the answer, ask YCloud support."),
            _("With the request id in the timeline; or report it as a fault of this product."),
        ),
    ),
}
