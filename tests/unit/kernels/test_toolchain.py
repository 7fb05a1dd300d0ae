"""The compiler that a kernel's modules are built with: the machine's, or the kernel's own."""

from pathlib import Path

import pytest
from distribution import RELEASE, SPLIT, Distribution

from z3trace.errors import CannotTraceError, Z3traceError
from z3trace.kernels import build, fetch, toolchain, variant
from z3trace.kernels.layout import Kernel


def _silent(_: str) -> None:
    pass


def _kernel(tmp_path: Path, config: str, suite: str = "") -> Kernel:
    kernel = Kernel(tmp_path, "6.1.0", "1", suite=suite)
    kernel.headers.mkdir(parents=True)
    (kernel.headers / ".config").write_text(config)
    return kernel


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0", "12"),
        ("x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0", "14"),
        ("x86_64-linux-gnu-gcc-13 (Ubuntu 13.2.0-23ubuntu4) 13.2.0", "13"),
        ("gcc (GCC) 15.1.1 20250521 (Red Hat 15.1.1-2)", "15"),
        ("clang version 19.1.7", ""),
    ],
)
def test_the_headers_tell_which_compiler_built_the_kernel(
    tmp_path: Path, text: str, version: str
) -> None:
    kernel = _kernel(tmp_path, f'CONFIG_A=y\nCONFIG_CC_VERSION_TEXT="{text}"\nCONFIG_B=y\n')
    assert toolchain.compiler(kernel) == version


def test_headers_that_do_not_tell_are_built_with_what_there_is(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, "6.1.0", "1")
    assert toolchain.compiler(kernel) == ""
    chosen = toolchain.of(kernel, _silent)
    assert chosen.own
    assert "gcc" in chosen.identity


@pytest.fixture
def split(distribution: Distribution) -> Kernel:
    assert distribution.directory.is_dir()
    return fetch.fetch(SPLIT, _silent)


def test_another_compiler_gets_a_root_of_its_own(split: Kernel, distribution: Distribution) -> None:
    said: list[str] = []
    chosen = toolchain.of(split, said.append)
    assert not chosen.own
    assert (chosen.root / "usr/bin/gcc-99").is_file()
    # What a maintainer script would have made.
    assert (chosen.root / "bin/awk").readlink() == Path("mawk")
    assert (chosen.root / "lib").readlink() == Path("usr/lib")
    assert (chosen.root / "usr/lib/mawk/x").read_text() == "x"
    assert said == [
        "downloading the toolchain of this kernel: gcc 99 of this machine (2 packages)",
        "unpacking the toolchain",
    ]
    # The kernel's own packages are no part of it.
    assert distribution.asked()[-2:] == ["gcc-99=99.2.0-19", "mawk=1.3.4"]


def test_a_toolchain_is_made_once(split: Kernel, distribution: Distribution) -> None:
    first = toolchain.of(split, _silent)
    asked = distribution.asked()
    said: list[str] = []
    assert toolchain.of(split, said.append) == first
    assert (said, distribution.asked()) == ([], asked)


def test_a_package_that_did_not_come_leaves_no_toolchain(
    split: Kernel, distribution: Distribution
) -> None:
    distribution.deb("mawk").unlink()
    with pytest.raises(Z3traceError):
        toolchain.of(split, _silent)
    assert not any((split.directory.parent.parent / "toolchains").iterdir())


def test_a_toolchain_is_in_the_box_or_nowhere(split: Kernel) -> None:
    with pytest.raises(CannotTraceError, match="a compiler that this machine does not have"):
        build.build_variant(split, "mm/zsmalloc.c", variant.load("stock"), _silent, boxed=False)


def test_what_a_toolchain_lacks_is_said(split: Kernel) -> None:
    with pytest.raises(Z3traceError, match=r"make is not in \S+toolchains/this-machine-gcc-99"):
        build.build_variant(split, "mm/zsmalloc.c", variant.load("stock"), _silent)


@pytest.mark.usefixtures("distribution")
def test_a_kernel_of_another_suite_is_never_built_with_the_machines(tmp_path: Path) -> None:
    kernel = _kernel(tmp_path, 'CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12) 12.2.0"\n', "testing")
    with pytest.raises(Z3traceError, match="package lists of testing cannot be had"):
        toolchain.of(kernel, _silent)
    assert fetch.fetch(RELEASE, _silent).suite == ""
