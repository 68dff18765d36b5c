# One image for each service, one for the web UI and one that makes the gateway's configuration, from one file:
#
#     docker build --build-arg SERVICE=patients --tag infirmary/patients .
#
# Web process, worker and migration are the same image with other arguments: `serve patients`, `work patients`, `migrate patients`.
# BASE is any image with Python 3.11 to 3.13; a release names it by digest.
ARG BASE=docker.io/library/python:3.11-slim

FROM ${BASE} AS build
ARG SERVICE
# Without pip inside: what installs stays in this stage.
RUN python3 -m venv --without-pip /opt/venv
COPY requirements/${SERVICE}.txt /build/requirements.txt
RUN python3 -m pip --disable-pip-version-check --python /opt/venv/bin/python install --quiet --no-cache-dir \
    --only-binary :all: --require-hashes --requirement /build/requirements.txt
COPY . /build/source
# That one, what all share, and the contracts: code of another service is not in the image, so nothing can import it.
WORKDIR /build/source
RUN mkdir -p /app/services \
    && cp -r openapi /app/ \
    && cp -r services/__init__.py services/chassis services/kernel /app/services/ \
    && if [ -d "services/${SERVICE}" ]; then cp -r "services/${SERVICE}" /app/services/; else cp -r "${SERVICE}" /app/; fi \
    && /opt/venv/bin/python -m compileall -q /app

FROM ${BASE}
ARG SERVICE
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="infirmary/${SERVICE}" \
      org.opencontainers.image.description="Infirmary, administrative health records of a hospital: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH="/opt/venv/bin:${PATH}" \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    HOST=0.0.0.0 \
    INFIRMARY_VERSION="${VERSION}"
WORKDIR /app
# No name needed, no file of its own: any other uid works as well.
USER 10001:10001
EXPOSE 8080 8081
ENTRYPOINT ["python", "-m", "services.chassis"]
