"""What the page hands to Meta's SDK, for each mode and signup version."""

from __future__ import annotations

from typing import Any

import pytest

from onboarding import launch

MODES = ("business_platform", "business_app")


@pytest.fixture
def version(settings: Any) -> Any:
    def choose(name: str) -> None:
        settings.META_SIGNUP_VERSION = dict.fromkeys(MODES, name)

    return choose


@pytest.mark.parametrize("name", ["v2", "v3", "v4"])
@pytest.mark.parametrize("mode", MODES)
def test_the_solution_is_a_string_and_the_version_is_named(
    version: Any, name: str, mode: str
) -> None:
    version(name)
    extras = launch.extras(mode)
    assert extras["setup"] == {"solutionID": "300000000000001"}
    assert extras["sessionInfoVersion"] == "3"
    assert extras["version"] == name


@pytest.mark.parametrize(("name", "taken"), [("v2", True), ("v3", True), ("v4", False)])
def test_marketing_messages_are_asked_for_only_where_the_version_takes_them(
    version: Any, name: str, taken: bool
) -> None:
    version(name)
    extras = launch.extras("business_platform")
    wanted = [{"name": "marketing_messages_lite"}] if taken else None
    assert extras.get("features") == wanted


def test_only_coexistence_has_its_feature_type(version: Any) -> None:
    assert launch.extras("business_app")["featureType"] == "whatsapp_business_app_onboarding"
    assert "featureType" not in launch.extras("business_platform")
    assert "features" not in launch.extras("business_app")


def test_a_setting_replaces_the_extras_of_its_mode_whole(settings: Any) -> None:
    settings.META_SIGNUP_EXTRAS = {"business_platform": {"setup": {}}, "business_app": None}
    assert launch.extras("business_platform") == {"setup": {}}
    assert "featureType" in launch.extras("business_app")


def test_without_a_solution_the_setup_is_empty(settings: Any) -> None:
    settings.META_SOLUTION_ID = dict.fromkeys(MODES, "")
    assert launch.extras("business_platform")["setup"] == {}
