#!/bin/sh
# Builds the container image with the engine that is here. Arguments are the engine's: --build-arg BASE=…, --tag …
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' reconciler/__init__.py)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

for engine in docker podman buildah; do
	command -v "$engine" >/dev/null || continue
	# OCI's own format knows no HEALTHCHECK.
	case $engine in docker) format= ;; *) format=--format=docker ;; esac
	exec "$engine" build $format --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
		--tag skymmich-reconciler "$@" .
done
echo "An image is built with docker, podman or buildah, and none of them is here." >&2
exit 1
