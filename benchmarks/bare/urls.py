"""One select, one insert, each for all and for who has signed in; and a stream of events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.models import Attempt


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    class Meta:
        model = Attempt
        exclude = ("id", "event")
        read_only_fields = ("state", "requirements", "choices")


class ResultSerializer(serializers.Serializer[Any]):
    """What Meta's window gave, as the product takes it."""

    event = serializers.CharField(required=False, max_length=80)
    waba_id = serializers.RegexField(r"^\d+$", required=False, max_length=40)
    phone_number_id = serializers.RegexField(r"^\d+$", required=False, max_length=40)


class OpenView(APIView):
    """For everybody."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    def get(self, request: Request, id: Any) -> Response:
        return Response(AttemptSerializer(get_object_or_404(Attempt, public_id=id)).data)

    def post(self, request: Request, id: Any) -> Response:
        sent = ResultSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        made = Attempt.objects.create(**sent.validated_data)
        return Response(AttemptSerializer(made).data, status=202)


class LoginView(OpenView):
    """For who has signed in: Django's session, its user, the CSRF token."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Server-sent events to one open page: an event a second, for a while."""

    def events() -> Iterator[bytes]:
        for _ in range(STREAM_SECONDS):
            yield b"data: 1\n\n"
            time.sleep(1)

    return StreamingHttpResponse(events(), content_type="text/event-stream")


STREAM_SECONDS = 4

urlpatterns = [
    path("stream/", stream),
    path("open/<uuid:id>/", OpenView.as_view()),
    path("login/<uuid:id>/", LoginView.as_view()),
]
