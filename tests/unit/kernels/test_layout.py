"""Where things lie in an unpacked kernel."""

from pathlib import Path

import pytest

from z3trace.errors import UsageError, Z3traceError
from z3trace.kernels.layout import Kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    modules = tmp_path / "root/lib/modules/6.1.0/kernel/mm"
    modules.mkdir(parents=True)
    (modules / "z3fold.ko").touch()
    (tmp_path / "root/boot").mkdir()
    (tmp_path / "root/boot/vmlinuz-6.1.0").touch()
    (tmp_path / "source/mm").mkdir(parents=True)
    (tmp_path / "source/mm/z3fold.c").touch()
    return Kernel(tmp_path, "6.1.0", "6.1.9-1")


def test_qemu_boots_the_unpacked_image_if_there_is_one(kernel: Kernel) -> None:
    assert kernel.image == kernel.directory / "root/boot/vmlinuz-6.1.0"
    kernel.unpacked_image.write_bytes(b"\x7fELF")
    assert kernel.image == kernel.directory / "vmlinux"


def test_an_image_may_lie_beside_the_modules(kernel: Kernel) -> None:
    (kernel.root / "boot/vmlinuz-6.1.0").rename(kernel.modules / "vmlinuz")
    assert kernel.image == kernel.modules / "vmlinuz"
    (kernel.modules / "vmlinuz").unlink()
    with pytest.raises(Z3traceError, match=r"packages of 6\.1\.0 hold no kernel image"):
        _ = kernel.image


def test_a_module_lies_somewhere_below_kernel(kernel: Kernel) -> None:
    assert kernel.module("z3fold") == kernel.modules / "kernel/mm/z3fold.ko"
    with pytest.raises(Z3traceError, match=r"6\.1\.0 has no module zbud \(it may be built in\)"):
        kernel.module("zbud")


def test_a_source_that_the_package_lacks_is_said(kernel: Kernel) -> None:
    assert kernel.source("mm/z3fold.c").is_file()
    with pytest.raises(Z3traceError, match=r"has no mm/zbud\.c"):
        kernel.source("mm/zbud.c")


@pytest.mark.parametrize(
    "name",
    ["/etc/x.c", "mm/../../x.c", "../x.c", "mm//x.c", "x.c", "mm/x.h", "mm/x.c\n", "mm/.x.c", ""],
)
def test_a_targets_source_lies_in_the_kernels(kernel: Kernel, name: str) -> None:
    with pytest.raises(UsageError, match="is not a source file's name"):
        kernel.source(name)
