"""The order in which a check saw lock classes taken: nesting, inversions, rings."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from z3trace.analysis.checks.findings import Nested, Place, Places, Report, Violation
from z3trace.data import checkfile, runfile
from z3trace.data.checkfile import Edge
from z3trace.data.runfile import part_name


def one_direction(found: Sequence[Violation], order: Sequence[Nested]) -> list[Violation]:
    """Of each inversion the order that was seen less often, which is the one to question;
    the call sites of the usual order are in ``reverse``."""
    counts = {(edge.held, edge.acquired): edge.count for edge in order}

    def key(one: Violation) -> tuple[str, str]:
        return (one.other_lock, one.lock)

    pairs = [key(one) for one in found if one.rule == "order-inversion"]
    kept: set[tuple[str, str]] = set()
    for pair in pairs:
        turned = (pair[1], pair[0])
        if turned not in kept and (turned not in pairs or _rarer(counts, pair, turned)):
            kept.add(pair)
    return [one for one in found if one.rule != "order-inversion" or key(one) in kept]


def _rarer(
    counts: dict[tuple[str, str], int], pair: tuple[str, str], turned: tuple[str, str]
) -> bool:
    return counts.get(pair, 0) <= counts.get(turned, 0)


def nested(edges: Iterable[Edge], place: Places) -> list[Nested]:
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
    found = [
        _of_edge("order-inversion", ring[-1], [p for e in ring[:-1] if (p := e.acquired_at)])
        for ring in cycles(order)
    ]
    if reference is not None:
        found += [
            _of_edge("new-nesting", edge, [])
            for edge in order
            if (edge.held, edge.acquired) not in reference
        ]
    return found


def _of_edge(rule: str, edge: Nested, reverse: list[Place]) -> Violation:
    where = edge.acquired_at or Place()
    return Violation(
        rule=rule,
        lock=edge.acquired,
        operation="",
        function=where.function,
        offset=where.offset,
        file=where.file,
        line=where.line,
        inlined=where.inlined,
        count=edge.count,
        other_lock=edge.held,
        other=edge.held_at,
        reverse=reverse,
    )


def nesting_of(path: Path) -> list[Nested]:
    """The nesting of a reference: a check's ``.json`` or ``.z3c``, or a recording."""
    if path.suffix == ".json":
        import msgspec

        from z3trace.errors import InputError

        try:
            return msgspec.json.decode(path.read_bytes(), type=Report).order
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{path} is not the report of a check: {error}") from error
    if path.suffix == ".z3c" or part_name(path).suffix == ".z3c":
        check = checkfile.read(path)
        edges = check.progress.edges if check.progress else []
        return nested(edges, Places(check.header.sites))
    counts: dict[tuple[str, str], int] = {}
    for run in runfile.read(path).runs:
        for pair in run.nesting:
            key = (pair.held, pair.acquired)
            counts[key] = counts.get(key, 0) + pair.count
    return [Nested(held=held, acquired=got, count=n) for (held, got), n in counts.items()]
