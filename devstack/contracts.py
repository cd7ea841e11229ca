"""`python -m devstack.contracts`: the import contracts of pyproject.toml."""

import os
import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    sys.exit(lint_imports(no_cache=True))
