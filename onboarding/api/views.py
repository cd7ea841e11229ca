"""The onboardings of the API. Every row comes through `visible_to`: a foreign id is a 404."""

import re
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.middleware.csrf import get_token
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from onboarding import instruments, quota, services
from onboarding.api import examples, rows, throttles
from onboarding.api import serializers as s
from onboarding.api.base import Resource, valid
from onboarding.api.links import named_tenant
from onboarding.api.schema import operation
from onboarding.api.serializers_partner import OnboardingFilters
from onboarding.models import Onboarding
from onboarding.timeline import timeline
from tenants.access import Asker

MOST_PAGES = 1000


class OnboardingViewSet(mixins.ListModelMixin, Resource[Onboarding]):
    """One attempt to connect one number. A key acts on it as the customer could."""

    queryset = Onboarding.objects.none()
    serializer_class = s.OnboardingSerializer
    filters = OnboardingFilters
    scope = "onboardings"
    askers = frozenset({"key", "member", "guest"})
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self) -> QuerySet[Onboarding]:
        if not isinstance(self.request.user, Asker):
            return Onboarding.objects.none()  # the schema generator asks as nobody
        seen = Onboarding.objects.visible_to(self.asker)
        return self.filtered(seen.select_related("tenant", "business_account", "number"))

    found: Onboarding | None = None
    """The row, where the throttle had to know already whether it is the asker's."""

    def get_object(self) -> Onboarding:
        row = rows.whole(str(self.kwargs["id"]), self.asker)
        instruments.seen(row)
        return row

    def attempt_of_results(self) -> str | None:
        """The attempt whose results have a rate of their own; an id that is not theirs has none."""
        if self.action != "signup":
            return None
        public_id = str(self.kwargs["id"])
        try:
            self.found = rows.version(public_id, self.asker)
        except Http404:
            return None
        return public_id

    @operation(
        "Onboardings, newest first", s.OnboardingSerializer(many=True),
        answers=examples.ONBOARDING, parameters=[OnboardingFilters],
    )  # fmt: skip
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @operation(
        "Choose the mode: start", s.LaunchedOnboardingSerializer, 200, 201,
        request=s.StartSerializer,
        takes={"connection_mode": "business_platform", "tenant": "cakes"},
        answers=examples.LAUNCHED,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Makes an attempt (201) or gives back the one that is still before Meta's window (200)."""
        sent = valid(s.StartSerializer, request)
        tenant = named_tenant(self.asker, sent.get("tenant"))
        throttles.launching(request, self.asker, tenant.pk)
        row, made = services.start(self.asker, tenant, sent["connection_mode"])
        return self._shown(row, s.LaunchedOnboardingSerializer, 201 if made else 200)

    @extend_schema(
        summary="One onboarding; `If-None-Match` answers 304 while nothing changed",
        responses={200: s.OnboardingSerializer, 304: None},
        examples=[
            examples.answer(examples.ONBOARDING),
            examples.answer(examples.CHOOSING, "several accounts"),
        ],
        parameters=[
            OpenApiParameter(
                "If-None-Match", str, OpenApiParameter.HEADER, description="An earlier ETag."
            )
        ],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        held = request.headers.get("If-None-Match", "")
        row = self._version() if held else self.get_object()
        if not self.asker.is_key:  # a backend that polls everything is nobody at the page
            quota.seen_at_page(row.pk)
        etag = _etag(row)
        if etag in held:
            response = Response(status=status.HTTP_304_NOT_MODIFIED)
        else:
            row = self.get_object() if held else row
            response, etag = self._answer(row), _etag(row)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response

    @extend_schema(
        summary="What happened, oldest first; repeated looks are collapsed",
        responses=s.TimelinePageSerializer,
        examples=[examples.answer(examples.TIMELINE)],
        parameters=[
            OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": MOST_PAGES})
        ],
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def timeline(self, request: Request, id: str) -> Response:
        page, size = _page(request), 100
        entries = timeline(self.get_object())
        shown = entries[(page - 1) * size : page * size]
        more = len(entries) > page * size
        here = request.build_absolute_uri(request.path)
        return Response(
            {
                "next": f"{here}?page={page + 1}" if more else None,
                "previous": f"{here}?page={page - 1}" if page > 1 else None,
                "results": s.TimelineEntrySerializer(shown, many=True).data,
            }
        )

    @operation(
        "Hand over what Meta's window gave", s.OnboardingSerializer, 202,
        request=s.ResultSerializer, takes={"event": "FINISH", "waba_id": "102290129340398"},
        answers=examples.ONBOARDING,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def signup(self, request: Request, id: str) -> Response:
        """Any field, any order, any number of times. Nothing is called; the worker goes on."""
        row = self._version()
        result = {k: v for k, v in valid(s.ResultSerializer, request).items() if v}
        with transaction.atomic(savepoint=False):  # what is refused leaves nothing of the request
            taken = services.record_signup_result(row, self.asker, result)
            if taken.pk != row.pk:  # other ids: as good as another launch, and counted like one
                throttles.launching(request, self.asker, row.tenant_id)
        return self._answer(taken, code=202)

    @operation(
        "Launch Meta's window again", s.LaunchedOnboardingSerializer,
        request=s.RelaunchSerializer, takes={"restart": True}, answers=examples.LAUNCHED,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        """In the same attempt. `restart` ends what is under way first; all is done, or nothing."""
        row = self.get_object()
        anew = valid(s.RelaunchSerializer, request)["restart"]
        throttles.launching(request, self.asker, row.tenant_id)
        row = (services.restart if anew else services.relaunch)(row, self.asker)
        return self._shown(row, s.LaunchedOnboardingSerializer)

    @operation(
        "Look for the account: Meta's message was lost",
        s.OnboardingSerializer, answers=examples.ONBOARDING,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def search(self, request: Request, id: str) -> Response:
        """Offers only what Meta's grant proves and no other tenant holds, or says it found none."""
        return self._shown(services.look_for_account(self.get_object(), self.asker.actor))

    @operation(
        "Reconnect this number", s.LaunchedOnboardingSerializer, 200, 201,
        answers=examples.LAUNCHED,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def reconnect(self, request: Request, id: str) -> Response:
        """A new attempt that only this number passes, for one that was lost after it connected."""
        row = self.get_object()
        throttles.launching(request, self.asker, row.tenant_id)
        row, made = services.reconnect(row, self.asker)
        return self._shown(row, s.LaunchedOnboardingSerializer, 201 if made else 200)

    @operation(
        "Choose the account", s.OnboardingSerializer, request=s.AccountChoiceSerializer,
        takes={"waba_id": "102290129340398"}, answers=examples.ONBOARDING,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def account(self, request: Request, id: str) -> Response:
        row = self.get_object()
        sent = valid(s.AccountChoiceSerializer, request)
        row = services.choose_account(row, self.asker, sent["waba_id"])
        return self._shown(row)

    @operation(
        "Choose the number", s.OnboardingSerializer, request=s.NumberChoiceSerializer,
        takes={"phone_number_id": "106540352242922"}, answers=examples.ONBOARDING,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def number(self, request: Request, id: str) -> Response:
        row = self.get_object()
        sent = valid(s.NumberChoiceSerializer, request)
        row = services.choose_number(row, self.asker, sent["phone_number_id"])
        return self._shown(row)

    @operation(
        "Be told by e-mail", s.NotifiedSerializer, 202, request=s.NotifySerializer,
        takes={"email": "john@cakes.example"}, answers=examples.NOTIFIED,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def notify(self, request: Request, id: str) -> Response:
        """Mails a link that confirms the address; news of this onboarding go there afterwards.

        The answer is the same for an address that is new, known, confirmed or has said no.
        """
        row = self.get_object()
        throttles.asking_for_letters(request, self.asker, row.pk)
        email = services.notify(row, valid(s.NotifySerializer, request)["email"])
        return Response({"email": email, "state": "asked"}, status=202)

    @operation("Check again now", s.OnboardingSerializer, answers=examples.ONBOARDING)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, id: str) -> Response:
        return self._shown(services.resume(self.get_object(), self.asker.actor))

    @operation("Withdraw the attempt", s.OnboardingSerializer, answers=examples.ONBOARDING)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, id: str) -> Response:
        return self._shown(services.withdraw(self.get_object(), self.asker.actor))

    def _version(self) -> Onboarding:
        """Of the row only what its ETag is made of: who polls mostly hears that nothing changed."""
        row = self.found or rows.version(str(self.kwargs["id"]), self.asker)
        instruments.seen(row)
        return row

    def _shown(self, row: Onboarding, serializer: Any = None, code: int = 200) -> Response:
        return self._answer(self.get_queryset().get(pk=row.pk), serializer, code)

    def _answer(self, fresh: Onboarding, serializer: Any = None, code: int = 200) -> Response:
        made = (serializer or s.OnboardingSerializer)(fresh, context=self.get_serializer_context())
        return Response(made.data, status=code)


def _etag(row: Onboarding) -> str:
    return f'"{row.version}-{get_language()}"'


def _page(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= MOST_PAGES):
        raise ValidationError({"page": [_("Use a whole number from 1 to 1000.")]})
    return int(text)


class CsrfView(APIView):
    """A fresh CSRF token, for a page that was open for long."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        summary="A fresh CSRF token",
        responses={200: {"type": "object", "properties": {"csrfToken": {"type": "string"}}}},
    )
    def get(self, request: Request) -> Response:
        response = Response({"csrfToken": get_token(request._request)})
        response["Cache-Control"] = "no-store"
        return response


class NothingHereView(APIView):
    """Every other address: a 404 in the envelope, not a web page."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound
