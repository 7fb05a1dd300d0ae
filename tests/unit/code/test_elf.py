"""An object file of gcc, read entry by entry and held against what the library says of it."""

from io import BytesIO
from pathlib import Path

import pytest
from compiling import compiled
from elftools.elf.elffile import ELFFile

from z3trace.code.elf import ObjectFile
from z3trace.errors import InputError

_SOURCE = """
int elsewhere(int *);
static int kept[4];
int f(int x) { kept[x] += elsewhere(kept); return kept[x & 3]; }
int g(int x) { return f(x) + elsewhere(kept + 1); }
"""


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return compiled(_SOURCE, tmp_path, "-O2", "-g", "-fno-pic").read_bytes()


def test_sections_are_those_that_the_library_sees(data: bytes) -> None:
    library = ELFFile(BytesIO(data))
    file = ObjectFile(data, "f.o")
    assert [section.name for section in file.sections] == [s.name for s in library.iter_sections()]
    for section in library.iter_sections():
        if section["sh_type"] != "SHT_NOBITS":
            assert bytes(file.sections[library.get_section_index(section.name)].data) == (
                section.data()
            )
    assert file.section(".none") is None
    assert file.number(".text") == library.get_section_index(".text")
    assert file.number(".none") == -1


def test_symbols_are_those_that_the_library_sees(data: bytes) -> None:
    table = ELFFile(BytesIO(data)).get_section_by_name(".symtab")
    expected = [
        (
            symbol.name,
            symbol["st_info"]["type"] == "STT_FUNC",
            symbol["st_shndx"] if isinstance(symbol["st_shndx"], int) else 0,
            symbol["st_value"],
        )
        for symbol in table.iter_symbols()
    ]
    symbols = list(ObjectFile(data, "f.o").symbols())
    assert [(s.name, s.is_function, s.section, s.value) for s in symbols] == expected
    assert {"f", "g"} <= {s.name for s in symbols if s.is_function}


def test_relocations_are_those_that_the_library_sees(data: bytes) -> None:
    library = ELFFile(BytesIO(data)).get_section_by_name(".rela.text")
    expected = [
        (entry["r_offset"], entry["r_info_sym"], entry["r_addend"])
        for entry in library.iter_relocations()
    ]
    file = ObjectFile(data, "f.o")
    assert list(file.relocations(".text")) == expected
    assert len(expected) >= 4
    assert list(file.relocations(".none")) == []


@pytest.mark.parametrize(
    ("at", "what"),
    [(0, "no ELF file"), (4, "no ELF file"), (18, "not for x86-64"), (40, "behind its end")],
)
def test_a_damaged_head_is_said(data: bytes, at: int, what: str) -> None:
    broken = bytearray(data)
    broken[at : at + 4] = b"\xff\xff\xff\x7f"
    with pytest.raises(InputError, match=rf"f\.o is not a kernel module: .*{what}"):
        ObjectFile(bytes(broken), "f.o")


def test_a_file_that_is_cut_anywhere_is_refused(data: bytes) -> None:
    """The table of sections stands at its end."""
    for size in range(0, len(data), 97):
        with pytest.raises(InputError):
            ObjectFile(data[:size], "f.o")
