# The one image of web, workers, beat and migrations. Nothing in it runs as root.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements/app.txt /tmp/app.txt
RUN /venv/bin/pip install --require-hashes --no-deps -r /tmp/app.txt
WORKDIR /app
COPY devstack ./devstack
COPY locale ./locale
RUN /venv/bin/python -m devstack.translations compile

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_COLLECTED=true
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin app
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY config ./config
COPY tenants ./tenants
COPY onboarding ./onboarding
COPY ycloud_client ./ycloud_client
COPY templates ./templates
COPY static ./static
COPY --from=build /app/locale ./locale
# The settings that collectstatic insists on; it connects to nothing.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEYS=build DATABASE_URL=postgres://build/build \
    REDIS_URL=redis://build python manage.py collectstatic --noinput
USER app
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--config", "config/gunicorn.py", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
