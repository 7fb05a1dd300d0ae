"""The order in which a check saw lock classes taken: nesting, inversions, rings."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse.csgraph import connected_components

from z3trace.analysis.checks.findings import Nested, Place, Places, Violation, spread
from z3trace.data.checkfile import Edge
from z3trace.errors import InputError

#: Eight times as many as the kernel's programs can tell apart.
MOST_CLASSES = 64
#: Lock class held -> class asked for -> the edge.
Graph = Mapping[str, Mapping[str, Nested]]


def one_direction(violations: Sequence[Violation], order: Sequence[Nested]) -> list[Violation]:
    """Of each inversion the order that was seen less often, which is the one to question;
    the call sites of the usual order are in ``reverse``."""
    counts = {(edge.held, edge.acquired): edge.count for edge in order}

    def pair_of(inversion: Violation) -> tuple[str, str]:
        return (inversion.other_lock, inversion.lock)

    pairs = dict.fromkeys(pair_of(each) for each in violations if each.rule == "order-inversion")
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
    tasks cannot, three can deadlock on.  Of two the kernel side tells itself.

    A shortest ring of every set of classes that can all be reached from each other
    (strongly connected components), beginning with the smallest name: there can be
    factorially many others.  InputError above ``MOST_CLASSES``, which bounds the cost.
    """
    after: dict[str, dict[str, Nested]] = {}
    for edge in order:
        if "other" not in (edge.held, edge.acquired) and edge.held != edge.acquired:
            after.setdefault(edge.held, {})[edge.acquired] = edge
    rings = []
    for names in _components(after):
        ring = _shortest({name: after[name] for name in names})
        if ring:
            first = min(range(len(ring)), key=lambda i: ring[i].held)
            rings.append(ring[first:] + ring[:first])
    return rings


def _components(after: Graph) -> list[list[str]]:
    """The strongly connected components of three and more lock classes, by their names."""
    names = sorted({*after, *(name for edges in after.values() for name in edges)})
    if len(names) > MOST_CLASSES:
        raise InputError(f"a check of {len(names)} lock classes, more than {MOST_CLASSES}")
    matrix = np.zeros((len(names), len(names)), dtype=bool)
    for row, held in zip(matrix, names, strict=True):
        row[:] = [name in after.get(held, ()) for name in names]
    count, labels = connected_components(matrix, connection="strong") if names else (0, [])
    members: list[list[str]] = [[] for _ in range(count)]
    for name, label in zip(names, labels, strict=True):
        members[label].append(name)
    return sorted(component for component in members if len(component) > 2)


def _shortest(after: Graph) -> list[Nested]:
    """A shortest ring of at least three edges; empty if there are rings of two alone."""
    best: list[Nested] = []
    for held in after:
        for acquired, edge in sorted(after[held].items()):
            back = _path(after, acquired, held, len(best) - 2 if best else len(after))
            if back:
                best = [edge, *back]
            if len(best) == 3:
                return best
    return best


def _path(after: Graph, start: str, goal: str, most: int) -> list[Nested]:
    """A shortest path of two to *most* edges, breadth first; empty if there is none."""
    reached: dict[str, list[Nested]] = {start: []}
    pending = deque([start])
    while pending:
        name = pending.popleft()
        path = reached[name]
        if len(path) >= most:
            return []
        for acquired, edge in after.get(name, {}).items():
            if acquired == goal and path:
                return [*path, edge]
            if acquired != goal and acquired not in reached:
                reached[acquired] = [*path, edge]
                pending.append(acquired)
    return []


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
