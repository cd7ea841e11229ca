"""A plain Django + Celery project that does the brief's two calls, as a comparator: it really runs.

What `django-admin startproject` makes, one table, one view, one task; no gates, walls, journal,
fences or metrics. Same servers, web server and worker processes as ours.
"""

from benchmarks.plain.celery import app as celery_app

__all__ = ["celery_app"]
