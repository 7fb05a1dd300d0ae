"""Debug information of a file that gcc compiles here."""

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compiling import compiled
from elftools.elf.elffile import ELFFile

from z3trace.code import dwarf
from z3trace.code.module import ModuleFile
from z3trace.errors import InputError
from z3trace.kernels import facts

_SOURCE = """\
void _raw_spin_lock(void *lock);
void _raw_spin_unlock(void *lock);
struct pool { long size; int flags : 3; int lock; struct { int inner; } part; };
struct other;
static inline __attribute__((always_inline)) void spin_lock(int *lock)
{
	_raw_spin_lock(lock);
}
static inline __attribute__((always_inline)) void pool_lock(struct pool *pool)
{
	spin_lock(&pool->lock);
}
static inline __attribute__((always_inline)) void grow(struct pool *pool)
{
	spin_lock(&pool->lock);
	pool->size += 2;
}
/* In the first function of a file old debug information ends at an empty range. */
int first(void)
{
	return 1;
}
void plain(struct pool *pool)
{
	pool_lock(pool);
	pool->size++;
	_raw_spin_unlock(&pool->lock);
}
void helped(struct pool *pool)
{
	grow(pool);
	_raw_spin_unlock(&pool->lock);
}
"""


@pytest.fixture(params=["-gdwarf-4", "-gdwarf-5"])
def file(tmp_path: Path, request: pytest.FixtureRequest) -> ModuleFile:
    return ModuleFile(compiled(_SOURCE, tmp_path, "-O2", "-fno-pic", request.param))


def _elf(file: ModuleFile) -> Any:
    return ELFFile(BytesIO(file.path.read_bytes()))


def test_members_have_their_offsets(file: ModuleFile) -> None:
    structures = dwarf.structs(_elf(file), ["test.c"])
    assert structures["pool"]["size"] == 0
    assert structures["pool"]["lock"] == 12
    assert structures["pool"]["part"] == 16
    assert "other" not in structures


def test_structures_of_other_files_are_left_out(file: ModuleFile) -> None:
    assert dwarf.structs(_elf(file), ["other.c"]) == {}


def test_a_lock_helper_is_told_by_its_caller(file: ModuleFile) -> None:
    """The line is where the lock is taken in what is no mere helper."""
    sites = {(s.function, s.action): s for s in file.sites}
    places = dwarf.places(_elf(file), {site.offset for site in sites.values()})

    def place(function: str, action: str) -> dwarf.Place:
        return places[sites[function, action].offset]

    assert place("plain", "acquire") == dwarf.Place(
        "test.c", 25, ("plain", "pool_lock", "spin_lock")
    )
    assert place("helped", "acquire") == dwarf.Place("test.c", 15, ("helped", "grow", "spin_lock"))


def test_a_call_that_is_not_inlined_has_its_function_only(file: ModuleFile) -> None:
    release = next(s for s in file.sites if s.function == "plain" and s.action == "release")
    assert dwarf.places(_elf(file), {release.offset}) == {
        release.offset: dwarf.Place("", 0, ("plain",))
    }


def test_an_offset_outside_any_function_has_no_place(file: ModuleFile) -> None:
    assert dwarf.places(_elf(file), {1 << 20}) == {}


def _attribute(value: object, form: str = "") -> Any:
    return SimpleNamespace(value=value, form=form)


class Entry:
    """An entry of debug information, made up: children are made when they are asked for."""

    def __init__(
        self, children: Callable[[], Iterator["Entry"]] = lambda: iter(()), tag: str = ""
    ) -> None:
        self.tag = tag or "DW_TAG_inlined_subroutine"
        self.attributes = {"DW_AT_name": _attribute(b"f"), "DW_AT_ranges": _attribute(0)}
        self.iter_children = children


def _elf_of(entries: Callable[[], Iterator[Entry]], ranges: int = 1) -> Any:
    """A file of one unit; every entry has *ranges* ranges from 0 to 100."""
    listed = [SimpleNamespace(begin_offset=0, end_offset=100)] * ranges
    info = SimpleNamespace(
        iter_CUs=lambda: iter([SimpleNamespace(get_top_DIE=lambda: Entry(entries))]),
        line_program_for_CU=lambda _: None,
        range_lists=lambda: SimpleNamespace(get_range_list_at_offset=lambda *_: listed),
    )
    return SimpleNamespace(get_dwarf_info=lambda: info)


def test_base_addresses_count_as_ranges_do() -> None:
    """A list of them alone has no range."""
    elf = _elf_of(lambda: (Entry(tag="DW_TAG_subprogram") for _ in range(100)))
    bases = [SimpleNamespace(base_address=1)] * 10_000
    elf.get_dwarf_info().range_lists = lambda: SimpleNamespace(
        get_range_list_at_offset=lambda *_: bases
    )
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        dwarf.places(elf, {1})


def _nested(depth: int, tag: str = "") -> Entry:
    """*depth* entries in each other, in a function; names differ from one to the next."""
    entry = Entry()
    for level in range(depth):
        entry = Entry(lambda inner=entry: iter([inner]), tag)
        entry.attributes["DW_AT_name"] = _attribute(b"%d" % level)
    return Entry(lambda: iter([entry]), "DW_TAG_subprogram")


def test_equal_ranges_in_each_other_do_not_multiply() -> None:
    """The number of ranges to the power of the depth would be ten millions."""
    start = time.process_time()
    places = dwarf.places(_elf_of(lambda: iter([_nested(7)]), ranges=10), {1, 2})
    assert time.process_time() - start < 1
    assert {offset: len(place.chain) for offset, place in places.items()} == {1: 9, 2: 9}


def _circle() -> Iterator[Entry]:
    return repeat(Entry(_circle, "DW_TAG_subprogram"))


def _long_names() -> Iterator[Entry]:
    for _ in range(1000):
        function = Entry(tag="DW_TAG_subprogram")
        function.attributes["DW_AT_name"] = _attribute(b"f" * 1_000_000)
        yield function


@pytest.mark.parametrize(
    ("entries", "ranges", "reason"),
    [
        (_circle, 1, "takes more than 500000 steps"),
        (lambda: (Entry(tag="DW_TAG_structure_type") for _ in count()), 1, "500000 steps"),
        (lambda: iter([_nested(1)]), 600_000, "takes more than 500000 steps"),
        (_long_names, 1, "takes more than 500000 steps"),
        (lambda: iter([_nested(200)]), 1, "more than 100 calls in another"),
        (lambda: iter([_nested(200, "DW_TAG_lexical_block")]), 1, "more than 100 calls"),
    ],
    ids=["circle", "structures", "ranges", "names", "calls", "blocks"],
)
def test_there_is_an_end_to_what_is_read(
    entries: Callable[[], Iterator[Entry]], ranges: int, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        dwarf.places(_elf_of(entries, ranges), {1})


def test_structures_without_end_are_refused() -> None:
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        dwarf.structs(_elf_of(_circle), "test.c")


_COLD = """\
void _raw_spin_lock(void *lock);
void _raw_spin_unlock(void *lock);
void warn(void) __attribute__((cold));
void refuse(int *lock) __attribute__((cold, noreturn));
static inline __attribute__((always_inline)) void spin_lock(int *lock)
{
	_raw_spin_lock(lock);
}
int taken(int *lock, int n)
{
	if (n < 0) {
		warn();
		spin_lock(&lock[1]);
		refuse(lock);
	}
	spin_lock(&lock[0]);
	n++;
	_raw_spin_unlock(lock);
	return n;
}
"""


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
def test_what_is_at_one_offset_of_two_sections_is_told_apart(tmp_path: Path, version: str) -> None:
    """The compiler puts what seldom runs into a section of its own."""
    path = compiled(_COLD, tmp_path, "-O2", "-fno-pic", version)
    facts.write(path, path.with_suffix(".c").name)
    file = ModuleFile(path)
    cold = [site for site in file.sites if site.section == ".text.unlikely"]
    assert [site.function for site in cold] == ["taken.cold"]
    lines = _COLD.splitlines()
    told = {}
    for site in file.sites:
        place = file.source(site)
        assert place.chain[0] == "taken"
        if place.line:
            told[site.section] = lines[place.line - 1].strip()
    assert told == {
        ".text": "spin_lock(&lock[0]);",
        ".text.unlikely": "spin_lock(&lock[1]);",
    }


def test_members_are_known_of_a_module_without_types_of_its_own(
    file: ModuleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is built without the kernel's ELF image is."""
    monkeypatch.setattr("z3trace.code.module.btf.members", lambda *_: {})
    assert file.members("pool")["lock"] == 12
    assert file.members("other") == {}, "mentioned, and nothing more"
    assert file.members("none") == {}
    monkeypatch.setattr("z3trace.code.module.btf.members", lambda *_: {"lock": 7})
    assert file.members("pool") == {"lock": 7}


def test_a_file_without_debug_information_has_no_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("z3trace.code.module.btf.members", lambda *_: {})
    assert ModuleFile(compiled(_SOURCE, tmp_path)).members("pool") == {}
