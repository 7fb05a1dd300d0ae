"""A distribution of small kernels: packages made by dpkg-deb, and an apt that has them.

There is one kernel of each layout that is known: Debian 12's, which is the default, the
one of Debian since 6.19, whose image package is only a name, and Ubuntu's.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

RELEASE = "6.1.0-9-amd64"
VERSION = "6.1.9-1"
OLDER = "6.1.0-8-amd64"
SPLIT = "7.2.9+deb14-amd64"
UBUNTU = "6.8.0-31-generic"
ELF = b"\x7fELF the kernel"
MODULE = b"\x7fELF a module"
#: What looks like a packed file, and is none.
FALSE_GZIP = b"\x1f\x8b\x08 no gzip"


@dataclass
class Distribution:
    """Where the packages lie, and what apt was asked for."""

    directory: Path
    log: Path

    def deb(self, name: str) -> Path:
        return next(self.directory.glob(f"{name}_*_amd64.deb"))

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def forget(self, name: str) -> None:
        """Take a package out of the lists."""
        (self.directory / f"{name}.fields").unlink()


@dataclass(frozen=True)
class _Deb:
    """A package: its version, what it depends on, and path -> content."""

    version: str
    depends: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


def _source(stem: str, names: tuple[str, ...], mode: str) -> bytes:
    """A kernel's source as a source package holds it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{mode}") as archive:
        for name in (*names, "mm/slub.c", "mm/slab.h", "mm/kasan/kasan.h", "fs/mm/slab.h"):
            content = f"/* {name} */\n".encode()
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _debian12(release: str, version: str) -> dict[str, _Deb]:
    abi = release.removesuffix("-amd64")
    common = f"linux-headers-{abi}-common"
    makefile = f"include /usr/src/{common}/Makefile\n".encode()
    modules = f"lib/modules/{release}/kernel/mm"
    image = {
        f"boot/vmlinuz-{release}": b"MZ bzImage" + gzip.compress(ELF) + b"trailer",
        f"{modules}/z3fold.ko.xz": lzma.compress(MODULE),
        f"{modules}/zbud.ko": MODULE,
    }
    depends = f"{common} (= {version}), linux-kbuild-6.1 (>= {version}), linux-compiler-gcc-12-x86"
    headers = {f"usr/src/linux-headers-{release}/Makefile": makefile}
    return {
        f"linux-image-{release}": _Deb(version, "kmod, linux-base (>= 4.3~)", image),
        f"linux-headers-{release}": _Deb(version, depends, headers),
        common: _Deb(version, "", {f"usr/src/{common}/Makefile": b"all:\n"}),
    }


def _split(release: str, version: str) -> dict[str, _Deb]:
    """The image's package is a name for three others, and the modules lie in usr/lib."""
    number = release.removesuffix("-amd64")
    home, headers = f"usr/lib/modules/{release}", f"linux-headers-{release}"
    depends = f"linux-base-{release} (= {version}), linux-binary-{release} (= {version}), linux-modules-{release} (= {version})"
    common = f"linux-headers-{number}-common"
    makefile = f"KBUILD_OUTPUT=/usr/src/{headers}\ninclude /usr/src/{common}/Makefile\n".encode()
    image = b"MZ bzImage " + FALSE_GZIP + zstandard.compress(ELF) + b"trailer"
    needs = f"gcc-99-for-host, linux-base-{release} (= {version}), {common} (= {version}), linux-kbuild-{number}"
    source = _source("linux-source-7.2", ("mm/zsmalloc.c", "mm/zpdesc.h"), "xz")
    config = b'CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-99 (Debian 99.2.0-19) 99.2.0"\n'
    return {
        f"linux-image-{release}": _Deb(version, f"dracut | initramfs-tools, {depends}"),
        f"linux-base-{release}": _Deb(version, "", {f"{home}/config": b"CONFIG_A=y\n"}),
        f"linux-binary-{release}": _Deb(
            version, f"linux-base-{release}", {f"{home}/vmlinuz": image}
        ),
        f"linux-modules-{release}": _Deb(
            version,
            "",
            {f"{home}/kernel/mm/zram.ko.zst": zstandard.compress(MODULE)},
        ),
        headers: _Deb(
            version,
            needs,
            {f"usr/src/{headers}/Makefile": makefile, f"usr/src/{headers}/.config": config},
        ),
        common: _Deb(version, "", {f"usr/src/{common}/Makefile": b"all:\n"}),
        f"linux-kbuild-{number}": _Deb(
            version, "libc6", {f"usr/lib/linux-kbuild-{number}/scripts/x": b"x"}
        ),
        "linux-source-7.2": _Deb(version, "", {"usr/src/linux-source-7.2.tar.xz": source}),
    }


def _ubuntu(release: str, version: str) -> dict[str, _Deb]:
    """Modules are a package of their own, and the source is called after three numbers."""
    abi, home = release.removesuffix("-generic"), f"lib/modules/{release}"
    headers, common = f"linux-headers-{release}", f"linux-headers-{abi}"
    image = b"MZ bzImage " + zstandard.compress(ELF) + b"trailer"
    module = {f"{home}/kernel/mm/z3fold.ko.zst": zstandard.compress(MODULE)}
    module[f"{home}/kernel/mm/zbud.ko.gz"] = gzip.compress(MODULE)
    source = _source("linux-source-6.8.0", ("mm/z3fold.c", "mm/zsmalloc.c", "mm/zbud.c"), "bz2")
    assert bz2.decompress(source)
    return {
        f"linux-image-{release}": _Deb(
            version, f"kmod, linux-modules-{release}", {f"boot/vmlinuz-{release}": image}
        ),
        f"linux-modules-{release}": _Deb(version, "", module),
        headers: _Deb(version, f"{common}, libc6", {f"usr/src/{headers}/Makefile": b"# its own\n"}),
        common: _Deb(version, "", {f"usr/src/{common}/Makefile": b"all:\n"}),
        "linux-source-6.8.0": _Deb(version, "", {"usr/src/linux-source-6.8.0.tar.bz2": source}),
    }


def _packages() -> dict[str, _Deb]:
    names = ("mm/z3fold.c", "mm/zsmalloc.c", "mm/zbud.c")
    source = {"usr/src/linux-source-6.1.tar.xz": _source("linux-source-6.1", names, "xz")}
    return {
        **_debian12(OLDER, VERSION),
        **_debian12(RELEASE, VERSION),
        "linux-kbuild-6.1": _Deb(VERSION, "", {"usr/lib/linux-kbuild-6.1/scripts/x": b"x"}),
        "linux-source-6.1": _Deb(VERSION, "", source),
        **_split(SPLIT, "7.2.9-1"),
        **_ubuntu(UBUNTU, "6.8.0-31.31"),
        # A compiler that no machine has; it came before usr was merged.
        "gcc-99": _Deb("99.2.0-19", "", {"usr/bin/gcc-99": b"#!/bin/sh\n"}),
        "mawk": _Deb("1.3.4", "", {"bin/mawk": b"#!/bin/sh\n", "lib/mawk/x": b"x"}),
        # Of these there is only the image, which is enough to offer them.
        "linux-image-6.1.0-9-rt-amd64": _Deb(VERSION),
        "linux-image-6.1.0-10-amd64-unsigned": _Deb("6.1.10-1"),
        # Metapackages.
        "linux-image-7.2-amd64": _Deb("7.2.9-1", f"linux-image-{SPLIT} (= 7.2.9-1)"),
        "linux-image-amd64": _Deb(
            VERSION, f"linux-base-amd64, linux-image-{RELEASE} (= {VERSION})"
        ),
    }


# Another apt root has no packages; other options are passed over.
_OPTIONS = """#!/bin/sh
home=$(cd "$(dirname "$0")/.." && pwd)
while [ "$1" = -o ]; do
	case "$2" in Dir::Etc::sourcelist=*) echo 'E: this test has no mirror' >&2; exit 100 ;; esac
	shift 2
done
"""
# A version that is asked for must be the one that there is.
_APT_CACHE = """
cd "$home/packages"
if [ "$1" = pkgnames ]; then
	ls | sed -n "s/^\\($2.*\\)[.]fields$/\\1/p"
	echo "$2-only-mentioned"
	exit 0
fi
shift 2
status=100
for wanted; do
	name=${wanted%%=*}
	[ -f "$name.fields" ] || continue
	case "$wanted" in
	*=*) grep -qxF "Version: ${wanted#*=}" "$name.fields" || continue ;;
	esac
	cat "$name.fields"
	echo
	status=0
done
exit $status
"""
_APT_GET = """
[ "$1" = indextargets ] && { echo 'Debian|Debian|https://mirror.example.org/debian'; exit 0; }
if [ "$1" = -s ]; then
	for last; do :; done
	echo "Inst gcc-99 (99.2.0-19 Debian:14/testing [amd64]) []"
	echo "Inst mawk (1.3.4 Debian:14/testing [amd64])"
	echo "Inst ${last%%=*} (${last#*=} Debian:14/testing [amd64])"
	echo "Conf gcc-99 (99.2.0-19 Debian:14/testing [amd64])"
	exit 0
fi
shift 2
for wanted; do
	echo "$wanted" >> "$home/asked"
	cp "$home/packages"/"${wanted%%=*}"_*.deb .
done
"""


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _build(made: Distribution, work: Path, name: str, deb: _Deb) -> None:
    for path, content in deb.files.items():
        _write(work / path, content)
    depends = f"Depends: {deb.depends}\n" if deb.depends else ""
    control = f"Package: {name}\nVersion: {deb.version}\nArchitecture: amd64\nMaintainer: A <a@example.org>\n{depends}Description: a test\n"
    _write(work / "DEBIAN/control", control.encode())
    file = made.directory / f"{name}_{deb.version}_amd64.deb"
    command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", work, file]
    subprocess.run(command, check=True, capture_output=True)
    content = file.read_bytes()
    fields = f"Package: {name}\nVersion: {deb.version}\n{depends}Size: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\nDescription: a test\n Size: not a field\n"
    (made.directory / f"{name}.fields").write_text(fields)


def make(directory: Path) -> None:
    """The distribution below *directory*, and its apt; both may be copied."""
    made = at(directory)
    made.directory.mkdir(parents=True)
    for name, deb in _packages().items():
        _build(made, directory / "work" / name, name, deb)
    shutil.rmtree(directory / "work")
    programs = directory / "bin"
    programs.mkdir()
    _program(programs / "apt-cache", _OPTIONS + _APT_CACHE)
    _program(programs / "apt-get", _OPTIONS + _APT_GET)


def at(directory: Path) -> Distribution:
    """The distribution that was made or copied to *directory*."""
    return Distribution(directory / "packages", directory / "asked")
