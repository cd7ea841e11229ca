"""The brief's two calls, one after the other."""

import os

import httpx
from celery import shared_task

from benchmarks.plain.models import Signup


@shared_task(autoretry_for=(httpx.HTTPError,), retry_backoff=True)
def connect(signup_id: int) -> None:
    """Retrieve the account, register the number, keep what it says."""
    signup = Signup.objects.get(pk=signup_id)
    base = f"{os.environ['YCLOUD_API_BASE_URL']}/whatsapp"
    with httpx.Client(headers={"X-API-Key": os.environ["YCLOUD_API_KEY"]}) as http:
        http.get(f"{base}/businessAccounts/{signup.waba_id}").raise_for_status()
        number = f"{base}/phoneNumbers/{signup.waba_id}/{signup.phone_number_id}/register"
        told = http.post(number, json={}).raise_for_status().json()
    Signup.objects.filter(pk=signup_id).update(status=told.get("status") or "CONNECTED")


@shared_task
def tick() -> None:
    """What beat sends."""
