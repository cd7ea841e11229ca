"""Which texts are translated: all that customers, guests and the partner's backend read."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCES = ("config", "onboarding", "tenants", "templates")

OUT_OF_SCOPE = (
    "config/navigation.py",
    "onboarding/admin/",
    "onboarding/checks.py",
    "onboarding/desk/",
    "onboarding/doctor/",
    "onboarding/figures.py",
    "onboarding/management/",
    "onboarding/messages/login_samples.py",
    "onboarding/messages/samples.py",
    "onboarding/migrations/",
    "onboarding/outbound/",
    "onboarding/outbound_events.py",
    "onboarding/record.py",
    "onboarding/review.py",
    "onboarding/services/outbound.py",
    "onboarding/services/registration.py",
    "onboarding/services/staff.py",
    "onboarding/services/transfers.py",
    "templates/admin/",
    "templates/unfold/",
    "tenants/admin",
    "tenants/checks.py",
    "tenants/management/",
    "tenants/migrations/",
    "tenants/sheet",
)
"""Staff's desk, the doctor and the commands speak English (config.languages): one language that all
of the partner's people share, in which our documentation and Meta's and YCloud's consoles name the
same things. A path that ends in a slash is a folder, else the beginning of a name."""

IN_PART: dict[str, set[str] | None] = {
    "onboarding/apps.py": set(),
    "onboarding/models/": {"ConnectionMode"},
    "onboarding/proof.py": {"customer_note"},
    "tenants/apps.py": set(),
    "tenants/models/prefill.py": None,  # the customer reads what Meta's window is filled in with
    "tenants/models/": {"Role", "known_language"},
}
"""Of these modules only what stands in the functions and classes named here leaves the desk: the
names of models and of their fields are read there alone."""


def sources(root: Path) -> list[str]:
    """Every module and template in scope, as paths from the root."""
    found = [
        path.relative_to(root).as_posix()
        for top in SOURCES
        for path in sorted((root / top).rglob("*"))
        if path.suffix in ({".html", ".txt"} if top == "templates" else {".py"})
    ]
    return [path for path in found if not path.startswith(OUT_OF_SCOPE)]


def lines_in_scope(path: str, code: str) -> set[int] | None:
    """The lines whose texts are in scope; None means all of them."""
    names = next((names for part, names in IN_PART.items() if path.startswith(part)), None)
    if names is None:
        return None
    kinds = (ast.ClassDef, ast.FunctionDef)
    found: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, kinds) and node.name in names:
            found |= _choices(node) if isinstance(node, ast.ClassDef) else _lines(node)
    return found


def _choices(node: ast.ClassDef) -> set[int]:
    """A class of choices as it is; of a model the choices inside it."""
    if any(isinstance(base, ast.Attribute) and base.attr == "TextChoices" for base in node.bases):
        return _lines(node)
    inner = (each for each in node.body if isinstance(each, ast.ClassDef))
    return set().union(*(_choices(each) for each in inner))


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
