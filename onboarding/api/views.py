"""The onboardings of the API. Every row comes through `visible_to`: a foreign id is a 404."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.middleware.csrf import get_token
from django.utils.translation import get_language
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from onboarding import quota, services
from onboarding.api import serializers as s
from onboarding.models import Onboarding
from onboarding.timeline import timeline
from tenants.access import Asker, tenant_for

F = TypeVar("F", bound=Callable[..., Any])


class NewestFirst(CursorPagination):
    page_size = 25
    max_page_size = 100
    page_size_query_param = "limit"
    ordering = ("-created_at", "-pk")


def _error(description: str) -> OpenApiResponse:
    return OpenApiResponse(s.ErrorSerializer, description=description)


ERRORS = {
    400: _error("A field cannot be used; `fields` names it."),
    401: _error("Not signed in and no signup link."),
    403: _error("The CSRF token is missing or stale."),
    404: _error("Not yours, or not there."),
    409: _error("Does not fit the state."),
}


def _schema(request: Any, response: Any, summary: str, *codes: int) -> Callable[[F], F]:
    described: Callable[[F], F] = extend_schema(
        request=request,
        responses={**dict.fromkeys(codes or (200,), response), **ERRORS},
        summary=summary,
    )
    return described


@extend_schema_view(
    list=extend_schema(summary="Your onboardings, newest first", responses=s.OnboardingSerializer),
)
class OnboardingViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Onboarding]):
    """One attempt to connect one number."""

    queryset = Onboarding.objects.none()
    serializer_class = s.OnboardingSerializer
    pagination_class = NewestFirst
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f-]{36}"
    http_method_names = ["get", "post", "head", "options"]

    @property
    def asker(self) -> Asker:
        asker = self.request.user
        assert isinstance(asker, Asker)  # noqa: S101 - IsAuthenticated, and no other scheme
        return asker

    def get_queryset(self) -> QuerySet[Onboarding]:
        if not isinstance(self.request.user, Asker):
            return Onboarding.objects.none()  # the schema generator asks as nobody
        return Onboarding.objects.visible_to(self.asker).select_related(
            "tenant", "business_account", "number"
        )

    @_schema(s.StartSerializer, s.LaunchedOnboardingSerializer, "Choose the mode: start", 200, 201)
    def create(self, request: Request) -> Response:
        """Makes an attempt (201) or gives back the one that is still before Meta's window (200)."""
        sent = _valid(s.StartSerializer, request)
        tenant = tenant_for(self.asker, sent.get("tenant"))
        row, made = services.start(self.asker, tenant, sent["connection_mode"])
        return self._shown(row, s.LaunchedOnboardingSerializer, 201 if made else 200)

    @extend_schema(
        summary="One onboarding; `If-None-Match` answers 304 while nothing changed",
        responses={200: s.OnboardingSerializer, 304: None, **ERRORS},
    )
    def retrieve(self, request: Request, id: str) -> Response:
        row = self.get_object()
        quota.seen_at_page(row.pk)
        etag = f'"{row.version}-{get_language()}"'
        if etag in request.headers.get("If-None-Match", ""):
            response = Response(status=status.HTTP_304_NOT_MODIFIED)
        else:
            response = self._shown(row)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response

    @extend_schema(
        summary="What happened, oldest first; repeated looks are collapsed",
        responses={200: s.TimelinePageSerializer, **ERRORS},
        parameters=[OpenApiParameter("page", int)],
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def timeline(self, request: Request, id: str) -> Response:
        entries = timeline(self.get_object())
        page = max(int(request.query_params.get("page", "1") or 1), 1) if _is_page(request) else 1
        size = 100
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

    @_schema(s.ResultSerializer, s.OnboardingSerializer, "Hand over what Meta's window gave", 202)
    @action(detail=True, methods=["post"])
    def signup(self, request: Request, id: str) -> Response:
        """Any field, any order, any number of times. Nothing is called; the worker goes on."""
        result = {k: v for k, v in _valid(s.ResultSerializer, request).items() if v}
        row = services.record_signup_result(self.get_object(), self.asker, result)
        return self._shown(row, code=202)

    @_schema(None, s.LaunchedOnboardingSerializer, "Launch Meta's window again")
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, id: str) -> Response:
        row = services.relaunch(self.get_object(), self.asker)
        return self._shown(row, s.LaunchedOnboardingSerializer)

    @_schema(None, s.OnboardingSerializer, "Look for the account: Meta's message was lost")
    @action(detail=True, methods=["post"])
    def search(self, request: Request, id: str) -> Response:
        """Offers only what Meta's grant proves and no other tenant holds, or says it found none."""
        return self._shown(services.look_for_account(self.get_object(), self.asker.actor))

    @_schema(None, s.LaunchedOnboardingSerializer, "Reconnect this number", 200, 201)
    @action(detail=True, methods=["post"])
    def reconnect(self, request: Request, id: str) -> Response:
        """A new attempt that only this number passes, for one that was lost after it connected."""
        row, made = services.reconnect(self.get_object(), self.asker)
        return self._shown(row, s.LaunchedOnboardingSerializer, 201 if made else 200)

    @_schema(s.AccountChoiceSerializer, s.OnboardingSerializer, "Choose the account")
    @action(detail=True, methods=["post"])
    def account(self, request: Request, id: str) -> Response:
        sent = _valid(s.AccountChoiceSerializer, request)
        row = services.choose_account(self.get_object(), self.asker, sent["waba_id"])
        return self._shown(row)

    @_schema(s.NumberChoiceSerializer, s.OnboardingSerializer, "Choose the number")
    @action(detail=True, methods=["post"])
    def number(self, request: Request, id: str) -> Response:
        sent = _valid(s.NumberChoiceSerializer, request)
        row = services.choose_number(self.get_object(), self.asker, sent["phone_number_id"])
        return self._shown(row)

    @_schema(None, s.OnboardingSerializer, "Check again now")
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, id: str) -> Response:
        return self._shown(services.resume(self.get_object(), self.asker.actor))

    @_schema(None, s.OnboardingSerializer, "Withdraw the attempt")
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, id: str) -> Response:
        return self._shown(services.withdraw(self.get_object(), self.asker.actor))

    def _shown(self, row: Onboarding, serializer: Any = None, code: int = 200) -> Response:
        fresh = self.get_queryset().get(pk=row.pk)
        made = (serializer or s.OnboardingSerializer)(fresh, context=self.get_serializer_context())
        return Response(made.data, status=code)


def _is_page(request: Request) -> bool:
    return request.query_params.get("page", "").isdigit()


def _valid(serializer: Any, request: Request) -> dict[str, Any]:
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


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
