"""A module's file: call sites by its relocations, in an object that the test assembles."""

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from compiling import compiled

from z3trace.code.module import ModuleFile
from z3trace.errors import InputError

_SOURCE = """
asm(".text\\n"
    ".type plain, @function\\n"
    "plain:\\n"              // 00
    "  push %rbx\\n"
    "  mov %rdi, %rbx\\n"    // 01
    "  call _raw_spin_lock\\n"        // 04: relocated word at 05
    "  mov %rbx, %rdi\\n"    // 09
    "  call _raw_spin_unlock_irqrestore\\n"  // 0c
    "  pop %rbx\\n"          // 11
    "  ret\\n"               // 12
    ".type tail, @function\\n"
    "tail:\\n"               // 13
    "  test %rsi, %rsi\\n"
    "  jne _raw_read_unlock\\n"       // 16: 0f 85, word at 18
    "  call other\\n"        // 1c
    "  jmp _raw_write_trylock\\n"     // 21
    ".section .text.unlikely\\n"
    ".type cold, @function\\n"
    "cold:\\n"
    "  call _raw_spin_trylock\\n"
    "  jmp plain + 9\\n"
    ".section .init.text, \\"ax\\"\\n"
    "  call _raw_spin_lock\\n");
"""


@pytest.fixture
def file(tmp_path: Path) -> ModuleFile:
    return ModuleFile(compiled(_SOURCE, tmp_path, name="my-module.ko"))


def test_every_call_site_is_found_once(file: ModuleFile) -> None:
    """In the text that runs: what runs at load time only is left out."""
    sites = [(s.section, s.function, s.function_offset, s.lock_function) for s in file.sites]
    assert sites == [
        (".text", "plain", 4, "_raw_spin_lock"),
        (".text", "plain", 0xC, "_raw_spin_unlock_irqrestore"),
        (".text", "tail", 3, "_raw_read_unlock"),
        (".text", "tail", 0xE, "_raw_write_trylock"),
        (".text.unlikely", "cold", 0, "_raw_spin_trylock"),
    ]
    assert [site.number for site in file.sites] == list(range(5))


def test_what_a_site_is(file: ModuleFile) -> None:
    lock, unlock, read, write, trylock = file.sites
    assert (lock.action, lock.kind, lock.tail, lock.offset, lock.after) == (
        *("acquire", "spin", False),
        *(4, 9),
    )
    assert (unlock.action, unlock.tail) == ("release", False)
    # A conditional jump is two bytes longer in front of its word.
    assert (read.action, read.kind, read.tail, read.offset, read.after) == (
        *("release", "read", True),
        *(0x16, 0x1C),
    )
    assert (write.action, write.kind, write.tail) == ("try", "write", True)
    assert trylock.action == "try"


def test_the_file_tells_names(file: ModuleFile) -> None:
    assert file.name == "my_module"
    assert file.prefix == "my_module:"
    assert file.functions == {
        "plain": (".text", 0),
        "tail": (".text", 0x13),
        "cold": (".text.unlikely", 0),
    }
    assert file.ambiguous == set()


def test_jumps_from_other_sections_are_targets(file: ModuleFile) -> None:
    """The cold part jumps into the middle of plain: nothing may be laid over that."""
    plain = file.decoded["plain"]
    assert 9 in plain.targets
    assert plain.method(4) == "emulated"


def test_calls_that_the_linker_fills_go_nowhere(file: ModuleFile) -> None:
    calls = [step for step in file.decoded["plain"].code if step.is_call]
    assert [step.target for step in calls] == [None, None]


def test_sites_are_served_by_probes_but_for_a_tail_that_takes_a_lock(file: ModuleFile) -> None:
    served = {
        number
        for probe in file.probes
        for number in (probe.position.before, probe.position.after)
        if number is not None
    }
    assert served == {0, 1, 2, 4}


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("xz", lzma.compress), ("gz", gzip.compress), ("zst", zstandard.compress)],
)
def test_a_packed_module_is_the_same(
    file: ModuleFile, tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"my-module.ko.{ending}"
    path.write_bytes(pack(file.path.read_bytes()))
    packed = ModuleFile(path)
    assert packed.name == "my_module"
    assert packed.sites == file.sites != []
    assert packed.probes == file.probes != []
    assert packed.functions == file.functions
    assert packed.build_id == file.build_id
    assert packed.elf.get_section_by_name(".text").data() == (
        file.elf.get_section_by_name(".text").data()
    )


@pytest.mark.parametrize("name", ["m.ko", "m.ko.xz"])
@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\2\1\1" + bytes(200), b"junk" * 99])
def test_what_is_no_module_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"m\.ko"):
        _ = ModuleFile(path).sites, ModuleFile(path).functions


def test_a_module_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        _ = ModuleFile(tmp_path / "none.ko").sites


def test_what_was_learned_when_it_was_built_is_read(file: ModuleFile) -> None:
    facts = {
        "structs": {"pool": {"lock": 8}},
        "places": {".text+0x4": ["z3fold.c", 12, ["plain", "pool_lock"]]},
    }
    file.path.with_name("facts.json").write_text(json.dumps(facts))
    file.path.with_name("variant.json").write_text(
        '{"variant": "stock", "digest": "00", "patches": []}'
    )
    assert file.members("pool") == {"lock": 8}
    assert file.members("other") == {}
    place = file.source(file.sites[0])
    assert (place.file, place.line, place.chain) == ("z3fold.c", 12, ("plain", "pool_lock"))
    assert file.source(file.sites[1]).file == ""
    assert file.variant == {"variant": "stock", "digest": "00"}


def test_a_packaged_module_has_no_such_facts(file: ModuleFile) -> None:
    assert file.source(file.sites[0]).chain == ()
    assert file.variant == {}


def test_two_functions_of_one_name_are_told(tmp_path: Path) -> None:
    source = """
    asm(".text\\n.type f, @function\\nf: ret\\n"
        ".section .text.unlikely\\n.type f.cold, @function\\nf.cold: ret\\n");
    """
    path = compiled(source, tmp_path)
    data = path.read_bytes()
    # One string table holds "f.cold"; cut to "f", both functions have that name.
    path.write_bytes(data.replace(b"\0f.cold\0", b"\0f\0cold\0"))
    file = ModuleFile(path)
    assert set(file.functions) == {"f"}
    assert file.ambiguous == {"f"}


def test_the_build_id_is_read(tmp_path: Path) -> None:
    source = """
    asm(".section .note.gnu.build-id, \\"a\\"\\n"
        ".long 4, 4, 3\\n.asciz \\"GNU\\"\\n.byte 0xde, 0xad, 0xbe, 0xef\\n");
    """
    assert ModuleFile(compiled(source, tmp_path)).build_id == "deadbeef"
