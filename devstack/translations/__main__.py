"""`python -m devstack.translations extract|compile|check`."""

from __future__ import annotations

import sys

from devstack.translations import ROOT, catalogues
from devstack.translations.check import check, report


def main(command: str) -> int:
    """The exit status."""
    if command == "extract":
        catalogues.extract_all(ROOT)
    elif command == "compile":
        catalogues.compile_all()
    elif command == "check":
        found = check(catalogues.template_of(ROOT))
        wrong = [report(language, faults) for language, faults in found.items() if faults]
        sys.stdout.write("".join(f"{each}\n" for each in wrong))
        return 1 if wrong else 0
    else:
        sys.stderr.write("use extract, compile or check\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
