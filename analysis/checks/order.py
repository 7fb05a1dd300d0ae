"""The order in which a check saw lock classes taken: nesting, inversions, rings."""

from collections.abc import Collection, Iterable, Sequence

from z3trace.analysis.checks.findings import Nested, Place, Places, Violation, spread
from z3trace.data.checkfile import Edge


def one_direction(violations: Sequence[Violation], order: Sequence[Nested]) -> list[Violation]:
    """Of each inversion the order that was seen less often, which is the one to question;
    the call sites of the usual order are in ``reverse``."""
    counts = {(edge.held, edge.acquired): edge.count for edge in order}

    def pair_of(inversion: Violation) -> tuple[str, str]:
        return (inversion.other_lock, inversion.lock)

    pairs = [pair_of(each) for each in violations if each.rule == "order-inversion"]
    kept: set[tuple[str, str]] = set()
    for pair in pairs:
        turned = (pair[1], pair[0])
        if turned not in kept and (turned not in pairs or _rarer(counts, pair, turned)):
            kept.add(pair)
    return [each for each in violations if each.rule != "order-inversion" or pair_of(each) in kept]


def _rarer(
    counts: dict[tuple[str, str], int], pair: tuple[str, str], turned: tuple[str, str]
) -> bool:
    return counts.get(pair, 0) <= counts.get(turned, 0)


def nested(edges: Iterable[Edge], place: Places) -> list[Nested]:
    """The edges of a check, with their places in words."""
    return [
        Nested(
            held=edge.held,
            acquired=edge.acquired,
            count=edge.count,
            held_at=place.some(edge.held_site),
            acquired_at=place.some(edge.acquired_site),
        )
        for edge in edges
    ]


def cycles(order: Sequence[Nested]) -> list[list[Nested]]:
    """Rings of three and more lock classes, each asked for under the one before: what two
    tasks cannot, three can deadlock on.  Of two the kernel side tells itself."""
    after: dict[str, dict[str, Nested]] = {}
    for edge in order:
        if "other" not in (edge.held, edge.acquired) and edge.held != edge.acquired:
            after.setdefault(edge.held, {})[edge.acquired] = edge
    found: list[list[Nested]] = []

    def walk(start: str, path: list[Nested]) -> None:
        for name, edge in after.get(path[-1].acquired if path else start, {}).items():
            if name == start and len(path) >= 2:
                found.append([*path, edge])
            elif name > start and all(name != one.acquired for one in path):
                walk(start, [*path, edge])

    for start in sorted(after):
        walk(start, [])
    return found


def order_violations(
    order: Sequence[Nested], reference: Collection[tuple[str, str]] | None
) -> list[Violation]:
    violations = [
        _of_edge("order-inversion", ring[-1], [p for e in ring[:-1] if (p := e.acquired_at)])
        for ring in cycles(order)
    ]
    if reference is not None:
        violations += [
            _of_edge("new-nesting", edge, [])
            for edge in order
            if (edge.held, edge.acquired) not in reference
        ]
    return violations


def _of_edge(rule: str, edge: Nested, reverse: list[Place]) -> Violation:
    return Violation(
        **spread(edge.acquired_at or Place()),
        rule=rule,
        lock=edge.acquired,
        operation="",
        count=edge.count,
        other_lock=edge.held,
        other=edge.held_at,
        reverse=reverse,
    )
