"""What a reason is made of, who may have to act, and sentences that several share."""

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


START_AGAIN = _("Start again when you are ready; nothing was lost.")
CLOSE_PAGE = _("You can close this page and come back to it later.")
CHECK_AGAIN = _("Then press “Check again”.")
