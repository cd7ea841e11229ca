"""What gunicorn serves. It is loaded in each of its workers, after the fork."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config import reporting

reporting.begin_errors()
reporting.begin_traces()
application = get_wsgi_application()
