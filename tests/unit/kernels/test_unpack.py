"""Packages become a small root file system, whatever their layout."""

from collections.abc import Callable
from pathlib import Path

import pytest
from distribution import RELEASE, SPLIT, UBUNTU, Distribution

from z3trace.errors import Z3traceError
from z3trace.kernels import packages, unpack
from z3trace.kernels.layout import Kernel

Unpacked = Callable[..., Kernel]
ALL = [RELEASE, SPLIT, UBUNTU]


@pytest.fixture
def unpacked(distribution: Distribution, tmp_path: Path) -> Unpacked:
    def make(release: str = RELEASE) -> Kernel:
        resolved = packages.resolve(release, "", lambda _: None)
        files = [distribution.deb(package.name) for package in resolved.packages]
        kernel = Kernel(tmp_path / "work", release, resolved.version)
        kernel.directory.mkdir()
        unpack.unpack(kernel, files, Path("/home/of/it"), lambda _: None)
        return kernel

    return make


@pytest.mark.parametrize("release", ALL)
def test_the_image_is_unpacked(unpacked: Unpacked, release: str) -> None:
    assert unpacked(release).image.read_bytes() == b"\x7fELF the kernel"


@pytest.mark.parametrize(
    ("release", "names"),
    [(RELEASE, ["z3fold", "zbud"]), (SPLIT, ["zram"]), (UBUNTU, ["z3fold", "zbud"])],
)
def test_modules_are_unpacked_and_indexed(
    unpacked: Unpacked, release: str, names: list[str]
) -> None:
    kernel = unpacked(release)
    for name in names:
        assert kernel.module(name).name == f"{name}.ko"
        assert kernel.module(name).read_bytes() == b"\x7fELF a module"
    assert (kernel.modules / "modules.dep").is_file()
    assert len(list(kernel.modules.glob("kernel/mm/*"))) == len(names)


@pytest.mark.parametrize("release", ALL)
def test_lib_and_usr_lib_are_one_directory(unpacked: Unpacked, release: str) -> None:
    kernel = unpacked(release)
    assert (kernel.root / "lib").readlink() == Path("usr/lib")
    for home in ("lib", "usr/lib"):
        assert (kernel.root / home / f"modules/{release}/modules.dep").is_file()


@pytest.mark.parametrize(
    ("release", "names"),
    [
        (RELEASE, {"z3fold.c", "zbud.c", "zsmalloc.c", "slab.h"}),
        (SPLIT, {"zsmalloc.c", "slab.h", "zpdesc.h"}),
    ],
)
def test_only_the_sources_that_are_built_from_are_unpacked(
    unpacked: Unpacked, release: str, names: set[str]
) -> None:
    kernel = unpacked(release)
    files = {str(p.relative_to(kernel.sources)) for p in kernel.sources.rglob("*.*")}
    assert files == {f"mm/{name}" for name in names}
    assert kernel.source("mm/zsmalloc.c").read_text() == "/* mm/zsmalloc.c */\n"


def test_a_source_that_the_kernel_no_longer_has_is_said(unpacked: Unpacked) -> None:
    with pytest.raises(Z3traceError, match=r"the source package of 7\.2\.9\S+ has no mm/z3fold"):
        unpacked(SPLIT).source("mm/z3fold.c")


def test_the_headers_include_each_other_where_they_will_lie(unpacked: Unpacked) -> None:
    makefile = (unpacked().headers / "Makefile").read_text()
    assert makefile == "include /home/of/it/root/usr/src/linux-headers-6.1.0-9-common/Makefile\n"


def test_so_do_headers_that_say_more(unpacked: Unpacked) -> None:
    assert (unpacked(SPLIT).headers / "Makefile").read_text().splitlines() == [
        f"KBUILD_OUTPUT=/home/of/it/root/usr/src/linux-headers-{SPLIT}",
        "include /home/of/it/root/usr/src/linux-headers-7.2.9+deb14-common/Makefile",
    ]


@pytest.mark.parametrize("name", [f"linux-image-{RELEASE}", "linux-source-6.1"])
def test_a_damaged_package_is_said(
    distribution: Distribution, unpacked: Unpacked, name: str
) -> None:
    deb = distribution.deb(name)
    deb.write_bytes(deb.read_bytes()[:300])
    with pytest.raises(Z3traceError, match=rf"{name}\S* "):
        unpacked()


def test_packages_without_modules_are_no_kernel(distribution: Distribution, tmp_path: Path) -> None:
    headers = distribution.deb(f"linux-binary-{SPLIT}")
    kernel = Kernel(tmp_path / "work", SPLIT, "7.2.9-1")
    kernel.directory.mkdir()
    files = [headers, distribution.deb("linux-source-7.2")]
    with pytest.raises(Z3traceError, match="hold no modules"):
        unpack.unpack(kernel, files, tmp_path, lambda _: None)
