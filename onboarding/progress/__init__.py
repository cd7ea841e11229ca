"""How far an onboarding has come, as people read it: its milestones and the page's card."""

from onboarding.progress.cards import card, listed, said
from onboarding.progress.line import Milestone, milestones
from onboarding.progress.words import display_number, limit_label, poll_seconds, waiting_text

__all__ = [
    "Milestone",
    "card",
    "display_number",
    "limit_label",
    "listed",
    "milestones",
    "poll_seconds",
    "said",
    "waiting_text",
]
