"""The order in which lock classes are taken."""

import time
from itertools import permutations

import pytest
from checksamples import broken
from hypothesis import given
from hypothesis import strategies as st

from z3trace.analysis.checks import findings, judgement, order
from z3trace.errors import InputError


def test_an_inversion_is_told_once_in_the_rarer_order() -> None:
    inversions = [v for v in judgement.report(broken()).violations if v.rule == "order-inversion"]
    assert [(v.lock, v.other_lock, v.line, v.count) for v in inversions] == [
        ("page", "pool", 100, 7)
    ]
    assert [place.line for place in inversions[0].reverse] == [100, 110]


def _nested(*pairs: tuple[str, str]) -> list[findings.Nested]:
    return [findings.Nested(held=a, acquired=b, count=1) for a, b in pairs]


def test_a_ring_of_three_classes_is_an_inversion() -> None:
    (ring,) = order.cycles(_nested(("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")))
    assert [edge.held for edge in ring] == ["a", "b", "c"]
    assert order.cycles(_nested(("a", "b"), ("b", "c"), ("a", "c"), ("a", "a"))) == []
    # Two classes are told of by the kernel side, at the moment it happens.
    assert order.cycles(_nested(("a", "b"), ("b", "a"))) == []


def _complete(count: int) -> list[findings.Nested]:
    names = [f"c{i:02d}" for i in range(count)]
    return _nested(*((a, b) for a in names for b in names if a != b))


@pytest.mark.parametrize("count", [10, order.MOST_CLASSES])
def test_all_classes_under_all_are_one_ring(count: int) -> None:
    """Ten have 1.1 million rings, and 64 have more than can be written."""
    (ring,) = order.cycles(_complete(count))
    assert [edge.held for edge in ring] == ["c00", "c01", "c02"]


def test_more_classes_than_there_can_be_are_refused() -> None:
    with pytest.raises(InputError, match="65 lock classes, more than 64"):
        order.cycles(_complete(order.MOST_CLASSES + 1))


def _is_ring(ring: list[findings.Nested]) -> bool:
    held = [edge.held for edge in ring]
    turned = [edge.acquired for edge in ring[-1:] + ring[:-1]]
    return held == turned and len(set(held)) == len(held) >= 3 and held[0] == min(held)


def _rings_by_hand(pairs: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Every ring of three and more, by looking at every order of every choice."""
    names = sorted({name for pair in pairs for name in pair})
    return [
        ring
        for size in range(3, len(names) + 1)
        for ring in permutations(names, size)
        if ring[0] == min(ring)
        and all(pair in pairs for pair in zip(ring, ring[1:] + ring[:1], strict=True))
    ]


@given(st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=14))
def test_every_set_of_rings_has_a_shortest_one(pairs: set[tuple[str, str]]) -> None:
    pairs = {(a, b) for a, b in pairs if a != b}
    every, rings = _rings_by_hand(pairs), order.cycles(_nested(*sorted(pairs)))
    assert all(map(_is_ring, rings))
    # Rings that share a class are of one component, and so is what one leads to.
    named = [{edge.held for edge in ring} for ring in rings]
    assert sum(map(len, named)) == len(set().union(*named))
    if every:
        assert min(map(len, rings)) == min(map(len, every))
    assert bool(every) == bool(rings)


def test_the_worst_for_a_search_is_soon_over() -> None:
    """Two halves, all of one under all of the other, both ways: no ring of three."""
    half = order.MOST_CLASSES // 2
    pairs = [(f"a{i}", f"b{j}") for i in range(half) for j in range(half)]
    begun = time.process_time()
    (ring,) = order.cycles(_nested(*pairs, *((b, a) for a, b in pairs)))
    assert len(ring) == 4
    # A tree both ways: all are reached from all, and no ring but those of two.
    path = [(f"n{i:02d}", f"n{i + 1:02d}") for i in range(order.MOST_CLASSES - 1)]
    assert order.cycles(_nested(*path, *((b, a) for a, b in path))) == []
    assert time.process_time() - begun < 2


def test_nesting_outside_the_reference_is_new() -> None:
    edges = _nested(("a", "b"), ("b", "c"))
    (new,) = order.order_violations(edges, {("a", "b")})
    assert (new.rule, new.other_lock, new.lock) == ("new-nesting", "b", "c")
    assert order.order_violations(edges, None) == []
