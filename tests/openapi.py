"""YCloud's official OpenAPI file, read in place beside the checkout; never copied into it.

Where it is not at hand, the tests that need it are skipped with that reason.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

FACTS = Path(__file__).resolve().parent.parent.parent / "shared" / "facts"
SPEC = FACTS / "ycloud-openapi-accounts.json"
VECTORS = FACTS / "ycloud-signature-vectors.json"

needs_spec = pytest.mark.skipif(
    not SPEC.is_file(), reason="YCloud's OpenAPI file is not beside this checkout"
)
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_file(), reason="the published signature vectors are not beside this checkout"
)
UNDOCUMENTED = re.compile(r"/whatsapp/businessAccounts/[^/]+/(tp|smb)/bind")
"""In no published specification (November 2026), so nothing to compare with."""


class YCloudSpec:
    """Finds an operation by method and path; lists what does not fit it."""

    def __init__(self) -> None:
        self.spec = json.loads(SPEC.read_text())
        resource = Resource.from_contents(self.spec, default_specification=DRAFT4)
        self.registry = Registry().with_resource("urn:spec", resource)

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """Raises AssertionError for an endpoint that the specification does not know."""
        for template, methods in self.spec["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in methods:
                return dict(methods[method.lower()])
        raise AssertionError(f"{method} {path} is not in the specification")

    def faults(self, schema: dict[str, Any], body: Any) -> list[str]:
        pointed = json.loads(json.dumps(schema).replace('"#/', '"urn:spec#/'))
        validator = Draft4Validator(pointed, registry=self.registry)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]

    def request_faults(self, method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        """What in a request the specification does not allow."""
        operation = self.operation(method, path)
        known = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"} if (
            "parameters" in operation
        ) else {}  # fmt: skip
        found = [f"unknown query parameter {name}" for name in query if name not in known]
        for name, text in query.items():
            if name in known:
                value: Any = int(text) if known[name].get("type") == "integer" else text
                found += self.faults(known[name], value)
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            found += self.faults(schema, body)
        elif body is not None:
            found.append("a body where none is expected")
        return found

    def answer_faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What in an answer does not fit. Nulls are left out first: live answers have them where
        the specification has plain types (seen June 2026)."""
        if status >= 400:
            schema = {"$ref": "#/components/schemas/ErrorResponse"}
        else:
            content = self.operation(method, path)["responses"][str(status)].get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
        return self.faults(schema, without_nulls(body))


def without_nulls(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: without_nulls(value) for name, value in body.items() if value is not None}
    return [without_nulls(each) for each in body] if isinstance(body, list) else body
