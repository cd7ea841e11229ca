"""Why a request was refused, and the one way in which a person moves a row."""

from typing import Any

from django.utils.functional import Promise

from onboarding import transitions
from onboarding.models import Onboarding
from onboarding.states import State


class RefusedError(Exception):
    """The request does not fit the state; `code` is for programs, the text for people."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(str(message))
        self.code = code


def move(row: Onboarding, to: State, actor: str, **how: Any) -> None:
    """A person's move of a locked row: overtakes a worker that is at it."""
    transitions.move(row, to, actor=actor, person=True, **how)
