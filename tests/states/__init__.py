"""Every state that the customer's pages can show, as cases that a browser can open.

Rows are planted by the models and services, without a journey through the sandbox, with times that
are relative to now. The walk (`tests/browser/walk/`) opens each in every size, scheme and language.
"""

from tests.states import access, cards, company, elsewhere, question, stops, window
from tests.states.base import Case
from tests.states.world import World

CASES: tuple[Case, ...] = (
    *question.CASES,
    *window.CASES,
    *elsewhere.CASES,
    *cards.CASES,
    *stops.CASES,
    *access.CASES,
    *company.CASES,
)

__all__ = ["CASES", "Case", "World"]
