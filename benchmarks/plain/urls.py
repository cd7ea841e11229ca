"""One view that takes a signup and one that shows it."""

import json

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.plain.models import Signup
from benchmarks.plain.tasks import connect


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n")


@csrf_exempt
def signup(request: HttpRequest) -> JsonResponse:
    sent = json.loads(request.body)
    row = Signup.objects.create(**{n: sent[n] for n in ("waba_id", "phone_number_id")})
    connect.delay(row.pk)
    return JsonResponse({"id": row.pk}, status=202)


def shown(request: HttpRequest, pk: int) -> JsonResponse:
    return JsonResponse({"status": get_object_or_404(Signup, pk=pk).status})


urlpatterns = [
    path("healthz", healthz),
    path("signup/", signup),
    path("signup/<int:pk>/", shown),
    path("admin/", admin.site.urls),
]
