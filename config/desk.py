"""The admin without its pages, until addresses are asked for: workers and beat never show one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class LazyAdmin(SimpleAdminConfig):
    """`config/urls.py` loads each app's `admin`; so does whoever checks them."""

    default = False

    def ready(self) -> None:
        """As Django's own, without loading anything."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_loaded, checks.Tags.admin)


def _check_loaded(app_configs: Any, **more: Any) -> Any:
    admin.autodiscover()
    return check_admin_app(app_configs, **more)
