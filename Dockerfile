# Kho in one image: `kho` is what it runs, docker-compose.yml says which part of it, as which user.

FROM python:3.11.15-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/base.txt requirements/dev.txt requirements/
# What Kho is built with is pinned in dev.txt, and is not part of what runs.
RUN awk '/^setuptools==/, !/\\$/' requirements/dev.txt > requirements/build.txt \
    && python -m venv /opt/kho \
    && python -m pip install --require-hashes -r requirements/build.txt \
    && /opt/kho/bin/pip install --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md ./
COPY policies policies
COPY signing signing
COPY storage storage
COPY search search
COPY vault vault
COPY reuse_api reuse_api
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/kho/bin/pip install --no-deps /wheel/kho-*.whl \
    && /opt/kho/bin/pip uninstall --yes pip setuptools

FROM python:3.11.15-slim-bookworm
# Scans are read by tesseract; kinds of files are told by libmagic; a text that does not carry its font is
# drawn with Liberation.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-liberation libmagic1 tesseract-ocr tesseract-ocr-vie \
    && rm -rf /var/lib/apt/lists/*
# One user for each part, one group for their sockets (docs/processes.md). kho-admin owns the tables.
RUN groupadd --gid 10000 kho \
    && for one in sign:10001 gate:10002 seal:10003 api:10004 work:10005 admin:10006; do \
        useradd --uid "${one#*:}" --gid kho --no-create-home --home-dir /tmp --shell /usr/sbin/nologin \
            "kho-${one%:*}" || exit 1; \
    done \
    && install -d -m 755 /run/kho /var/lib/kho
COPY --from=build /opt/kho /opt/kho
# Nothing is written beside the program: the root of a container is read-only.
ENV PATH=/opt/kho/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /var/lib/kho
USER kho-api
ENTRYPOINT ["kho"]
CMD ["--help"]
