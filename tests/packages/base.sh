#!/bin/bash
# Makes two base images for the Dockerfile out of Debian's packages alone, where no registry of images is.
#
#   base.sh CODENAME BASE.tar BUILD.tar     BASE: essentials and Python; BUILD: with venv and pip besides
set -euo pipefail
export base=$2

options=() excluded=
for what in doc man info locale; do # as "slim" images do
	options+=("--dpkgopt=path-exclude=/usr/share/$what/*")
done
for left in ./usr/share/zoneinfo/right ./usr/share/zoneinfo/posix ./var/cache/debconf ./var/cache/apt ./var/lib/apt/lists ./var/lib/apt/apt.conf ./dev ./proc ./sys; do
	excluded+=" --exclude=$left"
done
export excluded
# usr-is-merged and its hook: else Perl comes with it. The pip of Debian is only unpacked: to be installed it would
# want more than the stage that installs our libraries needs.
mmdebstrap --quiet --variant=essential --include=python3,tzdata,usr-is-merged "${options[@]}" \
	--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	--customize-hook='tar --create --file="$base" --directory="$1" $excluded .' \
	--customize-hook='
		mkdir "$1/pip"
		cd "$1/pip"
		version=$(basename "$1"/usr/lib/python3.*)
		APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download -qq "$version-venv" python3-pip-whl python3-setuptools-whl
		for package in *.deb; do dpkg-deb --extract "$package" "$1"; done
		rm -r "$1/pip"' \
	"$1" "$3"
