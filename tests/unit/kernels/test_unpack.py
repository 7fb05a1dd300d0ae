"""Packages become a small root file system; an image becomes an ELF file."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from distribution import RELEASE, Distribution

from z3trace.errors import Z3traceError
from z3trace.kernels import packages, unpack
from z3trace.kernels.layout import SOURCES, Kernel

ELF = b"\x7fELF" + bytes(range(256)) * 40


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_the_elf_image_inside_a_bzimage(pack: Callable[[bytes], bytes]) -> None:
    # What follows the payload is the boot code's and no part of it.
    assert unpack.unpack_image(b"MZ\0 set-up code" + pack(ELF) + b"\0" * 40) == ELF


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_payload_that_is_no_elf_is_left_packed(pack: Callable[[bytes], bytes]) -> None:
    assert unpack.unpack_image(b"MZ\0" + pack(b"something else")) is None


def test_another_compression_is_left_packed() -> None:
    assert unpack.unpack_image(b"MZ\0\x28\xb5\x2f\xfd zstd") is None


@pytest.fixture
def unpacked(distribution: Distribution, tmp_path: Path) -> Kernel:
    debs = [distribution.deb(package.name) for package in packages.resolve()[1]]
    kernel = Kernel(tmp_path / "work", RELEASE, "6.1.9-1")
    kernel.directory.mkdir()
    unpack.unpack(kernel, debs, Path("/home/of/it"), lambda _: None)
    return kernel


def test_the_image_is_unpacked(unpacked: Kernel) -> None:
    assert unpacked.image.read_bytes() == b"\x7fELF the kernel"


def test_modules_are_unpacked_and_indexed(unpacked: Kernel) -> None:
    for name in ("z3fold", "zbud"):
        assert unpacked.module(name).name == f"{name}.ko"
        assert unpacked.module(name).read_bytes() == b"\x7fELF a module"
    assert (unpacked.modules / "modules.dep").is_file()


def test_only_the_sources_that_are_built_from_are_unpacked(unpacked: Kernel) -> None:
    files = {str(p.relative_to(unpacked.sources)) for p in unpacked.sources.rglob("*.*")}
    assert files == set(SOURCES)
    assert unpacked.source("mm/zbud.c").read_text() == "/* mm/zbud.c */\n"


def test_the_headers_include_each_other_where_they_will_lie(unpacked: Kernel) -> None:
    makefile = (unpacked.headers / "Makefile").read_text()
    assert makefile == "include /home/of/it/root/usr/src/linux-headers-6.1.0-9-common/Makefile\n"


def test_a_damaged_package_is_said(distribution: Distribution, tmp_path: Path) -> None:
    deb = distribution.deb(f"linux-image-{RELEASE}")
    deb.write_bytes(deb.read_bytes()[:100])
    kernel = Kernel(tmp_path / "work", RELEASE, "6.1.9-1")
    with pytest.raises(Z3traceError, match="unpacking linux-image"):
        unpack.unpack(kernel, [deb, deb], tmp_path, lambda _: None)
