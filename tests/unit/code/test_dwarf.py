"""Debug information of a file that gcc compiles here."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from compiling import compiled
from elftools.elf.elffile import ELFFile

from z3trace.code import dwarf
from z3trace.code.module import ModuleFile

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
    structures = dwarf.structs(_elf(file), "test.c")
    assert structures["pool"]["size"] == 0
    assert structures["pool"]["lock"] == 12
    assert structures["pool"]["part"] == 16
    assert "other" not in structures


def test_structures_of_other_files_are_left_out(file: ModuleFile) -> None:
    assert dwarf.structs(_elf(file), "other.c") == {}


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
