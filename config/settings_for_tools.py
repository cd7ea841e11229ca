"""Settings for mypy and linters, which load Django without servers: placeholders where unset."""

import os

for _name, _value in {
    "SECRET_KEY": "for-tools-only",
    "FIELD_ENCRYPTION_KEYS": "A" * 43 + "=",
    "DATABASE_URL": "postgres://tools@127.0.0.1/tools",
    "REDIS_URL": "redis://127.0.0.1/0",
}.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403
