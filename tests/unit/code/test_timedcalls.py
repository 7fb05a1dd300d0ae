"""The lock calls that a timed build leaves in its module: descriptors as macros.h makes them,
compiled without a kernel; tests/vm has real ones."""

from pathlib import Path

import pytest
from compiling import compiled

from z3trace.code import timedcalls
from z3trace.code.elf import ObjectFile
from z3trace.code.timedcalls import Call
from z3trace.errors import InputError

_SOURCE = """\
struct call {
	const char *file, *function, *expression;
	unsigned int line;
	unsigned char kind, action;
} __attribute__((aligned(32)));
#define CALL(text, its_kind, its_action) static struct call call \\
	__attribute__((section("z3timed.calls"), used)) = { \\
	__FILE__, __func__, text, __LINE__, its_kind, its_action }
int z3timed_begin(void) { return 0; }
void first(void) { CALL("&pool->lock", 0, 0); }
void second(void) { { CALL("lock", 3, 2); } { CALL("&x[1].\\xe9", 6, 1); } }
"""


def _read(source: str, directory: Path) -> list[Call]:
    path = compiled(source, directory, "-Wno-unused-variable")
    return timedcalls.read(ObjectFile(path.read_bytes(), "x.ko"), "x.c")


def test_calls_are_read_in_the_order_of_their_section(tmp_path: Path) -> None:
    calls = _read(_SOURCE, tmp_path)
    assert sorted(calls, key=lambda call: (call.line, call.kind)) == [
        Call("test.c", 10, "first", "&pool->lock", "acquire", "spin"),
        Call("test.c", 11, "second", "&x[1].\N{REPLACEMENT CHARACTER}", "try", "bit"),
        Call("test.c", 11, "second", "lock", "release", "mutex"),
    ]


def test_a_source_without_locks_has_no_calls(tmp_path: Path) -> None:
    source = 'int z3timed_begin(void) { return 0; }\nasm(".section z3timed.calls,\\"aw\\"");'
    assert _read(source, tmp_path) == []


def test_a_module_without_tables_cannot_be_timed(tmp_path: Path) -> None:
    """The macro in the place of module_init makes them."""
    with pytest.raises(InputError, match=r"x\.c has no module_init: its locks cannot be timed"):
        _read(_SOURCE.replace("z3timed_begin", "other"), tmp_path)
    with pytest.raises(InputError, match="no module_init"):
        _read("int z3timed_begin(void) { return 0; }", tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"lock", 3, 2', '"lock", 7, 2'),
        ('"lock", 3, 2', '"lock", 3, 3'),
        ('"lock"', "0"),
        ('"lock"', '""'),
        ("aligned(32)", "aligned(64)"),
        ("int z3timed_begin", 'asm(".section z3timed.calls,\\"aw\\"; .byte 1"); int z3timed_begin'),
    ],
)
def test_what_is_no_descriptor_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """A stranger's source can put anything into the section."""
    with pytest.raises(InputError, match=r"lock calls of x\.c are damaged"):
        _read(_SOURCE.replace(old, new), tmp_path)


def test_a_flood_of_calls_is_refused(tmp_path: Path) -> None:
    flood = 'asm(".section z3timed.calls,\\"aw\\"; .fill 8193 * 4, 8, 0; .text");\n'
    with pytest.raises(InputError, match="8193 lock calls, more than 8192"):
        _read(flood + "int z3timed_begin(void) { return 0; }", tmp_path)


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    calls = _read(_SOURCE.replace("&pool->lock", "x" * 10_000), tmp_path)
    assert max(len(call.expression) for call in calls) == 400
