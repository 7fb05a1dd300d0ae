"""What a module says of itself."""

from pathlib import Path

import pytest
from compiling import made

from z3trace.code import modinfo
from z3trace.code.module import ModuleFile
from z3trace.errors import InputError


def test_a_module_has_the_name_that_it_says_whatever_its_file_is_called(tmp_path: Path) -> None:
    path = made(tmp_path, "name=my-mod", "vermagic=6.1.0-9-amd64 SMP", "depends=a,b", "alias=x=y")
    file = ModuleFile(path)
    assert (file.name, file.prefix) == ("my_mod", "my_mod:")
    assert modinfo.release(file.modinfo) == "6.1.0-9-amd64"
    assert modinfo.needs(file.modinfo) == ["a", "b"]
    assert file.modinfo["alias"] == "x=y"


def test_one_that_says_nothing_has_the_name_of_its_file(tmp_path: Path) -> None:
    file = ModuleFile(made(tmp_path))
    assert (file.name, file.modinfo) == ("renamed_2", {})


@pytest.mark.parametrize("name", ["a b", "x" * 56, "../x", "a;reboot"])
def test_a_name_that_no_module_has_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no name like"):
        _ = ModuleFile(made(tmp_path, f"name={name}")).name


def test_what_it_needs_is_names_and_nothing_else() -> None:
    assert modinfo.needs({"depends": "zsmalloc,--remove,,a/b,lzo"}) == ["zsmalloc", "lzo"]
