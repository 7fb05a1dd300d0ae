"""Built-in code as a module beside the kernel's own."""

import json
from pathlib import Path

import pytest

from z3trace.code.elf import ObjectFile
from z3trace.kernels import beside, build
from z3trace.kernels.layout import Kernel
from z3trace.kernels.variant import Variant

MAKEFILE = """\
src := $(M)
include $(M)/Kbuild
name := $(obj-m:.o=)
modules:
\techo '$(obj-m) $($(name)-y) $(ccflags-y)' > $(M)/told
\techo 'int a;' | gcc -g -xc -c - -o $(M)/$(name).ko
"""
STOCK = Variant("stock", "", ())


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    made = Kernel(tmp_path / "kernel", "6.12.9-amd64", "6.12.9-1")
    for path, text in (
        (made.headers / "Makefile", MAKEFILE),
        (made.sources / "mm/x.c", "int a;\n"),
        (made.modules / "modules.builtin", "kernel/mm/x.ko\nkernel/fs/some-thing.ko\n"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return made


def _silent(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "is_there"), [("x", True), ("some_thing", True), ("mm", False), ("y", False)]
)
def test_a_kernel_lists_what_is_built_into_it(kernel: Kernel, name: str, is_there: bool) -> None:
    assert beside.is_built_in(kernel, name) is is_there


def test_a_kernel_without_the_list_has_nothing_built_in(kernel: Kernel) -> None:
    (kernel.modules / "modules.builtin").unlink()
    assert not beside.is_built_in(kernel, "x")


def test_a_built_in_source_becomes_a_module_of_another_name(kernel: Kernel) -> None:
    module = build.build_variant(kernel, "mm/x.c", STOCK, _silent)
    assert (module.name, module.path.name) == ("x_beside", "x_beside.ko")
    told = (module.path.parent / "told").read_text()
    assert told.startswith("x_beside.o x.o ")
    headers = [word for word in told.split() if word.endswith(".h")]
    assert [Path(header).name for header in headers] == ["visible.h", "beside.h"]
    assert (module.path.parent / "beside.h").exists()
    assert json.loads((module.path.parent / "variant.json").read_text())["variant"] == "stock"
    # A second one is the first one.
    assert not build.build_variant(kernel, "mm/x.c", STOCK, _silent).fresh


def test_what_is_a_module_keeps_its_name(kernel: Kernel) -> None:
    (kernel.modules / "modules.builtin").write_text("")
    module = build.build_variant(kernel, "mm/x.c", STOCK, _silent)
    assert module.path.name == "x.ko"
    assert "beside.h" not in (module.path.parent / "told").read_text()


def test_the_timed_build_of_a_copy_has_its_lock_calls_timed_last(kernel: Kernel) -> None:
    """What the headers of the copy bring is not the source's."""
    made = build._headers(STOCK, timed=True, copy=True)
    assert [header.name for header in made] == ["visible.h", "beside.h", "timed.h"]


def test_types_that_the_kernels_own_build_gave_are_not_given_again(kernel: Kernel) -> None:
    """Those of two bases do not fit each other: the kernel would not load the module."""
    kernel.unpacked_image.write_text("no kernel image, as pahole would say")
    makefile = kernel.headers / "Makefile"
    makefile.write_text(
        makefile.read_text() + "\tobjcopy --add-section .BTF=$(M)/told $(M)/$(name).ko\n"
    )
    module = build.build_variant(kernel, "mm/x.c", STOCK, _silent)
    assert ObjectFile(module.path.read_bytes(), "x").section(".BTF")
