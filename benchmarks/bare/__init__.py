"""The comparator of the intake: a bare Django project with one DRF view, one table, one statement.

What `django-admin startproject` gives, with REST framework: the same server, the same PostgreSQL,
the same columns in the answer. It leaves out what the product has beside them: the wall between
tenants, limits, languages, metrics, the journal, the worker that is told.
"""
