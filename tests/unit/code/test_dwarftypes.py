"""Types of variables and members, from debug information that gcc writes here."""

from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compiling import compiled
from elftools.elf.elffile import ELFFile

from z3trace.code import expressions
from z3trace.code.dwarftypes import DwarfTypes
from z3trace.code.expressions import Named
from z3trace.errors import InputError

_SOURCE = """\
typedef struct { int locked; } spinlock_t;
void take(spinlock_t *lock);
struct page;
typedef struct { spinlock_t lock; } table_t;
struct pool {
	spinlock_t lock, stale_lock;
	struct page *page;
	struct { spinlock_t inner; union { spinlock_t deep; long word; }; };
	struct { spinlock_t lock; } part;
	spinlock_t locks[4];
};
struct page { spinlock_t lock; struct pool *pool; };
static struct pool the_pool;
extern table_t tables[8];
struct pool *get_pool(int which);
static inline __attribute__((always_inline)) void helper(const struct page *const page)
{
	take((spinlock_t *)&page->lock);
}
void first(struct pool *pool, volatile struct page *pages, struct pool **all)
{
	take(&pool->lock);
	helper((const struct page *)pages);
	if (all) {
		struct page *inside = (*all)->page;
		take(&inside->lock);
		take(&the_pool.lock);
		take(&get_pool(1)->lock);
		take(&tables[2].lock);
	}
}
void second(int which)
{
	if (which) {
		struct pool *same = get_pool(which);
		struct pool *here = get_pool(which);
		take(&same->lock);
		take(&here->lock);
	} else {
		struct page *same = the_pool.page;
		struct pool *here = same->pool;
		take(&same->lock);
		take(&here->lock);
	}
}
"""


EXPRESSIONS = [
    ("first", "&pool->lock", "pool"),
    ("first", "&pool->stale_lock", "pool"),
    ("first", "&pages[3].lock", "page"),
    ("first", "&(*all)->page->lock", "page"),
    ("first", "&inside->lock", "page"),
    ("first", "&the_pool.lock", "pool"),
    ("first", "&get_pool(1)->lock", "pool"),
    ("first", "&tables[2].lock", "table_t"),
    ("first", "&pool->inner", "pool"),
    ("first", "&pool->deep", "pool"),
    ("first", "&pool->part.lock", ""),
    ("first", "&pool->locks[1]", "pool"),
    ("helper", "&page->lock", "page"),
    ("second", "&here->lock", "pool"),
    ("second", "&same->lock", ""),
    ("second", "&pool->lock", ""),
    ("absent", "&pool->lock", ""),
]


@pytest.mark.parametrize(("function", "expression", "structure"), EXPRESSIONS)
def test_an_expression_is_resolved(
    tmp_path: Path, function: str, expression: str, structure: str
) -> None:
    """``same`` has two types in its function, and is not told."""
    for version in ("-gdwarf-4", "-gdwarf-5"):
        path = compiled(_SOURCE, tmp_path, "-O2", "-fno-pic", version)
        with path.open("rb") as file:
            named = expressions.resolve(expression, function, DwarfTypes(ELFFile(file)))
        member = expression.rpartition(">")[2].rpartition(".")[2].partition("[")[0]
        assert named == Named(structure, member, True)


def _attribute(value: object) -> Any:
    return SimpleNamespace(value=value)


class Entry:
    """An entry of debug information, made up: its type is itself."""

    offset = 1

    def __init__(self, tag: str, *children: "Entry", name: bytes = b"f") -> None:
        self.tag, self.children = tag, children
        self.attributes = {"DW_AT_name": _attribute(name), "DW_AT_type": _attribute(1)}
        if not name:
            del self.attributes["DW_AT_name"]

    def get_DIE_from_attribute(self, _: str) -> "Entry":  # noqa: N802 - pyelftools' name
        return self

    def iter_children(self) -> Any:
        return iter(self.children)


class Endless(Entry):
    def iter_children(self) -> Any:
        return repeat(self)


def _types(*entries: Entry) -> DwarfTypes:
    unit = SimpleNamespace(get_top_DIE=lambda: Entry("DW_TAG_compile_unit", *entries))
    info = SimpleNamespace(iter_CUs=lambda: iter([unit]))
    return DwarfTypes(SimpleNamespace(get_dwarf_info=lambda: info))


def test_a_typedef_of_itself_is_no_structure() -> None:
    circle = Entry("DW_TAG_typedef")
    function = Entry("DW_TAG_subprogram", Entry("DW_TAG_variable", name=b"x"))
    types = _types(function, circle)
    assert types.member(circle, "lock") is None
    assert types.pointed(circle) is None


def test_a_structure_in_itself_has_an_end() -> None:
    """Members without names, each of the structure's own type."""
    inner = Entry("DW_TAG_structure_type", name=b"")
    inner.children = (Entry("DW_TAG_member", name=b""),) * 2
    for member in inner.children:
        member.get_DIE_from_attribute = lambda _: inner  # type: ignore[method-assign]
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        _types().member(inner, "lock")


def test_a_function_without_end_is_refused() -> None:
    types = _types(Endless("DW_TAG_subprogram"))
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        types.variable("f", "x")


def test_a_structure_without_end_is_refused() -> None:
    types = _types(Endless("DW_TAG_structure_type"))
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        types.member(types.structure("f"), "x")


def test_a_unit_without_end_is_refused() -> None:
    unit = SimpleNamespace(get_top_DIE=lambda: Endless("DW_TAG_variable"))
    info = SimpleNamespace(iter_CUs=lambda: iter([unit]))
    with pytest.raises(InputError, match="takes more than 500000 steps"):
        DwarfTypes(SimpleNamespace(get_dwarf_info=lambda: info))
