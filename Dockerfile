# Built in two stages: npm and the files that only tests need stay behind.
FROM python:3.11-slim AS build
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt requirements-node.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
RUN python -m venv /node && /node/bin/pip install --no-cache-dir --require-hashes -r requirements-node.txt
COPY . .
RUN /node/bin/python scripts/frontend.py && rm -rf node_modules
# The key is of use to nobody: it is needed to load the settings and does not stay in the image.
RUN SECRET_KEY=only-for-collecting-static-files-0123456789 BASE_URL=https://localhost VAR_DIR=/tmp/var STATIC_DIR=/app/collected \
    /venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH \
    VAR_DIR=/var/socialstrategy STATIC_DIR=/app/collected WEB_CONCURRENCY=2
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# Code and static files belong to root and are read-only for the one who runs them; only VAR_DIR is written to.
RUN mkdir /var/socialstrategy && chown 10001:10001 /var/socialstrategy
USER 10001:10001
VOLUME /var/socialstrategy
EXPOSE 8000
CMD ["gunicorn", "socialstrategy.wsgi", "--bind", "0.0.0.0:8000", "--threads", "4", "--preload"]
