"""What the worker does in each state. The only caller of YCloud's acts and reads."""

from onboarding.steps.run import STEPS, run

__all__ = ["STEPS", "run"]
