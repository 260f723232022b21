# Vetrina with the PostgreSQL that it brings along: `docker run -p 8000:8000 -v vetrina:/data IMAGE`.
# compose.yaml runs the same image beside a PostgreSQL and a bucket of its own.

FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/vetrina
COPY requirements.lock ./
RUN /opt/vetrina/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN /opt/vetrina/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home vetrina && install --directory --owner=vetrina --mode=0700 /data
COPY --from=build /opt/vetrina /opt/vetrina
ENV PATH=/opt/vetrina/bin:/usr/local/bin:/usr/bin:/bin VETRINA_DATA=/data VETRINA_HOST=0.0.0.0 VETRINA_PORT=8000 PYTHONUNBUFFERED=1
USER vetrina
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['VETRINA_PORT'] + '/readyz', timeout=2)"]
CMD ["vetrina", "up"]
