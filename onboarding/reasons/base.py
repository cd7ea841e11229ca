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
class ForStaff:
    """An entry in staff's words. What is empty reads as for the customer.

    `acts`: names of the desk's acts that help, the likeliest first.
    """

    what: Text = ""
    why: Text = ""
    remedy: tuple[Text, ...] = ()
    acts: tuple[str, ...] = ()


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
    for_staff: ForStaff = ForStaff()

    @property
    def staff_what(self) -> Text:
        """What happened, for staff."""
        return self.for_staff.what or self.what

    @property
    def staff_why(self) -> Text:
        """Why, for staff."""
        return self.for_staff.why or self.why

    @property
    def staff_remedy(self) -> tuple[Text, ...]:
        """What staff do; its first line is the desk's next move."""
        return self.for_staff.remedy or self.remedy


START_AGAIN = _("Press “Start again” when you are ready: nothing was lost.")
CHECK_AGAIN = _("Then press “Check again”.")
