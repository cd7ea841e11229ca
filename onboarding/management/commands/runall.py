"""`manage.py runall`: the whole local stack under one supervisor (what `make run` starts)."""

import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Starts servers, sandbox, web, workers and beat; Ctrl-C stops them all."""

    help = "Start everything on this machine, for development and demonstrations."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        from devstack import stack

        sys.exit(stack.run())
