"""What a lock's expression names, without debug information: a made-up set of types."""

import time

import pytest

from z3trace.code import expressions
from z3trace.code.expressions import Named

#: Type -> member -> type; a pointer to a type is ``*type``.
STRUCTURES = {
    "pool": {"lock": "spin", "page": "*page", "part": "part", "locks": "*spin"},
    "part": {"lock": "spin"},
    "page": {"lock": "spin", "pool": "*pool"},
}
VARIABLES = {"pool": "*pool", "p": "pool", "pages": "*page", "pp": "**pool", "lock": "*spin"}


class Types:
    """Of function ``f`` only."""

    def variable(self, function: str, name: str) -> str | None:
        return VARIABLES.get(name) if function == "f" else None

    def result(self, function: str) -> str | None:
        return {"get_pool": "*pool"}.get(function)

    def structure(self, name: str) -> str | None:
        return name if name in STRUCTURES else None

    def pointed(self, kind: str) -> str | None:
        return kind[1:] if kind.startswith("*") else None

    def member(self, kind: str, name: str) -> tuple[str, str | None] | None:
        found = STRUCTURES.get(kind, {}).get(name)
        return (kind, found) if found else None


@pytest.mark.parametrize(
    ("expression", "structure", "member"),
    [
        ("&pool->lock", "pool", "lock"),
        ("&(pool->lock)", "pool", "lock"),
        ("(&pool->lock)", "pool", "lock"),
        ("&(*pool).lock", "pool", "lock"),
        ("& p . lock", "pool", "lock"),
        ("&(&p)->lock", "pool", "lock"),
        ("&pool->page->lock", "page", "lock"),
        ("&pool->page->pool->part.lock", "part", "lock"),
        ("&pages[hash(x, ')')].lock", "page", "lock"),
        ("&pool->page[pool->lock].lock", "page", "lock"),
        ("&(*pp)->lock", "pool", "lock"),
        ("&get_pool(x, pool->page)->lock", "pool", "lock"),
        ("&((struct pool *)x)->lock", "pool", "lock"),
        ("&((const struct page *)x)->lock", "page", "lock"),
        ("pool->locks", "pool", "locks"),
    ],
)
def test_a_member_is_known_with_its_structure(expression: str, structure: str, member: str) -> None:
    assert expressions.resolve(expression, "f", Types()) == Named(structure, member, True)


@pytest.mark.parametrize(
    ("expression", "member"),
    [
        ("&unknown->lock", "lock"),
        ("&pool->absent", "absent"),
        ("&pool->absent->lock", "lock"),
        ("&((struct absent *)x)->lock", "lock"),
        ("&((struct pool **)x)->lock", "lock"),
        ("x ? &pool->lock : &x->other", "other"),
        ("&unknown->locks[i->a & b.c]", "locks"),
        ("&per_cpu(x, cpu->y)->lock + 1", "lock"),
        ("pool->page", "page"),
    ],
)
def test_of_what_is_not_known_the_member_is(expression: str, member: str) -> None:
    named = expressions.resolve(expression, "f", Types())
    assert (named.member, named.is_member) == (member, True)
    assert named.structure == ("pool" if expression == "pool->page" else "")


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("lock", "lock"),
        ("&lock", "lock"),
        ("(unsigned long *)handle", "handle"),
        ("get_lock(pool->page)", "get_lock"),
        ("&locks[pool->page]", "locks"),
        ("*(lock)", "lock"),
        ("lock + offset(a->b)", "lock"),
    ],
)
def test_a_variable_is_no_member(expression: str, name: str) -> None:
    named = expressions.resolve(expression, "f", Types())
    assert (named.structure, named.is_member) == ("", False)
    assert named.member in (name, "offset")


def test_variables_are_those_of_the_function() -> None:
    assert expressions.resolve("&pool->lock", "g", Types()) == Named("", "lock", True)


@pytest.mark.parametrize("expression", ["", "1", "&", "->", "((((", "&[", "a->", "()", ")(", "'"])
def test_no_expression_is_nothing(expression: str) -> None:
    assert expressions.resolve(expression, "f", Types()).structure == ""


@pytest.mark.parametrize(
    "part", ["(", "&", "*", "a->", "a[", "a(", "(a*)", "((struct pool *)", "a)"]
)
def test_a_long_one_takes_no_time(part: str) -> None:
    start = time.process_time()
    for count in (39, 100, 10_000):
        expressions.resolve(part * count, "f", Types())
    assert time.process_time() - start < 1
