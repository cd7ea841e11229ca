"""All settings, from the environment only; nonsense stops the start with every fault named.

Sources, first one wins: the environment, `.env`, `.local/run.env` (written by `make run`).
A secret may also come from a file: `NAME_FILE=/run/secrets/name`. The table of settings is in
the README.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from phonenumbers import SUPPORTED_REGIONS

from config.logs import logging_of

BASE_DIR = Path(__file__).resolve().parent.parent

if not os.environ.get("ONLY_ENVIRONMENT"):  # set by the tests, which read no file of the checkout
    for _source in (BASE_DIR / ".env", BASE_DIR / ".local" / "run.env"):
        if _source.is_file():
            environ.Env.read_env(_source, overwrite=False)

env = environ.FileAwareEnv()
_faults: list[str] = []


def _required(name: str, remedy: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        _faults.append(f"{name} is not set: {remedy}")
    return value


def _flag(name: str, default: bool) -> bool:
    text = env.str(name, default="").lower() or str(default).lower()
    if text not in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        _faults.append(f"{name} is {text!r}: use true or false")
    return text in {"true", "1", "yes", "on"}


def _choice(name: str, default: str, allowed: set[str]) -> str:
    value: str = env.str(name, default=default)
    if value not in allowed:
        _faults.append(f"{name} is {value!r}: use one of {', '.join(sorted(allowed))}")
    return value


def _number(name: str, default: int, least: int) -> int:
    text = env.str(name, default=str(default))
    if not text.isdigit() or int(text) < least:
        _faults.append(f"{name} is {text!r}: use a whole number of at least {least}")
        return default
    return int(text)


def _json(name: str) -> dict[str, Any] | None:
    text = env.str(name, default="")
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        _faults.append(f"{name} is not JSON ({error})")
        return None
    if not isinstance(value, dict):
        _faults.append(f"{name} must be a JSON object")
        return None
    return value


def _digits(name: str, default: str = "") -> str:
    value: str = env.str(name, default=default)
    if value and not value.isdigit():
        _faults.append(f"{name} is {value!r}: Meta's ids are digits only")
    return value


def _countries(name: str, default: list[str]) -> list[str]:
    codes = [each.strip().upper() for each in env.list(name, default=default) if each.strip()]
    unknown = [code for code in codes if code not in SUPPORTED_REGIONS]
    if unknown:
        _faults.append(
            f"{name} has {', '.join(unknown)}: use countries' two-letter codes, separated by commas"
        )
    return sorted(set(codes))


def _url(name: str, default: str) -> str:
    value: str = env.str(name, default=default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        _faults.append(f"{name} is {value!r}: use an address that starts with https://")
    return value


_ASK_RUN = "run `make run`, which starts an embedded one, or give the address of your own"

# --- Django -------------------------------------------------------------------------------------

SECRET_KEY = _required("SECRET_KEY", "give a random string of at least 50 characters")
SITE_URL = _url("SITE_URL", "http://localhost:8000")
_site = urlsplit(SITE_URL)
HTTPS = _site.scheme == "https"
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[]) or (
    ["localhost", "127.0.0.1"] if _site.hostname == "localhost" else [_site.hostname or ""]
)
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "tenants.User"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",  # its templates before those of import_export
    "config.desk.LazyAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "tenants",
    "onboarding",
]

MIDDLEWARE = [
    "config.middleware.ForwardedHeaders",  # first: `request.headers` is a copy, made when asked for
    "config.middleware.RequestId",
    "config.metrics.Measured",
    "django.middleware.security.SecurityMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "config.middleware.ResourcePolicy",
    "config.middleware.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.languages.Spoken",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.middleware.StaffSecondFactor",
    "onboarding.entrance.Entrance",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.RedisAway",
    "onboarding.guests.AskWhom",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.partner",
                "tenants.languages.shown",
            ],
            "libraries": {"modules": "config.modules"},
        },
    }
]

_database = env.db_url_config(_required("DATABASE_URL", _ASK_RUN) or "postgres://unset/unset")
if _database["ENGINE"] != "django.db.backends.postgresql":
    _faults.append(
        # pragma: allowlist nextline secret - the shape, no password
        "DATABASE_URL must name a PostgreSQL database: postgres://USER:PASSWORD@HOST/NAME"
    )
DATABASE_POOL_SIZE = _number("DATABASE_POOL_SIZE", 40, 0)
# Celery closes its connection around each task; the pool makes that cheap. If none can be had soon,
# PostgreSQL is away, which is told rather than waited for.
_pool = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 3, "max_idle": 60}
if DATABASE_POOL_SIZE:
    _database = {
        **_database,
        "ENGINE": "config.database",
        "OPTIONS": {**_database.get("OPTIONS", {}), "pool": _pool},
    }
else:
    _database = {**_database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": _database}

REDIS_URL = _required("REDIS_URL", _ASK_RUN)
_REDIS: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "onboarding",
}
CACHES = {
    "default": {**_REDIS, "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1}},
    # The same, where nobody waits longer for a nudge (onboarding/publishing.py).
    "nudges": {**_REDIS, "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}},
}
SESSION_ENGINE = "tenants.sessions"

MESSAGE_TAGS = {25: "done", 30: "act", 40: "stop"}  # the notes of static/base.css, by level
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("zh-hans", "简体中文"),
    ("es", "Español"),
    ("pt-br", "Português (Brasil)"),
    ("id", "Bahasa Indonesia"),
    ("ar", "العربية"),
]
TIME_ZONE = "UTC"
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# On: pages name what `collectstatic` wrote, by the hash of its content, so browsers keep it for
# good; compressed beforehand. Off: the checkout's own files, each asked for anew after a minute.
STATIC_COLLECTED = _flag("STATIC_COLLECTED", default=False)
_collected = "config.static.HashedFiles"
_as_they_are = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _collected if STATIC_COLLECTED else _as_they_are},
}
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
WHITENOISE_AUTOREFRESH = False
WHITENOISE_KEEP_ONLY_HASHED_FILES = False  # the admin's theme and the API docs name some plainly

# --- Security -----------------------------------------------------------------------------------

FIELD_ENCRYPTION_KEYS: list[str] = [
    key
    for key in _required(
        "FIELD_ENCRYPTION_KEYS", "give one or more Fernet keys, separated by commas"
    ).split(",")
    if key
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
# Probes and Prometheus come inside the proxy, by http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
# Django's default cuts Meta's window from its opener; the signup pages relax it, only they.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What a body may have, by the beginning of the path; the longest that fits counts. The proxy has a
# limit of its own (deploy/Caddyfile), the web server reads no more than was announced.
BODY_LIMITS = {"/": 100_000, "/api/": 65_536, "/admin/": 1_000_000, "/webhooks/": 1_000_000}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
# Nothing of the browser's that these pages could use is open to them, but what they do use.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    **{
        feature: []
        for feature in (
            "accelerometer", "autoplay", "browsing-topics", "camera",
            "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid",
            "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
        )
    },
    "clipboard-write": ["self"],
    "publickey-credentials-create": ["self"],
    "publickey-credentials-get": ["self"],
}  # fmt: skip

DEFAULT_EXCEPTION_REPORTER_FILTER = "tenants.redaction.ReportFilter"

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Login --------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["tenants.login.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
STAFF_MFA_REQUIRED = _flag("STAFF_MFA_REQUIRED", default=HTTPS)
TENANT_SELF_SIGNUP = _flag("TENANT_SELF_SIGNUP", default=False)

ACCOUNT_ADAPTER = "tenants.login.AccountAdapter"
ACCOUNT_FORMS = {"signup": "tenants.forms.AccountSignupForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_DISPLAY = "tenants.login.shown_as"
# A code instead of a link: it works in the window that asked, and no scanner can use it up.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "10/m/ip,50/d/ip",
    "reset_password": "10/m/ip,3/10m/key",
}
MFA_ADAPTER = "tenants.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # one step of 30 s before and after: phones' clocks drift
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS and _site.hostname == "localhost"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/connect/"

EMAIL_URL: str = env.str("EMAIL_URL", default="consolemail://")
vars().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL: str = env.str(
    "DEFAULT_FROM_EMAIL", default="WhatsApp onboarding <noreply@localhost>"
)
EMAIL_TIMEOUT = 10
MAIL_REPLY_TO: str = env.str("MAIL_REPLY_TO", default="")  # where answers to letters go
if MAIL_REPLY_TO and "@" not in MAIL_REPLY_TO:
    _faults.append(f"MAIL_REPLY_TO is {MAIL_REPLY_TO!r}: use an e-mail address")
STAFF_DIGEST_HOURS = _number("STAFF_DIGEST_HOURS", 4, 1)  # between two digests of what is stuck

# --- API ----------------------------------------------------------------------------------------

# Of one key, one user or one link; what Meta's window gave is counted by itself.
API_RATE_PER_MINUTE = _number("API_RATE_PER_MINUTE", 600, 60)
# Of one tenant, and of one address (an office behind one address counts as one).
LAUNCHES_PER_MINUTE = _number("LAUNCHES_PER_MINUTE", 60, 10)
LINK_OPENINGS_PER_MINUTE = _number("LINK_OPENINGS_PER_MINUTE", 60, 10)  # of one address
LINKS_PER_HOUR = _number("LINKS_PER_HOUR", 60, 1)  # made by one tenant's owners; letters go out

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "onboarding.api.authentication.KeyAuthentication",
        "onboarding.api.authentication.GuestAuthentication",
        "onboarding.api.authentication.MemberAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["onboarding.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "onboarding.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "onboarding.api.errors.envelope",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WhatsApp onboarding",
    "VERSION": "1",
    "DESCRIPTION": (
        "Connect a customer's WhatsApp number. v1 only adds; accept new words. A backend sends "
        "`Authorization: Bearer KEY`; a page uses its session or signup link with `X-CSRFToken`. "
        "Every POST takes an `Idempotency-Key`."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "OnboardingStateEnum": "onboarding.states.State",
        "LinkStateEnum": ["open", "expired", "revoked"],
    },
}

CELERY_BROKER_URL = REDIS_URL
# Each has workers of its own; a worker of several takes the first of these that has a message.
WORKER_QUEUES = ("exchange", "default", "outbound", "waiting")

# --- YCloud, Meta, and the sandbox that stands in for both ----------------------------------------

_real = {"META_APP_ID", "META_APP_ID_FILE"} | {n for n in os.environ if n.startswith("YCLOUD_")}
SANDBOX_ORIGIN: str = (
    "" if any(os.environ.get(name) for name in _real) else env.str("SANDBOX_ORIGIN", default="")
)


def _or_sandbox(path: str, default: str) -> str:
    return f"{SANDBOX_ORIGIN}{path}" if SANDBOX_ORIGIN else default


def _if_sandbox(value: str) -> str:
    return value if SANDBOX_ORIGIN else ""


YCLOUD_API_BASE_URL = _url("YCLOUD_API_BASE_URL", _or_sandbox("/v2", "https://api.ycloud.com/v2"))
YCLOUD_API_KEY: str = env.str("YCLOUD_API_KEY", default=_if_sandbox("sandbox-key"))
YCLOUD_WEBHOOK_SECRETS: list[str] = env.list(
    "YCLOUD_WEBHOOK_SECRETS", default=["whsec_sandbox"] if SANDBOX_ORIGIN else []
)
YCLOUD_TP_BIND = _choice("YCLOUD_TP_BIND", "auto", {"auto", "always", "never"})
# Our share of the account's 200 a second and 10,000 an hour; the rest is the partner's own traffic.
YCLOUD_QUOTA_PER_SECOND = _number("YCLOUD_QUOTA_PER_SECOND", 180, 1)
YCLOUD_QUOTA_PER_HOUR = _number("YCLOUD_QUOTA_PER_HOUR", 9_000, 1)
REGISTER_BUDGET = _number("REGISTER_BUDGET", 10, 1)
REGISTER_RESERVE = _number("REGISTER_RESERVE", 2, 0)
if REGISTER_RESERVE >= REGISTER_BUDGET:
    _faults.append("REGISTER_RESERVE must be smaller than REGISTER_BUDGET, or nothing registers")

META_SDK_URL = _url(
    "META_SDK_URL", _or_sandbox("/sdk.js", "https://connect.facebook.net/en_US/sdk.js")
)
META_SDK_VERSION: str = env.str("META_SDK_VERSION", default="v22.0")
META_GRAPH_BASE_URL = _url(
    "META_GRAPH_BASE_URL", _or_sandbox("/graph", "https://graph.facebook.com")
)
META_GRAPH_VERSION: str = env.str("META_GRAPH_VERSION", default="v22.0")
META_DIALOG_URL = _url(
    "META_DIALOG_URL",
    _or_sandbox("/dialog/oauth", f"https://www.facebook.com/{META_GRAPH_VERSION}/dialog/oauth"),
)
META_APP_ID = _digits("META_APP_ID", _if_sandbox("100000000000001"))
META_APP_SECRET: str = env.str("META_APP_SECRET", default=_if_sandbox("sandbox-app-secret"))
# Off: the token is dropped as soon as the grant is read.
META_KEEP_TOKEN = _flag("META_KEEP_TOKEN", default=False)
META_MESSAGE_ORIGIN_HOSTS: list[str] = env.list(
    "META_MESSAGE_ORIGIN_HOSTS", default=["facebook.com"]
)
_versions = {"v2", "v3", "v4"}
# One entry a connection mode; coexistence falls back to the first where its own is unset.
META_CONFIG_ID = {"business_platform": _digits("META_CONFIG_ID", _if_sandbox("200000000000001"))}
META_SOLUTION_ID = {
    "business_platform": _digits("META_SOLUTION_ID", _if_sandbox("300000000000001"))
}
META_SIGNUP_VERSION = {"business_platform": _choice("META_SIGNUP_VERSION", "v4", _versions)}
META_SIGNUP_EXTRAS = {"business_platform": _json("META_SIGNUP_EXTRAS")}
META_CONFIG_ID["business_app"] = _digits(
    "META_CONFIG_ID_BUSINESS_APP", META_CONFIG_ID["business_platform"]
)
META_SOLUTION_ID["business_app"] = _digits(
    "META_SOLUTION_ID_BUSINESS_APP", META_SOLUTION_ID["business_platform"]
)
META_SIGNUP_VERSION["business_app"] = _choice(
    "META_SIGNUP_VERSION_BUSINESS_APP", META_SIGNUP_VERSION["business_platform"], _versions
)
META_SIGNUP_EXTRAS["business_app"] = (
    _json("META_SIGNUP_EXTRAS_BUSINESS_APP") or META_SIGNUP_EXTRAS["business_platform"]
)

# --- The product --------------------------------------------------------------------------------

ONBOARDING_APPROVAL = _choice("ONBOARDING_APPROVAL", "never", {"never", "new_tenants", "always"})
ONBOARDING_UNPROVEN_IS_SET = bool(env.str("ONBOARDING_UNPROVEN", default=""))
# Without Meta's secret nothing can be proven; stopping everybody would help nobody, so the
# deploy check asks for a conscious choice instead.
ONBOARDING_UNPROVEN = _choice(
    "ONBOARDING_UNPROVEN",
    "review" if META_APP_SECRET else "continue",
    {"continue", "review", "stop"},
)
# The journal of calls counts the register budget of 72 h, so it is never shorter than 4 days.
RETENTION_DAYS = _number("RETENTION_DAYS", 90, 4)
# Endpoints of our own webhooks at private addresses: for development, and partners who run inside.
OUTBOUND_ALLOW_PRIVATE = (
    _choice("OUTBOUND_ALLOW_PRIVATE", "true" if SANDBOX_ORIGIN else "false", {"true", "false"})
    == "true"
)
# Meta's cap for this partner: 10 new customers in 7 days, after its review 200.
# Meta publishes no list; YCloud's help centre names these two (Nov 2026). The page warns only.
COEXISTENCE_COUNTRIES_OUT = _countries("COEXISTENCE_COUNTRIES_OUT", ["NG", "ZA"])
META_NEW_CUSTOMERS_PER_7_DAYS = _number("META_NEW_CUSTOMERS_PER_7_DAYS", 10, 1)
# In the currency of YCloud's balance (always USD so far): below it the desk and doctor warn.
YCLOUD_BALANCE_WARNING = _number("YCLOUD_BALANCE_WARNING", 20, 0)
PARTNER_NAME: str = env.str("PARTNER_NAME", default="Your partner")
PARTNER_LOGO: str = env.str("PARTNER_LOGO", default="")
PARTNER_ACCENT: str = env.str("PARTNER_ACCENT", default="#0b6bcb")

if "//" in PARTNER_LOGO:  # a logo from elsewhere is the one picture that the policy lets in
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"].append(
        "{0.scheme}://{0.netloc}".format(urlsplit(PARTNER_LOGO))
    )

# The accent of the signup pages in the theme's steps; white is readable on 600 and darker.
ADMIN_BLUES = {
    "50": "#eff6fe", "100": "#dcebfc", "200": "#bfdbf9", "300": "#93c3f4", "400": "#5fa3ec",
    "500": "#2f86e0", "600": "#0b6bcb", "700": "#0a58a8", "800": "#0d4a89", "900": "#113f71",
    "950": "#0b284b",
}  # fmt: skip

UNFOLD = {
    "SITE_TITLE": f"{PARTNER_NAME}: WhatsApp onboarding",
    "SITE_HEADER": PARTNER_NAME,
    "SITE_SUBHEADER": "WhatsApp onboarding",
    "SITE_URL": "/connect/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}favicon.svg"}],
    "STYLES": [f"{STATIC_URL}{name}.css" for name in ("admin", "admin_desk", "admin_record")],
    "SCRIPTS": [f"{STATIC_URL}admin.js"],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"primary": ADMIN_BLUES},
    "DASHBOARD_CALLBACK": "onboarding.desk.dashboard",
    "SIDEBAR": {"navigation": "config.navigation.sidebar", "show_search": False},
}

# --- How it is watched ----------------------------------------------------------------------------

_LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR"}
LOG_FORMAT = _choice("LOG_FORMAT", "text" if SANDBOX_ORIGIN else "json", {"json", "text"})
LOG_LEVEL = _choice("LOG_LEVEL", "INFO", _LEVELS)
LOGGING = logging_of(LOG_FORMAT, LOG_LEVEL)

# Who may read /metrics from elsewhere than this machine.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
if 0 < len(METRICS_TOKEN) < 16:
    _faults.append("METRICS_TOKEN is too short to keep anybody out: use at least 16 characters")
# Where a worker shows its own figures, which the web's processes do not see from elsewhere.
METRICS_PORT = _number("METRICS_PORT", 0, 0)
if METRICS_PORT > 65_535:
    _faults.append(f"METRICS_PORT is {METRICS_PORT}: use a port, or 0 for none")
# Read by prometheus-client itself: the counts of all processes of one machine come together there.
PROMETHEUS_MULTIPROC_DIR: str = env.str("PROMETHEUS_MULTIPROC_DIR", default="")
if PROMETHEUS_MULTIPROC_DIR:
    try:
        Path(PROMETHEUS_MULTIPROC_DIR).mkdir(parents=True, exist_ok=True)
    except OSError as _error:
        _faults.append(f"PROMETHEUS_MULTIPROC_DIR cannot be made: {_error.strerror}")

# Errors and traces go to servers of yours; off, and their libraries asleep, unless named.
SENTRY_DSN = _url("SENTRY_DSN", "") if env.str("SENTRY_DSN", default="") else ""
if SENTRY_DSN and not (urlsplit(SENTRY_DSN).username and urlsplit(SENTRY_DSN).path.strip("/")):
    _faults.append("SENTRY_DSN must look like https://KEY@HOST/PROJECT")
OTEL_EXPORTER_OTLP_ENDPOINT = (
    _url("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    if env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
    else ""
)

if _faults:
    raise ImproperlyConfigured("The settings are not usable:\n- " + "\n- ".join(_faults))
