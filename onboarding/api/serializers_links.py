"""The answer that makes a signup link, with those that it ended."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from onboarding import services
from onboarding.api.serializers_partner import LinkSerializer
from onboarding.models import SignupLink


class EndedLinkSerializer(LinkSerializer):
    """An earlier link for the same number: it was revoked, what was begun with it goes on."""

    under_way = serializers.SerializerMethodField(
        help_text="How many onboardings that it began are neither connected nor ended."
    )

    class Meta(LinkSerializer.Meta):
        fields = [*LinkSerializer.Meta.fields, "under_way"]
        read_only_fields = fields

    def get_under_way(self, row: SignupLink) -> int:
        return services.under_way(row)


class MadeLinkSerializer(LinkSerializer):
    """The answer that makes a link: the only one with its address."""

    url = serializers.SerializerMethodField()
    ended = EndedLinkSerializer(many=True, read_only=True)

    class Meta(LinkSerializer.Meta):
        fields = [*LinkSerializer.Meta.fields, "url", "ended"]
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_url(self, row: SignupLink) -> str:
        return str(self.context["url"])
