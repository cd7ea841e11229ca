"""What stops a start: one sentence that names the fix."""


class ProblemError(Exception):
    """The text is shown to the person as it is; the exit status is 1."""
