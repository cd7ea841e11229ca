"""Settings as `startproject` writes them, with the product's own for the database connection."""

import os

import environ

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "benchmarks.bare.urls"
WSGI_APPLICATION = "benchmarks.bare.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "benchmarks.bare",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
POOLED = {"OPTIONS": {"pool": {"min_size": 1, "max_size": 40, "timeout": 3, "max_idle": 60}}}
"""As the product has it: psycopg's pool, and no round trip to ask a connection whether it lives."""
KEPT = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
"""The other way, which the product had before: each thread keeps its connection."""
DATABASES = {
    "default": {
        **environ.Env().db_url_config(os.environ["BARE_DATABASE_URL"]),
        **(KEPT if os.environ.get("BARE_KEPT") else POOLED),
    }
}
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
