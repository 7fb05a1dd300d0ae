#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Everything a fresh Debian 12, 13 or testing needs: packages (root, announced), then .venv.
set -eu
cd "$(dirname "$0")"

packages="ca-certificates python3 python3-venv python3-bpfcc qemu-system-x86
busybox-static kmod bubblewrap coccinelle pahole binutils file patch gcc libc6-dev make bc bison flex libelf-dev ccache xz-utils zstd lz4 lzop bpftrace bpfcc-tools chromium git"

# shellcheck source=/dev/null
. /etc/os-release
# testing and unstable have no number yet.
if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-99}" -lt 12 ]; then
	echo "setup: this is ${PRETTY_NAME:-not Debian}; on Debian 12 and 13 these packages are installed," >&2
	# The list has a line break, which goes.
	# shellcheck disable=SC2086,SC2116
	echo "their like is needed here (docs/distributions.md): $(echo $packages)" >&2
	echo "and a python3 -m venv --system-site-packages .venv with, in it," >&2
	echo "'pip install --require-hashes -r constraints.txt' and 'pip install --no-deps -e .'" >&2
	exit 4
fi

missing=
for package in $packages; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" = 0 ]; then
		sudo=
	else
		sudo=sudo
		echo "setup: sudo is used to install:$missing"
	fi
	echo "setup: installing$missing"
	$sudo apt-get -q update
	# Several words are meant, or none.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $sudo apt-get -qy install --no-install-recommends $missing
fi
# The kernel's packages are downloaded by name: their lists must be there.
if ! apt-cache show linux-image-amd64 >/dev/null 2>&1; then
	echo "setup: the package lists are read again"
	if [ "$(id -u)" = 0 ]; then apt-get -q update; else sudo apt-get -q update; fi
fi

# The distribution's own interpreter is the one that has bcc.
if [ ! -x .venv/bin/python ]; then
	/usr/bin/python3 -m venv --system-site-packages .venv
fi
pip=".venv/bin/python -m pip -q install --disable-pip-version-check"
# Nothing is installed whose digest is not written down; z3trace is built with what is there.
$pip --require-hashes -r constraints.txt
$pip --no-deps --no-build-isolation -e .
