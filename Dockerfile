# skymmich-reconciler as a container: docker build -t skymmich-reconciler .
#
# BASE is any image with Python 3.11 or newer; BUILD_BASE is one of the same with pip (its venv module), and is left
# behind. They are one unless you say otherwise.
# How it is run, beside Skymmich and Immich: compose.yaml, docs/install-docker.md.
ARG BASE=python:3.13-slim
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
# requirements-fleet.lock: with what workers for many installations need (docs/fleet.md).
ARG LOCK=requirements.lock
COPY ${LOCK} requirements.lock
COPY packages/left-out.txt packages/compile_used.py ./
# pip is in an environment of its own, which is left behind.
RUN python3 -m venv pip \
 && python3 -m venv --without-pip /opt/skymmich-reconciler/venv \
 && pip="pip/bin/pip --disable-pip-version-check --python /opt/skymmich-reconciler/venv/bin/python" \
 && $pip install --quiet --no-cache-dir --no-compile --require-hashes -r requirements.lock \
 && $pip uninstall --quiet --yes -r left-out.txt
COPY packages/container/ /opt/skymmich-reconciler/venv/bin/
COPY reconciler reconciler
COPY state state
# Libraries bring along their users' tests, what they were compiled from, and what nothing here comes to use: Pygments'
# languages other than Python (rich colours nothing but tracebacks), and a parser of YAML beside the one in Python.
RUN mv reconciler state /opt/skymmich-reconciler/venv/lib/python3*/site-packages/ \
 && find /opt/skymmich-reconciler -depth -type d \( -name testing -o -name tests \) -exec rm -r {} + \
 && find /opt/skymmich-reconciler/venv/lib -type f -name '*.p[xy][idx]' -delete \
 && find /opt/skymmich-reconciler/venv/lib -type f -name '*.[ch]' -delete \
 && find /opt/skymmich-reconciler/venv/lib -type f -path '*/pygments/lexers/*' \
    ! -name __init__.py ! -name _mapping.py ! -name python.py -delete \
 && find /opt/skymmich-reconciler/venv/lib -type f -path '*/yaml/_yaml.*.so' -delete \
 && /opt/skymmich-reconciler/venv/bin/python -B compile_used.py \
 && chmod -R u=rwX,go=rX /opt/skymmich-reconciler \
 && chmod 755 /opt/skymmich-reconciler/venv/bin/skymmich-reconciler* \
 && mkdir -p -m 700 /state/skymmich-reconciler

FROM ${BASE}
# Skymmich's own user in its container: it may read the catalogue. Another one: --user, or "user:" in compose.yaml.
ARG UID=1001
ARG GID=1001
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.title="skymmich-reconciler" \
      org.opencontainers.image.description="Keeps what Immich shows about an astrophotograph equal to what Skymmich knows about it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/skymmich-reconciler /opt/skymmich-reconciler
# In a folder: its mode would be lost of the one that is named.
COPY --from=build --chown=${UID}:${GID} /state/ /var/lib/
# A secret is a file in /run/secrets, of the name that systemd's credentials have: immich_api_key, status_token, …
ENV PATH=/opt/skymmich-reconciler/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/skymmich-reconciler \
    STATE_DIRECTORY=/var/lib/skymmich-reconciler \
    CREDENTIALS_DIRECTORY=/run/secrets \
    LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
VOLUME /var/lib/skymmich-reconciler
# Where nothing else may be written, not even /tmp, temporary files go here.
WORKDIR /var/lib/skymmich-reconciler
USER ${UID}:${GID}
EXPOSE 8287
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["skymmich-reconciler-healthy"]
# It is process 1 itself, and answers SIGTERM: within 10 s it has finished what it began.
ENTRYPOINT ["skymmich-reconciler"]
CMD ["run"]
