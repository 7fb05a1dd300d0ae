"""Where a probe would make the kernel read behind a module's code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from compiling import compiled

from z3trace.code import codeend
from z3trace.code.module import ModuleFile
from z3trace.errors import CannotTraceError


@dataclass
class Code:
    code_sizes: Mapping[str, int]
    functions: Mapping[str, tuple[str, int]]


@dataclass
class Loaded:
    bases: Mapping[str, int]

    def address(self, section: str, offset: int) -> int:
        if section not in self.bases:
            raise CannotTraceError("cannot read it")
        return self.bases[section] + offset


FUNCTIONS = {"a": (".text", 0), "b": (".text", 32), "b.cold": (".text.unlikely", 3)}
BASES = Loaded({".text": 0x1000, ".text.unlikely": 0x1040})


def _code(last: int) -> Code:
    sizes = {".text": 64, ".text.unlikely": last, ".exit.text": 1 << 20}
    return Code(sizes, {**FUNCTIONS, "out": (".exit.text", 0)})


@pytest.mark.parametrize("release", ["6.4.0", "6.12.117+deb13-amd64", "7.2.0", "10.0"])
def test_an_odd_end_makes_the_last_function_deadly(release: str) -> None:
    assert codeend.deadly(_code(0x2B), BASES, release) == "b.cold"


@pytest.mark.parametrize("size", [0x2A, 0x2C, 0x1000 - 0x40])
def test_an_even_end_is_safe(size: int) -> None:
    assert codeend.deadly(_code(size), BASES, "6.12.0") == ""


@pytest.mark.parametrize("release", ["6.1.0-50-amd64", "6.3.9", "5.10.0"])
def test_older_kernels_have_something_behind_it(release: str) -> None:
    assert codeend.deadly(_code(0x2B), BASES, release) == ""


def test_a_module_without_code_has_no_last_function() -> None:
    assert codeend.deadly(Code({}, {}), BASES, "6.12.0") == ""


def test_the_code_of_a_module_is_what_stays(tmp_path: Path) -> None:
    source = """
    __attribute__((section(".init.text"))) void start(void) { }
    __attribute__((section(".exit.text"))) void end(void) { }
    int used = 1;
    void work(void) { used++; }
    """
    sizes = ModuleFile(compiled(source, tmp_path, name="m.ko")).code_sizes
    assert set(sizes) == {".text", ".exit.text"}
    assert all(size > 0 for size in sizes.values())
