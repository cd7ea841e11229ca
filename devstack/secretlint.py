"""No secret in a committed file: `python -m devstack.secretlint` (part of `make lint`).

detect-secrets over what git knows. Its keyword guesses are left to bandit, which reads Python; an
exception is argued beside its line (`pragma: allowlist secret`) or here.
"""

import subprocess
import sys

from detect_secrets.pre_commit_hook import main as lint

LEFT_OUT = ("requirements/",)
"""Pins: nothing but hashes."""


def main() -> int:
    """0 when nothing was found; what was found is printed, without the secret."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], text=True)
    files = [name for name in listed.splitlines() if not name.startswith(LEFT_OUT)]
    return int(lint(["--no-verify", "--disable-plugin", "KeywordDetector", *files]))


if __name__ == "__main__":
    sys.exit(main())
