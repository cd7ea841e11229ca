#!/usr/bin/env python3
"""Django's command line; `runall` first writes the local settings it will need."""

import os
import sys


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Commands count nothing: each would leave a file of its own for every scrape to read.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if sys.argv[1:2] == ["runall"]:
        from devstack import stack

        stack.prepare()
    from django.core.management import execute_from_command_line

    from tenants import walls

    with walls.seeing_everything("a command at the shell"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
