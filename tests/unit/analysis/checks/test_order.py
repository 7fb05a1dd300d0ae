"""The order in which lock classes are taken."""

from checksamples import broken

from z3trace.analysis.checks import findings, judgement, order


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


def test_nesting_outside_the_reference_is_new() -> None:
    edges = _nested(("a", "b"), ("b", "c"))
    (new,) = order.order_violations(edges, {("a", "b")})
    assert (new.rule, new.other_lock, new.lock) == ("new-nesting", "b", "c")
    assert order.order_violations(edges, None) == []
