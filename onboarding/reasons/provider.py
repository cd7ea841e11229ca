"""YCloud itself, our share of its quota, our own faults, and the reviewer's no."""

from django.utils.translation import gettext_lazy as _

from onboarding.reasons.base import (
    NOBODY,
    PARTNER,
    YCLOUD,
    Reason,
)

ALL: tuple[Reason, ...] = (
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
        (
            _("Press “Check again”: often that is enough."),
            _("If not, send the reference to your partner: they can see what failed."),
        ),
        PARTNER,
    ),
    Reason(
        "rejected",
        _("Your partner declined this connection"),
        _("A person looked at it and said no."),
        (
            _("Talk to your partner, with the reference at the end of this card."),
            _("When it is settled, press “Start again”."),
        ),
        PARTNER,
        "stop",
    ),
    Reason(
        "quota_full",
        _("Many numbers are being connected at the moment"),
        _("Our share of the provider's quota is used up for a while, so this one waits its turn."),
        (_("You need not do anything. We go on by ourselves."),),
        NOBODY,
        "wait",
    ),
    Reason(
        "ycloud_account_limited",
        _("YCloud has limited or closed our account"),
        _("YCloud answers that the account is limited or unavailable: every tenant is held up."),
        (_("Talk to YCloud, with the request id in the timeline. Work goes on by itself."),),
        YCLOUD,
        "wait",
        public="ycloud_unavailable",
    ),
    Reason(
        "ycloud_balance_empty",
        _("The balance at YCloud is used up"),
        _("YCloud refuses because the prepaid balance is too low: every tenant is held up."),
        (_("Top up the balance in YCloud's console. Work goes on by itself."),),
        PARTNER,
        "wait",
        public="ycloud_unavailable",
    ),
    Reason(
        "ycloud_request_refused",
        _("YCloud does not accept our request"),
        _("The answer in the timeline says what it objects to. The same request will fail again."),
        (_("Ask YCloud support with the request id, or report it as a fault of this product."),),
        PARTNER,
        "wait",
        public="ycloud_unavailable",
    ),
)
