"""A distribution of one small kernel: packages made by dpkg-deb, and an apt that has them."""

import gzip
import hashlib
import lzma
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from z3trace.kernels.layout import SOURCES

RELEASE = "6.1.0-9-amd64"
VERSION = "6.1.9-1"
ELF = b"\x7fELF the kernel"
MODULE = b"\x7fELF a module"


@dataclass
class Distribution:
    """Where the packages lie, and what apt was asked for."""

    directory: Path
    log: Path

    def deb(self, name: str) -> Path:
        return self.directory / f"{name}_{VERSION}_amd64.deb"

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _source_archive(work: Path) -> bytes:
    for name in (*SOURCES, "mm/slub.c"):
        _write(work / f"linux-source-6.1/{name}", f"/* {name} */\n".encode())
    archive = work / "archive.tar.xz"
    with tarfile.open(archive, "w:xz") as file:
        file.add(work / "linux-source-6.1", "linux-source-6.1")
    return archive.read_bytes()


def _contents(work: Path) -> dict[str, dict[str, bytes]]:
    """Package -> path -> bytes, as Debian 12 lays them out."""
    common = "linux-headers-6.1.0-9-common"
    return {
        f"linux-image-{RELEASE}": {
            f"boot/vmlinuz-{RELEASE}": b"MZ bzImage" + gzip.compress(ELF) + b"trailer",
            f"lib/modules/{RELEASE}/kernel/mm/z3fold.ko.xz": lzma.compress(MODULE),
            f"lib/modules/{RELEASE}/kernel/mm/zbud.ko": MODULE,
        },
        f"linux-headers-{RELEASE}": {
            f"usr/src/linux-headers-{RELEASE}/Makefile": f"include /usr/src/{common}/Makefile\n".encode()
        },
        common: {f"usr/src/{common}/Makefile": b"all:\n"},
        "linux-kbuild-6.1": {"usr/lib/linux-kbuild-6.1/scripts/x": b"x"},
        "linux-source-6.1": {"usr/src/linux-source-6.1.tar.xz": _source_archive(work / "source")},
    }


_DEPENDS = {
    f"linux-image-{RELEASE}": "kmod",
    f"linux-headers-{RELEASE}": "linux-headers-6.1.0-9-common (= 6.1.9-1), linux-kbuild-6.1 (>= 6.1.9-1), linux-compiler-gcc-12-x86",
}

# A version that is asked for must be the one that there is.
_APT_CACHE = """#!/bin/sh
cd '{directory}'
name=${{3%%=*}}
case "$3" in *=*) [ "${{3#*=}}" = {version} ] || exit 100;; esac
[ -f "$name.fields" ] && cat "$name.fields" || exit 100
"""
_APT_GET = """#!/bin/sh
echo "$3" >> '{log}'
cp '{directory}'/"${{3%%=*}}"_*.deb .
"""


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def make(directory: Path) -> tuple[Distribution, Path]:
    """The distribution, below *directory*, and where its apt is."""
    made = Distribution(directory / "packages", directory / "asked")
    made.directory.mkdir(parents=True)
    for name, files in _contents(directory / "work").items():
        tree = directory / "work" / name
        for path, content in files.items():
            _write(tree / path, content)
        control = f"Package: {name}\nVersion: {VERSION}\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDescription: a test\n"
        _write(tree / "DEBIAN/control", control.encode())
        command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", tree, made.deb(name)]
        subprocess.run(command, check=True, capture_output=True)
        deb = made.deb(name).read_bytes()
        fields = f"Package: {name}\nVersion: {VERSION}\nDepends: {_DEPENDS.get(name, '')}\nSize: {len(deb)}\nSHA256: {hashlib.sha256(deb).hexdigest()}\nDescription: a test\n Size: not a field\n"
        (made.directory / f"{name}.fields").write_text(fields)
    (made.directory / "linux-image-amd64.fields").write_text(
        f"Package: linux-image-amd64\nVersion: {VERSION}\nDepends: linux-image-{RELEASE} (= {VERSION})\n"
    )
    programs = directory / "bin"
    programs.mkdir()
    _program(programs / "apt-cache", _APT_CACHE.format(directory=made.directory, version=VERSION))
    _program(programs / "apt-get", _APT_GET.format(directory=made.directory, log=made.log))
    return made, programs
