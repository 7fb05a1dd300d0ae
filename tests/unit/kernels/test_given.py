"""A module's file as a side: whose it is, for which kernel, and where a guest finds it."""

from pathlib import Path

import pytest
from compiling import made

from z3trace.errors import InputError, UsageError
from z3trace.kernels import given
from z3trace.kernels.layout import Kernel

SAID = ("name=my_mod", "vermagic=6.1.0-9-amd64 SMP")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setenv("Z3TRACE_CACHE", str(tmp_path / "cache"))
    return Kernel(tmp_path / "kernel", "6.1.0-9-amd64", "6.1.9-1")


def test_a_file_of_any_name_becomes_the_module_in_the_cache(kernel: Kernel, tmp_path: Path) -> None:
    one = given.module(str(made(tmp_path / "a", *SAID, name="old.ko")), kernel, "my_mod")
    two = given.module(str(made(tmp_path / "b", *SAID, "x=1", name="new.ko")), kernel, "my_mod")
    assert (one.path.name, two.path.name) == ("my_mod.ko", "my_mod.ko")
    assert (one.variant, two.variant) == ("old.ko", "new.ko")
    assert one.digest != two.digest
    assert not given.module(str(tmp_path / "a/old.ko"), kernel, "my_mod").fresh


def test_another_module_and_another_kernel_are_said_before_anything_boots(
    kernel: Kernel, tmp_path: Path
) -> None:
    path = str(made(tmp_path, *SAID))
    with pytest.raises(InputError, match="is the module my_mod, and the target's is z3fold"):
        given.module(path, kernel, "z3fold")
    other = str(made(tmp_path / "o", "name=my_mod", "vermagic=6.12.1 SMP"))
    with pytest.raises(InputError, match=r"built for the kernel 6\.12\.1, not for 6\.1\.0"):
        given.module(other, kernel, "my_mod")
    with pytest.raises(UsageError, match="no module file"):
        given.module(str(tmp_path / "none.ko"), kernel, "my_mod")


def test_what_is_no_module_is_refused(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "x.ko").write_text("text")
    with pytest.raises(InputError, match="not a kernel module"):
        given.module(str(tmp_path / "x.ko"), kernel, "x")
