"""Hunks: which function they are in, and what is left of them with fuzz."""

import pytest

from z3trace.kernels.hunks import Hunk, is_section, section


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            "static int z3fold_alloc(struct z3fold_pool *pool, size_t size, gfp_t gfp,",
            "z3fold_alloc()",
        ),
        ("struct page *f (void)", "f()"),
        ("static __attribute__((noinline)) int f(void)", "f()"),
        ("void __releases(lock) f(void)", "f()"),
        ("SYSCALL_DEFINE3(poll, x)", "SYSCALL_DEFINE3()"),
        ("struct z3fold_pool {", "struct z3fold_pool"),
        ("typedef struct s {", "struct s"),
        ("enum buddy {", "enum buddy"),
        # Cut by diff after 40 letters, or after 80.
        ("static inline struct z3fold_header *get_", ""),
        ("struct z3fold_header *get_z3fold_header", ""),
        ("out:", ""),
        ("out: /* of here */", ""),
        ("static const char *names[] = {", ""),
        ("", ""),
        ("x" * 5000 + "(", ""),
    ],
)
def test_a_line_at_the_edge_names_what_it_begins(line: str, name: str) -> None:
    assert section(line) == name


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        *((line, True) for line in (b"int f(void)\n", b"$x\n", b"_x\n")),
        *((line, False) for line in (b"out:\n", b"}\n", b"\tint i;\n", b"\n", b"#if x\n", b"")),
    ],
)
def test_only_the_left_edge_counts(line: bytes, begins: bool) -> None:
    assert is_section(line) == begins


def _hunk(before: int, removed: int, after: int, *, above: bytes = b"\tx;\n") -> Hunk:
    old = (above, *(b"%d\n" % n for n in range(1, before + removed + after)))
    new = (*old[:before], b"new\n", *old[before + removed :])
    return Hunk(10, "int named(void)", old, new, before, after)


def test_its_own_context_says_in_what_it_is() -> None:
    assert _hunk(3, 0, 3).function == "named()"
    assert _hunk(3, 0, 3, above=b"int inside(void)\n").function == "inside()"
    assert _hunk(3, 0, 3, above=b"out:\n").function == "named()"


@pytest.mark.parametrize(
    ("context", "fuzz", "left"),
    [
        ((3, 3), 0, (3, 3)),
        ((3, 3), 1, (2, 2)),
        ((3, 3), 2, (1, 1)),
        ((1, 3), 1, (1, 2)),
        ((1, 3), 2, (1, 1)),
        ((1, 3), 3, (0, 0)),
        ((0, 3), 2, (0, 1)),
        ((3, 0), 1, (2, 0)),
    ],
)
def test_fuzz_takes_from_the_longer_context_first(
    context: tuple[int, int], fuzz: int, left: tuple[int, int]
) -> None:
    """As ``patch`` counts it."""
    hunk = _hunk(context[0], 1, context[1])
    reduced = hunk.reduced(fuzz)
    assert reduced
    assert (reduced.before, reduced.after) == left
    first, last = context[0] - left[0], context[1] - left[1]
    assert reduced.start == 10 + first
    assert reduced.old == hunk.old[first : len(hunk.old) - last]
    assert reduced.new == hunk.new[first : len(hunk.new) - last]


def test_a_line_is_left_to_know_the_place_by() -> None:
    assert _hunk(2, 0, 2).reduced(1)
    assert _hunk(2, 0, 2).reduced(2) is None
    assert _hunk(2, 1, 2).reduced(2)
    assert _hunk(2, 1, 2).reduced(3) is None


def test_it_is_shown_as_a_diff_shows_it_and_short() -> None:
    hunk = Hunk(1, "", (b"a\n", b"b\n", b"\x1b\xff"), (b"a\n", b"c\n", b"\x1b\xff"), 1, 1)
    assert str(hunk) == " a\n-b\n+c\n \\x1b\ufffd"
    assert str(_hunk(30, 1, 3)).count("\n") == 20
    assert str(_hunk(30, 1, 3)).endswith("\n...")
