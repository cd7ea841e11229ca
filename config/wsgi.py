"""What gunicorn serves: loaded once, before its workers are forked, so that they share it.

With traces it is loaded in each worker: their thread would not survive the fork (gunicorn.py).
"""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import reporting

reporting.begin_errors()
reporting.begin_traces()
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - loads all views now, not with the first request
