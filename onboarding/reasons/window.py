"""What Meta's window shows as an error code: cause and remedy (codes in `codes.WINDOW`)."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import (
    CUSTOMER,
    META,
    PARTNER,
    START_AGAIN,
    Reason,
)

ALL: tuple[Reason, ...] = (
    Reason(
        "window_app_too_new",
        _("The WhatsApp Business app has not been used enough yet"),
        _(
            "Meta connects an app only after it has been in use for a while; about a week of "
            "normal chats is usual."
        ),
        (
            _("Keep using the app for some days."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_region",
        _("Meta does not offer this kind of connection in the number's country"),
        _("A number that stays in the WhatsApp Business app cannot be connected everywhere."),
        (_("Connect a number that is used nowhere else, or ask your partner what is possible."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_app_update",
        _("The WhatsApp Business app is too old"),
        _("Meta needs a newer version of the app on your phone."),
        (
            _("Update the app on your phone."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_not_in_app",
        _("The number is not in the WhatsApp Business app"),
        _("Meta looked for it there, because you said that you use the app."),
        (
            _(
                "Check that you use WhatsApp Business (not the ordinary WhatsApp) with exactly "
                "this number."
            ),
            _("If the number is new, start again and choose “It is a new number”."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_other_partner",
        _("The number is connected to another provider"),
        _("Meta lets one provider at a time hold a number."),
        (
            _(
                "Open the app: Settings, Account, Business Platform, and disconnect. Without the "
                "app, remove the old provider in WhatsApp Manager."
            ),
            _("Wait 15 minutes, then start again."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_other_business",
        _("The number belongs to another business at Meta"),
        _("It is tied to a business portfolio other than the one that you chose."),
        (
            _(
                "Start again and choose the business that holds the number, or remove the number "
                "there first."
            ),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_page_linked",
        _("The number is linked to a Facebook Page"),
        _("Meta asks to undo that link first."),
        (
            _("Open the Page's settings, find WhatsApp, and disconnect the number."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_number_in_use",
        _("The number is registered with WhatsApp already"),
        _("It is in use by an app or by another provider."),
        (
            _(
                "Delete that WhatsApp account in its app (this can take three minutes), or choose "
                "“in the WhatsApp Business app” to keep it."
            ),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_marketing_account",
        _("This account can only send marketing messages"),
        _("Meta keeps such accounts apart, so this number cannot be connected with it."),
        (_("Start again and create a new account."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_limit",
        _("Your business has reached a limit at Meta"),
        _(
            "Meta limits how many accounts and numbers a business may have; a verified business "
            "may have more."
        ),
        (
            _("Remove what you do not need in WhatsApp Manager, or verify your business at Meta."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_code_failed",
        _("The code that Meta sent did not work"),
        _("It was wrong, too old, or asked for too often."),
        (
            _("Make sure that the phone can receive a text message or a call."),
            _("Wait some minutes, start again, and enter the newest code."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_slow_down",
        _("Meta asks you to wait"),
        _("Too much was tried in a short time."),
        (_("Wait an hour, then start again."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_sharing",
        _("The account could not be shared"),
        _("Meta did not let your login share it with your partner."),
        (
            _("Start again with a Facebook login that is an admin of the business."),
            _("If it happens again, create a new account in Meta's window."),
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_verification",
        _("Meta has not verified your business"),
        _("This step needs a verified business."),
        (
            _("Open Meta's Business Settings, Security Center, and follow the verification."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_login",
        _("Your Facebook login needs attention"),
        _("Meta asks for two-factor login, or does not know this device yet."),
        (
            _("Open Facebook in another tab, sign in, and do what it asks for."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_captcha",
        _("Meta wanted to make sure that you are a person"),
        _("The check in Meta's window was not passed."),
        (_("Start again and pass the check; switch off a VPN if you use one."),),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_restricted",
        _("Meta has restricted this business or login"),
        _("Meta does not let it connect numbers for the time being."),
        (
            _("Open Meta's Business Support Home and read what it asks for."),
            START_AGAIN,
        ),
        CUSTOMER,
        "stop",
    ),
    Reason(
        "window_fault",
        _("Meta's window had a fault of its own"),
        _("Nothing you did was wrong."),
        (
            _("Wait some minutes, then start again."),
            _("If it happens again, send the reference to your partner."),
        ),
        META,
        "stop",
    ),
    Reason(
        "window_app_not_ready",
        _("Your partner's app may not connect customers yet"),
        _("Meta has not approved a permission that this needs."),
        (_("Tell your partner, with the reference."),),
        PARTNER,
        "stop",
    ),
)
