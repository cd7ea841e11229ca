"""What can become of a number after it was connected; removal reasons are YCloud's words."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import (
    CUSTOMER,
    Reason,
)

ALL: tuple[Reason, ...] = (
    Reason(
        "number_offboarded",
        _("This number is no longer connected to us"),
        _(
            "Meta or the WhatsApp Business app ended the connection, so messages are no longer "
            "sent or received here."
        ),
        (_("Press “Reconnect this number” and go through Meta's window once more."),),
        CUSTOMER,
    ),
    Reason(
        "number_removed",
        _("This number was removed from the WhatsApp account"),
        _("Our provider no longer lists it."),
        (
            _("If that was meant, there is nothing to do."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "account_removed",
        _("The WhatsApp account was removed from us"),
        _("Our provider no longer has the account of this number."),
        (
            _("If that was meant, there is nothing to do."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "removed_account_disconnected",
        _("The account was disconnected"),
        _("Somebody ended the connection in the WhatsApp Business app or in Meta's settings."),
        (
            _("If that was meant, there is nothing to do."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "removed_business_downgrade",
        _("The WhatsApp Business app was replaced by the ordinary WhatsApp"),
        _("A number in the ordinary WhatsApp cannot be connected."),
        (
            _("Move the number back to the WhatsApp Business app."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "removed_change_number",
        _("The phone's number was changed in the app"),
        _("The connection belonged to the old number."),
        (
            _("For the new number press “Connect another number”."),
            _("For the old one change it back in the app, then press “Reconnect this number”."),
        ),
        CUSTOMER,
    ),
    Reason(
        "removed_companion_inactivity",
        _("The connection was unused for too long"),
        _("Meta ended it because it was idle for about a month."),
        (_("Press “Reconnect this number” and go through Meta's window once more."),),
        CUSTOMER,
    ),
    Reason(
        "removed_primary_inactivity",
        _("The WhatsApp Business app was not opened for too long"),
        _("Meta ends the connection when the app on the phone is not opened for about two weeks."),
        (
            _("Open the app on the phone, and from now on at least once a week."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "removed_user_re_registered",
        _("The number was registered on a phone again"),
        _("Registering it anew ended the connection."),
        (
            _("Finish the set-up on the phone."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "health_disconnected",
        _("Meta says that this number is disconnected"),
        _("It was connected here and is not reachable through this account any more."),
        (
            _("Check in WhatsApp Manager, or in the WhatsApp Business app, that it is there."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "health_banned",
        _("Meta has banned this number"),
        _("It was connected here; a banned number cannot send messages."),
        (
            _("Open WhatsApp Manager and ask Meta for a review."),
            _("To go on meanwhile press “Connect another number”."),
        ),
        CUSTOMER,
    ),
    Reason(
        "health_account_banned",
        _("Meta has disabled your WhatsApp account"),
        _("Meta bans accounts that break its policies; none of its numbers can send messages."),
        (
            _("Open WhatsApp Manager, read Meta's reason, and ask for a review there."),
            _("To go on meanwhile connect a number of another account."),
        ),
        CUSTOMER,
    ),
    Reason(
        "health_migrated",
        _("This number has moved to another WhatsApp account"),
        _("Meta says that it was migrated away."),
        (
            _("If that was meant, there is nothing to do."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
    Reason(
        "health_unverified",
        _("This number has to be verified again"),
        _("Meta asks for a new code before it works again."),
        (
            _("Open WhatsApp Manager, choose the number, and enter the code that Meta sends."),
            _("Press “Reconnect this number” and go through Meta's window once more."),
        ),
        CUSTOMER,
    ),
)
