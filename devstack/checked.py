"""Django's checks as in production: `python -m devstack.checked check --deploy`.

The values are placeholders of the right shape; nothing is connected to.
"""

import os
import sys
import warnings

PRODUCTION = {
    "ONLY_ENVIRONMENT": "1",
    "SECRET_KEY": "placeholder-" + "x7Kq9mZt" * 8,
    "FIELD_ENCRYPTION_KEYS": "A" * 43 + "=",
    "DATABASE_URL": "postgres://onboarding_app:x@db.internal/onboarding",
    "DATABASE_POOL_SIZE": "0",  # there is no such host to be waited for
    "REDIS_URL": "redis://:x@redis.internal/0",
    "SITE_URL": "https://signup.example.com",
    "ALLOWED_HOSTS": "signup.example.com",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "YCLOUD_API_KEY": "placeholder",
    "YCLOUD_WEBHOOK_SECRETS": "whsec_placeholder",
    "META_APP_ID": "100000000000009",
    "META_APP_SECRET": "placeholder",
    "META_CONFIG_ID": "200000000000009",
    "META_SOLUTION_ID": "300000000000009",
    "ONBOARDING_UNPROVEN": "review",
    "STATIC_COLLECTED": "true",
    "EMAIL_URL": "smtp+tls://user:x@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "Onboarding <signup@example.com>",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
"""A complete production environment, as the README's table asks for it."""


def main(arguments: list[str]) -> None:
    """Run one management command with these settings and no others."""
    for name in [n for n in os.environ if n.startswith(("YCLOUD_", "META_", "ONBOARDING_"))]:
        del os.environ[name]
    os.environ.update(PRODUCTION)
    # `makemigrations --check` compares files; that no database answers here is no finding.
    warnings.filterwarnings("ignore", "Got an error checking a consistent", RuntimeWarning)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
