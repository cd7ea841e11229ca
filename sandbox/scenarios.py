"""The catalogue: what the next signup does. Names are stable; tests and scripts use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """`traits` override DEFAULTS; `params` of the control panel override both."""

    name: str
    title: str
    text: str
    traits: dict[str, Any] = field(default_factory=dict)


DEFAULTS: dict[str, Any] = {
    # What the window gives back.
    "ending": "finish",  # finish, cancel, report, error, nothing
    "step": "PHONE_NUMBER_SETUP",
    "code": True,
    "message": True,
    "first": "message",  # or code
    "as_object": False,
    "event": "",  # "": by the connection mode
    "phone_id": True,
    "granted": "posted",  # or another
    "reuse": False,
    # What YCloud then shows.
    "accounts": 1,
    "numbers": 1,
    "bound": True,
    "payment": True,
    "review": "APPROVED",
    "ban": None,
    "verified": True,
    "name_review": False,
    "pin": False,
    "status": "PENDING",
    "connect_after": 0.0,
    "listed_number": True,
    "restricted": "",  # a type of restriction, for 7 days
    "account": {},  # words of the account's and of its numbers' answers, as YCloud writes them
    "number": {},
    "faults": (),
}

_ALL = (
    Scenario("approve", "All goes well", "Register answers CONNECTED at once."),
    Scenario(
        "pending",
        "Slow to connect",
        "Register answers PENDING; the number connects after some seconds.",
        {"connect_after": 8.0},
    ),
    Scenario(
        "payment_missing",
        "Payment missing",
        "YCloud has not attached its payment method until you click it in the panel.",
        {"payment": False},
    ),
    Scenario(
        "unbound",
        "Not bound yet",
        "YCloud does not show the account until it is bound.",
        {"bound": False},
    ),
    Scenario(
        "name_review",
        "Display name in review",
        "Register is refused with 2388001 until the name is approved in the panel.",
        {"name_review": True},
    ),
    Scenario(
        "number_unverified",
        "Number not verified",
        "The code that Meta sends was not entered; verify the number in the panel.",
        {"verified": False},
    ),
    Scenario(
        "pin_mismatch",
        "Foreign PIN",
        "Register is refused with 133005 until the PIN is cleared in the panel.",
        {"pin": True},
    ),
    Scenario(
        "rate_limited",
        "Rate limited",
        "YCloud answers 429 with Retry-After to the first three calls.",
        {"faults": ({"match": "any", "fault": "rate_limited", "times": 3, "seconds": 1},)},
    ),
    Scenario(
        "server_error",
        "YCloud is down",
        "YCloud answers 503 to the first two calls.",
        {"faults": ({"match": "any", "fault": "server_error", "times": 2},)},
    ),
    Scenario(
        "timeout_before",
        "Register lost before",
        "The connection breaks before the register is applied.",
        {"faults": ({"match": "register", "fault": "timeout_before", "times": 1, "seconds": 1},)},
    ),
    Scenario(
        "timeout_after",
        "Register lost after",
        "The register is applied and then the connection breaks.",
        {"faults": ({"match": "register", "fault": "timeout_after", "times": 1, "seconds": 1},)},
    ),
    Scenario(
        "garbage",
        "Garbage answer",
        "The first retrieval answers 200 with a web page.",
        {"faults": ({"match": "retrieve_account", "fault": "garbage", "times": 1},)},
    ),
    Scenario(
        "cancel",
        "Closed by the customer",
        "The window is closed at a step; Meta tells which.",
        {"ending": "cancel"},
    ),
    Scenario(
        "report",
        "Problem reported",
        "The customer saw an error and pressed “Report a problem”.",
        {"ending": "report"},
    ),
    Scenario("error", "Meta's ERROR event", "The window ends with an error.", {"ending": "error"}),
    Scenario(
        "code_only",
        "No message",
        "The code comes, the message with the ids never does.",
        {"message": False},
    ),
    Scenario("ids_only", "No code", "The message comes, the SDK says “unknown”.", {"code": False}),
    Scenario("nothing", "Nothing comes back", "The window closes silently.", {"ending": "nothing"}),
    Scenario(
        "several_accounts",
        "Several accounts",
        "Two accounts are granted and no ids are posted: the customer chooses.",
        {"accounts": 2, "message": False},
    ),
    Scenario(
        "several_numbers",
        "Several numbers",
        "The account has two numbers and the message names none: the customer chooses.",
        {"numbers": 2, "phone_id": False},
    ),
    Scenario(
        "only_waba",
        "No number yet",
        "FINISH_ONLY_WABA: the account has no number; add one in the panel.",
        {"numbers": 0, "event": "FINISH_ONLY_WABA", "phone_id": False},
    ),
    Scenario(
        "second_tenant",
        "Somebody else's account",
        "The window gives the account of the last signup once more.",
        {"reuse": True},
    ),
    Scenario(
        "already_connected",
        "Connected already",
        "The number is CONNECTED before anything is registered.",
        {"status": "CONNECTED"},
    ),
    Scenario(
        "review_pending",
        "Account in review",
        "Meta is still reviewing the account; approve it in the panel.",
        {"review": "PENDING"},
    ),
    Scenario("banned", "Account banned", "Meta has disabled the account.", {"ban": "DISABLE"}),
    Scenario(
        "review_rejected",
        "Review rejected",
        "Meta has rejected the account.",
        {"review": "REJECTED"},
    ),
    Scenario(
        "ban_scheduled",
        "Ban scheduled",
        "All goes well, and Meta is going to disable the account in December 2026.",
        {"ban": "SCHEDULE_FOR_DISABLE", "account": {"banDate": "December 9, 2026"}},
    ),
    Scenario(
        "restricted",
        "Account restricted",
        "All goes well, and for 7 days the account may not start conversations.",
        {"restricted": "RESTRICTED_BIZ_INITIATED_MESSAGING"},
    ),
    Scenario(
        "verification_pending",
        "Business not verified yet",
        "All goes well; Meta is still verifying the business.",
        {"account": {"businessVerificationStatus": "pending"}},
    ),
    Scenario(
        "name_declined",
        "Display name declined",
        "All goes well, and Meta did not accept the display name.",
        {"number": {"nameStatus": "DECLINED"}},
    ),
    Scenario(
        "quality_red",
        "Low quality",
        "All goes well with a number whose messages people reported.",
        {"number": {"qualityRating": "RED"}},
    ),
    Scenario(
        "other_number",
        "Number not in the account",
        "The posted number is not listed in the account.",
        {"listed_number": False},
    ),
    Scenario(
        "code_first", "Code before message", "The code comes before the message.", {"first": "code"}
    ),
    Scenario(
        "object_payload",
        "Message as an object",
        "The message is an object, not a JSON string.",
        {"as_object": True},
    ),
    Scenario(
        "not_granted",
        "Not granted",
        "Meta's grant names another account than the message.",
        {"granted": "another"},
    ),
)

CATALOGUE: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
ALIASES = {"no_message": "code_only"}


def find(name: str) -> Scenario:
    """The scenario of a name or an older name. Raises KeyError."""
    return CATALOGUE[ALIASES.get(name, name)]


def traits(name: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything that a scenario decides. `seconds` is the short word for `connect_after`."""
    given = dict(params or {})
    if "seconds" in given:
        given["connect_after"] = float(given.pop("seconds"))
    unknown = set(given) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
    return {**DEFAULTS, **find(name).traits, **given}


def for_window(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the window's page needs: the scenario in force and all that it can switch to."""
    return {
        "scenario": name,
        "traits": traits(name, params),
        "scenarios": [
            {
                "name": each.name,
                "title": each.title,
                "ending": each.traits.get("ending", DEFAULTS["ending"]),
                "step": each.traits.get("step", DEFAULTS["step"]),
            }
            for each in CATALOGUE.values()
        ],
    }
