"""`python -m devstack.translations extract|compile|check`."""

from __future__ import annotations

import sys

from devstack.translations import ROOT, catalogues


def main(command: str) -> int:
    """The exit status."""
    if command == "extract":
        catalogues.extract_all(ROOT)
    elif command == "compile":
        catalogues.compile_all()
    else:
        sys.stderr.write("use extract, compile or check\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
