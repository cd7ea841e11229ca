"""Django's PostgreSQL backend with connections of psycopg's pool that are known to be alive.

`DATABASES["default"]["ENGINE"]` names this package; Django loads `base.py`.
"""
