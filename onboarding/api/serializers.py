"""What the API takes and shows (names agreed in docs/api.md)."""

from datetime import UTC, datetime
from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from onboarding import launch, requirements
from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode
from tenants.models import Tenant

DIGITS = RegexValidator(r"\A[0-9]{1,40}\Z", _("An id of Meta's is a string of digits."))


class StrictText(serializers.CharField):
    """A string; a JSON number is refused, it may have lost digits on its way."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StartSerializer(serializers.Serializer[Any]):
    """POST /onboardings/"""

    connection_mode = serializers.ChoiceField(choices=ConnectionMode.choices)
    tenant = serializers.SlugField(required=False, help_text="Which of your tenants.")


def _id() -> serializers.CharField:
    return StrictText(required=False, max_length=40, validators=[DIGITS])


def _text(most: int) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=most)


class ResultSerializer(serializers.Serializer[Any]):
    """POST /onboardings/{id}/signup/: whatever came back, each field as it comes."""

    code = serializers.CharField(required=False, max_length=4000, write_only=True)
    waba_id = _id()
    phone_number_id = _id()
    business_id = _id()
    event = _text(80)
    login_status = _text(40)
    current_step = _text(80)
    error_code = _text(40)
    error_message = _text(500)
    session_id = _text(100)


class RelaunchSerializer(serializers.Serializer[Any]):
    """POST /onboardings/{id}/launch/"""

    restart = serializers.BooleanField(
        default=False, help_text="End what is under way first, in the same step."
    )


class AccountChoiceSerializer(serializers.Serializer[Any]):
    """POST /onboardings/{id}/account/"""

    waba_id = StrictText(max_length=40, validators=[DIGITS])


class NumberChoiceSerializer(serializers.Serializer[Any]):
    """POST /onboardings/{id}/number/"""

    phone_number_id = StrictText(max_length=40, validators=[DIGITS])


class NotifySerializer(serializers.Serializer[Any]):
    """POST /onboardings/{id}/notify/"""

    email = serializers.EmailField(max_length=254)


class NotifiedSerializer(serializers.Serializer[Any]):
    """The same for every address, known or not."""

    email = serializers.EmailField()
    state = serializers.ChoiceField(choices=["asked"])


class RequirementSerializer(serializers.Serializer[Any]):
    """What is due, pending or wrong: an onboarding's current stop first, then the worst first.

    `standing`: `wrong` has stopped, `due` needs somebody, `pending` is with others, `notice` is
    good to know. `due_kind` says what `due` is: `look` (we look again), `ends` (it ends by itself),
    `before` (somebody should act before it).
    """

    code = serializers.CharField()
    standing = serializers.CharField()
    what = serializers.CharField()
    why = serializers.CharField()
    remedy = serializers.ListField(child=serializers.CharField())
    who = serializers.CharField()
    since = serializers.DateTimeField()
    due = serializers.DateTimeField(allow_null=True)
    due_kind = serializers.CharField(allow_null=True)


def shown_requirements(found: list[requirements.Requirement]) -> list[dict[str, Any]]:
    """The same objects wherever they are shown, as `RequirementSerializer` describes them."""
    return [
        {**each.as_json(), "since": moment(each.since), "due": moment(each.due)} for each in found
    ]


def moment(at: datetime | None) -> str | None:
    """A time as REST framework writes it."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


class ChoiceSerializer(serializers.Serializer[Any]):
    """One account or one number to choose."""

    waba_id = serializers.CharField(required=False)
    account_name = serializers.CharField(
        required=False, allow_null=True, help_text="Null where YCloud does not show it (yet)."
    )
    phone_number_id = serializers.CharField(required=False)
    phone_number = serializers.CharField(required=False, allow_null=True)
    verified_name = serializers.CharField(required=False, allow_null=True)
    status = serializers.CharField(required=False, allow_null=True)


def _choice(offer: dict[str, Any]) -> dict[str, Any]:
    return {"account_name": None, **offer} if "waba_id" in offer else offer


class LaunchSerializer(serializers.Serializer[Any]):
    """What the page hands to FB.init and FB.login."""

    launch_id = serializers.UUIDField()
    app_id = serializers.CharField()
    sdk_url = serializers.URLField()
    sdk_version = serializers.CharField()
    config_id = serializers.CharField()
    extras = serializers.DictField()


class OnboardingSerializer(serializers.ModelSerializer[Onboarding]):
    """An onboarding as its tenant sees it."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    tenant: serializers.SlugRelatedField[Tenant] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    reason = serializers.CharField(read_only=True, allow_null=True)
    waba_id = serializers.CharField(source="claimed_waba_id", read_only=True, allow_null=True)
    phone_number_id = serializers.CharField(read_only=True, allow_null=True)
    account_name = serializers.CharField(read_only=True, allow_null=True)
    phone_number = serializers.CharField(read_only=True, allow_null=True)
    number_status = serializers.CharField(read_only=True, allow_null=True)
    quality = serializers.CharField(read_only=True, allow_null=True)
    messaging_limit = serializers.CharField(read_only=True, allow_null=True)
    requirements = RequirementSerializer(many=True, read_only=True)
    choices = ChoiceSerializer(many=True, read_only=True)

    class Meta:
        model = Onboarding
        fields = [
            "id", "tenant", "connection_mode", "state", "reason", "waba_id", "account_name",
            "phone_number_id", "phone_number", "number_status", "quality", "messaging_limit",
            "proven", "requirements", "choices", "created_at", "launched_at", "updated_at",
            "connected_at", "next_look_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: Onboarding) -> dict[str, Any]:
        """By hand: the fields above are for the schema. To make twenty anew for each answer took
        longer than all else that an answer takes.
        """
        row, number, account = instance, instance.number, instance.business_account
        return {
            "id": str(row.public_id),
            "tenant": row.tenant.slug,
            "connection_mode": str(row.connection_mode),
            "state": str(row.state),
            "reason": requirements.shown_reason(row) or None,
            "waba_id": row.claimed_waba_id or None,
            "account_name": (account.name or None) if account else None,
            "phone_number_id": (
                number.phone_number_id if number else row.claimed_phone_number_id or None
            ),
            "phone_number": (number.e164 or None) if number else None,
            "number_status": (number.status or None) if number else None,
            "quality": (number.quality or None) if number else None,
            "messaging_limit": (number.messaging_limit or None) if number else None,
            "proven": row.proven,
            "requirements": shown_requirements(requirements.of(row)),
            "choices": [_choice(each) for each in row.choices],
            "created_at": moment(row.created_at),
            "launched_at": moment(row.launched_at),
            "updated_at": moment(row.updated_at),
            "connected_at": moment(row.connected_at),
            "next_look_at": moment(row.next_look_at),
        }


class LaunchedOnboardingSerializer(OnboardingSerializer):
    """On creation and relaunch: with what Meta's window needs."""

    launch = LaunchSerializer(read_only=True)

    class Meta(OnboardingSerializer.Meta):
        fields = [*OnboardingSerializer.Meta.fields, "launch"]
        read_only_fields = fields

    def to_representation(self, instance: Onboarding) -> dict[str, Any]:
        return {**super().to_representation(instance), "launch": launch.launch(instance)}


class ErrorDetailSerializer(serializers.Serializer[Any]):
    """What happened, what to do, who must do it."""

    code = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField(required=False)
    who = serializers.CharField(required=False)
    request_id = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a name that serializers use themselves."""
        texts = serializers.ListField(child=serializers.CharField())
        told = serializers.DictField(
            child=texts, required=False, help_text="What is wrong, by name"
        )
        return {**super().get_fields(), "fields": told}


class ErrorSerializer(serializers.Serializer[Any]):
    """The one envelope of all errors; `error.fields` is there where fields are wrong."""

    error = ErrorDetailSerializer()


class TimelineEntrySerializer(serializers.Serializer[Any]):
    """One thing that happened."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["state", "window", "act", "message"])
    text = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    actor = serializers.CharField()


class TimelinePageSerializer(serializers.Serializer[Any]):
    """One page of the timeline."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = TimelineEntrySerializer(many=True)
