"""Nothing on customers' pages and in the API is English because a library was not translated."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.functional import Promise
from rest_framework import exceptions, serializers

from devstack import translations
from devstack.translations import catalogues
from tenants.login import AccountAdapter
from tenants.second_factor import MFAAdapter

FORMS = (
    "allauth.account.forms",
    "allauth.mfa.base.forms",
    "allauth.mfa.recovery_codes.forms",
    "allauth.mfa.totp.forms",
    "allauth.mfa.webauthn.forms",
    "onboarding.link_forms",
    "tenants.forms",
)
SERIALIZERS = ("onboarding.api.serializers", "onboarding.api.serializers_partner")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
SAME = {"pt-br": {"Email", "Login"}, "es": {"Passwordless"}, "id": {"Email"}}
"""Words that a language has borrowed from English itself."""


def classes(modules: tuple[str, ...], kind: type) -> Iterator[Any]:
    for name in modules:
        for _, found in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(found, kind):
                yield found


def of_forms() -> Iterator[Any]:
    for form in classes(FORMS, forms.BaseForm):
        for field in form.base_fields.values():
            yield from (field.label, field.help_text, *field.error_messages.values())
            yield from (getattr(each, "message", None) for each in field.validators)


def of_serializers() -> Iterator[Any]:
    for each in classes(SERIALIZERS, serializers.Serializer):
        for field in (each(), *each().fields.values()):
            yield from field.error_messages.values()
            yield from (getattr(check, "message", None) for check in field.validators)


def of_adapters() -> Iterator[Any]:
    yield from AccountAdapter.error_messages.values()
    yield from MFAAdapter.error_messages.values()


def of_exceptions() -> Iterator[Any]:
    for _, each in inspect.getmembers(exceptions, inspect.isclass):
        yield getattr(each, "default_detail", None)


@pytest.fixture(scope="module")
def ours() -> set[str]:
    """What our catalogues hold; tests/test_translations.py sees that it is translated."""
    template = catalogues.template_of(translations.ROOT)
    return {"", *(str(m.id[0] if isinstance(m.id, tuple) else m.id) for m in template)}


@pytest.mark.parametrize("source", [of_forms, of_serializers, of_adapters, of_exceptions])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_library_stays_english(language: str, source: Any, ours: set[str]) -> None:
    english, known = set(), ours | SAME.get(language, set())
    for text in source():
        if isinstance(text, Promise):
            with translation.override("en"):
                said = str(text)
            with translation.override(language):
                if str(text) == said and said not in known:
                    english.add(said)
    assert sorted(english) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("password", ["12345678", "password"])
def test_what_is_wrong_with_a_password_is_said_in_each_language(
    language: str, password: str
) -> None:
    for validator in get_default_password_validators():
        told = [_told(validator, password, code) for code in ("en", language)]
        assert not told[0] or told[0] != told[1]


def _told(validator: Any, password: str, language: str) -> list[str]:
    with translation.override(language):
        try:
            validator.validate(password)
        except ValidationError as error:
            return error.messages
    return []
