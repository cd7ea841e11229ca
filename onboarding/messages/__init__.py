"""Letters: what `notices` has written down is mailed here (docs/mails.md).

At most once: a notice is claimed before its letter goes out; one that was claimed and whose end is
not known is not sent again. A mail server that refuses, or cannot be reached, sent nothing, so that
notice waits. Each recipient has notices of their own, so one refused letter repeats no other.
"""

from onboarding.messages.samples import send_sample
from onboarding.messages.send import send_due
from onboarding.messages.staff import tell_staff

__all__ = ["send_due", "send_sample", "tell_staff"]
