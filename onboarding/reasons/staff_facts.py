"""What staff read of the condition of a number or a WABA."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import ForStaff

_RECONNECT = _("Send a new link: it is for this number.")
_MEANT = _("If that was meant, there is nothing to do.")
_APPEAL = _("Ask them to appeal to Meta.")
_MANAGER = _("They find it in WhatsApp Manager.")
_NAME = _("Ask them to choose another display name.")
_TELL = _("Tell the customer.")
_KEEP = _("Nothing to do: we keep looking.")
_NONE = _("Nothing to do.")
_ONLY_GOOD = _("Remind them to write only to people who agreed to it.")
_LOOK = _("Look in YCloud's documentation what it means.")

HEALTH: dict[str, ForStaff] = {
    "number_offboarded": ForStaff(remedy=(_RECONNECT, _MEANT), acts=("link",)),
    "number_removed": ForStaff(
        why=_("YCloud no longer lists it."), remedy=(_RECONNECT, _MEANT), acts=("link",)
    ),
    "account_removed": ForStaff(
        why=_("YCloud no longer has the account of this number."),
        remedy=(_RECONNECT, _MEANT),
        acts=("link",),
    ),
    "removed_account_disconnected": ForStaff(remedy=(_RECONNECT, _MEANT), acts=("link",)),
    "removed_business_downgrade": ForStaff(
        remedy=(
            _("Ask them to go back to the Business app."),
            _("Then send a new link: it is for this number."),
        ),
        acts=("link",),
    ),
    "removed_change_number": ForStaff(
        remedy=(_("Ask which number they want, then send a link."),), acts=("link",)
    ),
    "removed_companion_inactivity": ForStaff(remedy=(_RECONNECT, _MEANT), acts=("link",)),
    "removed_primary_inactivity": ForStaff(
        remedy=(_RECONNECT, _("They open the app on the phone once a week from then on.")),
        acts=("link",),
    ),
    "removed_user_re_registered": ForStaff(
        remedy=(_RECONNECT, _("They finish the set-up on the phone first.")), acts=("link",)
    ),
    "health_disconnected": ForStaff(
        remedy=(_RECONNECT, _("They check first that it is there, in the app or in Manager.")),
        acts=("link",),
    ),
    "health_banned": ForStaff(remedy=(_APPEAL, _MANAGER)),
    "health_account_banned": ForStaff(
        what=_("Meta has disabled the WhatsApp account"), remedy=(_APPEAL, _MANAGER)
    ),
    "health_migrated": ForStaff(remedy=(_RECONNECT, _MEANT), acts=("link",)),
    "health_unverified": ForStaff(
        remedy=(
            _("Ask them to enter Meta's code."),
            _("In WhatsApp Manager they choose the number; then send a new link."),
        ),
        acts=("link",),
    ),
}

STANDING: dict[str, ForStaff] = {
    "account_restricted_starting": ForStaff(
        what=_("Meta does not let the account start conversations now"),
        why=_("It can still answer. Meta restricts accounts for a time."),
        remedy=(_TELL, _("They read why under Account quality in WhatsApp Manager, and appeal.")),
    ),
    "account_restricted_answering": ForStaff(
        what=_("Meta does not let the account answer people now"),
        why=_("Messages of people cannot be answered. Meta restricts accounts for a time."),
        remedy=(_TELL, _("They read why under Account quality in WhatsApp Manager, and appeal.")),
    ),
    "account_disable_scheduled": ForStaff(
        what=_("Meta is going to disable the WhatsApp account"),
        remedy=(_("Have them appeal before that date."), _MANAGER),
    ),
    "account_ban_new": ForStaff(remedy=(_LOOK,)),
    "account_review_new": ForStaff(remedy=(_LOOK,)),
    "business_not_verified": ForStaff(
        what=_("Meta has not verified the business"), remedy=(_NONE,)
    ),
    "business_verification_pending": ForStaff(
        what=_("Meta is verifying the business"), remedy=(_KEEP,)
    ),
    "business_verification_more": ForStaff(
        what=_("Meta needs more papers to verify the business"),
        remedy=(_TELL, _("They hand them in at Meta: Business Settings, Security Center.")),
    ),
    "business_verification_failed": ForStaff(
        what=_("Meta could not verify the business"),
        remedy=(_TELL, _("They read Meta's reason: Business Settings, Security Center.")),
    ),
    "business_verification_new": ForStaff(remedy=(_LOOK,)),
    "name_review": ForStaff(what=_("Meta is checking the display name"), remedy=(_KEEP,)),
    "name_declined": ForStaff(
        what=_("Meta did not accept the display name"),
        why=_("People may see the number instead, and Meta limits what it can send."),
        remedy=(_NAME, _("In WhatsApp Manager; Meta's rules for names say what it may be.")),
    ),
    "name_expired": ForStaff(
        what=_("The approval of the display name has expired"), remedy=(_NAME, _MANAGER)
    ),
    "name_missing": ForStaff(
        what=_("Meta has no approved display name for the number"), remedy=(_NONE,)
    ),
    "name_new": ForStaff(remedy=(_LOOK,)),
    "new_name_review": ForStaff(
        what=_("Meta is checking the new display name"),
        why=_("The name that it has stays until then."),
        remedy=(_KEEP,),
    ),
    "new_name_declined": ForStaff(
        what=_("Meta did not accept the new display name"),
        why=_("The name that it has stays."),
        remedy=(_NAME, _MANAGER),
    ),
    "quality_medium": ForStaff(
        what=_("The quality of its messages is medium"), remedy=(_ONLY_GOOD,)
    ),
    "quality_low": ForStaff(
        what=_("The quality of its messages is low"),
        why=_("Many people blocked or reported them. Meta may lower the limit."),
        remedy=(_ONLY_GOOD, _("WhatsApp Manager shows which messages people reported.")),
    ),
    "quality_new": ForStaff(remedy=(_LOOK,)),
    "number_flagged": ForStaff(what=_("Meta has flagged the number"), remedy=(_ONLY_GOOD,)),
    "number_warned": ForStaff(
        what=_("Meta has warned the number"), remedy=(_TELL, _MANAGER, _ONLY_GOOD)
    ),
    "number_rate_limited": ForStaff(
        what=_("Meta may hold back some of its messages"),
        why=_("The number of messages that it can send is limited for a time."),
        remedy=(_("Nothing to do: Meta lifts it by itself."),),
    ),
    "number_restricted": ForStaff(
        what=_("The number has reached its limit for 24 hours"), remedy=(_NONE,)
    ),
    "number_blocked": ForStaff(what=_("The number has reached its message limit"), remedy=(_NONE,)),
    "number_in_review": ForStaff(
        what=_("Meta is reviewing the number"),
        why=_("It checks whether the number may be connected to the account."),
        remedy=(_KEEP,),
    ),
    "number_status_new": ForStaff(remedy=(_LOOK,)),
    "app_keep_open": ForStaff(
        what=_("The customer has to keep the WhatsApp Business app"),
        remedy=(_("Remind them to open it at least once a week."),),
    ),
    "app_features": ForStaff(
        remedy=(_("Tell them to link computers and other devices again."),),
    ),
}
