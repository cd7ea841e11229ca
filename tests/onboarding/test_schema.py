"""The API answers as its own OpenAPI file says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from rest_framework.test import APIClient

from tests.conftest import Sandbox, Worker

API = "/api/v1/onboardings/"


class Schema:
    def __init__(self, client: Client) -> None:
        text = client.get("/api/schema/", {"format": "json"}).content.decode()
        # OpenAPI 3.0 says `nullable` where JSON schema says `type: [..., "null"]`.
        self.spec = json.loads(text, object_hook=_nullable)
        resource = Resource.from_contents(self.spec, default_specification=DRAFT4)
        self.registry = Registry().with_resource("urn:spec", resource)

    def check(self, method: str, path: str, answer: Any) -> None:
        operation = next(
            methods[method]
            for template, methods in self.spec["paths"].items()
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and method in methods
        )
        content = operation["responses"][str(answer.status_code)]["content"]
        schema = json.dumps(content["application/json"]["schema"]).replace('"#/', '"urn:spec#/')
        validator = Draft4Validator(json.loads(schema), registry=self.registry)
        assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(answer.json())] == []


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    if found.pop("nullable", False) and "type" in found:
        found["type"] = [found["type"], "null"]
    return found


@pytest.fixture
def schema(client: Client, db: None) -> Schema:
    return Schema(client)


def test_each_answer_fits(schema: Schema, api: APIClient, sandbox: Sandbox, worker: Worker) -> None:
    started = api.post(API, {"connection_mode": "business_platform"})
    schema.check("post", API, started)
    schema.check("post", API, api.post(API, {"connection_mode": "business_platform"}))
    one = f"{API}{started.json()['id']}/"
    window = sandbox.finish(scenario="several_numbers")
    sent = {n: window[n] for n in ("code", "waba_id", "event")}
    schema.check("post", f"{one}signup/", api.post(f"{one}signup/", sent))
    worker.run()
    schema.check("get", one, api.get(one))
    schema.check("get", API, api.get(API))
    schema.check("get", f"{one}timeline/", api.get(f"{one}timeline/"))
    number = {"phone_number_id": api.get(one).json()["choices"][0]["phone_number_id"]}
    schema.check("post", f"{one}number/", api.post(f"{one}number/", number))
    schema.check("get", "/api/v1/csrf/", api.get("/api/v1/csrf/"))


def test_each_error_fits(schema: Schema, api: APIClient) -> None:
    one = f"{API}{api.post(API, {'connection_mode': 'business_app'}).json()['id']}/"
    schema.check("post", API, api.post(API, {"connection_mode": "nonsense"}))
    schema.check("post", f"{one}signup/", api.post(f"{one}signup/", {"waba_id": "x"}))
    schema.check("post", f"{one}resume/", api.post(f"{one}resume/"))
    schema.check("get", one, APIClient().get(one))
    nobody = f"{API}00000000-0000-0000-0000-000000000000/"
    schema.check("get", nobody, api.get(nobody))
