"""The API answers as its own OpenAPI file says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from rest_framework.test import APIClient

from tests.conftest import Sandbox, Worker, partner_api

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


def test_each_answer_to_the_partner_fits(
    schema: Schema, partner: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    v1 = "/api/v1"
    made = partner.post(f"{v1}/tenants/", {"name": "Cakes", "external_id": "c-1"})
    schema.check("post", f"{v1}/tenants/", made)
    schema.check("post", f"{v1}/tenants/", partner.post(f"{v1}/tenants/", {}))
    changed = partner.patch(f"{v1}/tenants/cakes/", {"unproven": "stop"})
    schema.check("patch", f"{v1}/tenants/cakes/", changed)
    link = partner.post(f"{v1}/signup-links/", {"tenant": "cakes"})
    schema.check("post", f"{v1}/signup-links/", link)
    one = f"{v1}/signup-links/{link.json()['id']}/"
    schema.check("get", one, partner.get(one))
    schema.check("post", f"{one}revoke/", partner.post(f"{one}revoke/"))
    sent = {"connection_mode": "business_platform", "tenant": "cakes"}
    row = f"{API}{partner.post(API, sent).json()['id']}/"
    window = sandbox.finish(scenario="approve")
    partner.post(f"{row}signup/", {n: window[n] for n in ("code", "waba_id", "event")})
    worker.run()
    for resource in ("tenants", "signup-links", "business-accounts", "phone-numbers"):
        shown = partner.get(f"{v1}/{resource}/")
        assert shown.json()["results"]
        schema.check("get", f"{v1}/{resource}/", shown)
    account = f"{v1}/business-accounts/{window['waba_id']}/"
    schema.check("get", account, partner.get(account))
    schema.check("get", account, partner_api("tenants:read").get(account))


def operations(schema: Schema) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in schema.spec["paths"].items()
        for method, operation in methods.items()
        if path != "/api/v1/csrf/"
    ]


def test_each_operation_says_what_it_is_what_it_answers_and_gives_an_example(
    schema: Schema,
) -> None:
    for method, path, operation in operations(schema):
        where = f"{method} {path}"
        assert operation["summary"], where
        errors = {"400", "401", "403", "404", "406", "429"}
        if method != "get":
            errors |= {"409", "413", "415"} | ({"422"} if method == "post" else set())
        assert errors <= set(operation["responses"]), where
        for status, response in operation["responses"].items():
            if status == "304":
                continue
            assert response["content"]["application/json"]["examples"], f"{where} {status}"
            assert "RateLimit-Remaining" in response["headers"], where
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], where


def test_each_post_takes_an_idempotency_key_and_nothing_else_does(schema: Schema) -> None:
    for method, path, operation in operations(schema):
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        assert ("Idempotency-Key" in names) is (method == "post"), path


def test_each_example_fits_its_own_schema(schema: Schema) -> None:
    for method, path, operation in operations(schema):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                text = json.dumps(content["schema"]).replace('"#/', '"urn:spec#/')
                validator = Draft4Validator(json.loads(text), registry=schema.registry)
                for example in content["examples"].values():
                    found = [e.message for e in validator.iter_errors(example["value"])]
                    assert found == [], f"{method} {path} {status}"


def test_the_ways_in_are_named_and_only_those_that_fit(schema: Schema) -> None:
    assert schema.spec["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    security = schema.spec["paths"]["/api/v1/tenants/"]["post"]["security"]
    assert security == [{"apiKey": []}]
    both = schema.spec["paths"]["/api/v1/signup-links/"]["post"]["security"]
    assert {name for way in both for name in way} == {"apiKey", "session"}


def test_the_file_is_made_without_a_warning_and_is_valid(tmp_path: Path) -> None:
    call_command("spectacular", fail_on_warn=True, validate=True, file=str(tmp_path / "api.yaml"))
