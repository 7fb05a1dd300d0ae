"""Several checks of one build as one: what each workload showed, and what all of them
reached."""

import re
from collections.abc import Iterable, Sequence

from msgspec import structs

from z3trace.analysis.checks.findings import (
    Condition,
    Death,
    Exercised,
    Nested,
    Place,
    Report,
    Violation,
)

_MOST_INSTANCES = 4
#: Addresses in the console's words are others each time.
_NUMBERS = re.compile(r"\b(?:0x)?[0-9a-f]{6,16}\b")
_WORST = ("violations", "lost", "incomplete", "clean")


def merged(reports: Sequence[Report]) -> Report:
    """The *reports*, at least one, of checks of the same build by other workloads; each
    finding once, with the workloads that show it."""
    first = reports[0]
    if len(reports) == 1:
        return first
    verdict = min((report.verdict for report in reports), key=_WORST.index)
    if any(report.deaths for report in reports):
        verdict = "violations"
    return structs.replace(
        first,
        workload="; ".join(dict.fromkeys(report.workload for report in reports)),
        verdict=verdict,
        violations=_violations(reports),
        deaths=_deaths(reports),
        exercised=_exercised([report.exercised for report in reports]),
        order=_order(edge for report in reports for edge in report.order),
        not_judged={rule: why for r in reports for rule, why in r.not_judged.items()},
        lost_events=_summed(report.lost_events for report in reports),
        crossed=sum(report.crossed for report in reports),
        workload_status=_status(reports),
        interrupted=any(report.interrupted for report in reports),
        hang=next((report.hang for report in reports if report.hang), None),
    )


def _status(reports: Sequence[Report]) -> int | None:
    """The worst status of the workloads; None if one did not end, but for those that were
    lost with their kernel."""
    ended = [report.workload_status for report in reports if not report.hang]
    if None in ended:
        return None
    return max((status for status in ended if status), default=0)


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def _violations(reports: Sequence[Report]) -> list[Violation]:
    found: dict[tuple[object, ...], Violation] = {}
    for report in reports:
        for each in report.violations:
            key = (each.rule, each.lock, each.function, each.offset)
            known = found.get(key)
            shown = each.workloads or [report.workload]
            if known is None:
                found[key] = structs.replace(each, workloads=shown)
                continue
            found[key] = structs.replace(
                known,
                count=known.count + each.count,
                instances=[*known.instances, *each.instances][:_MOST_INSTANCES],
                workloads=list(dict.fromkeys([*known.workloads, *shown])),
            )
    return list(found.values())


def _deaths(reports: Sequence[Report]) -> list[Death]:
    found: dict[tuple[str, str, int], Death] = {}
    for report in reports:
        for each in report.deaths:
            key = (_NUMBERS.sub("", each.words), each.place.function, each.place.offset)
            known = found.get(key, each)
            shown = each.workloads or [report.workload]
            workloads = list(dict.fromkeys([*known.workloads, *shown]))
            found[key] = structs.replace(known, workloads=workloads)
    return list(found.values())


def _exercised(parts: Sequence[Exercised]) -> Exercised:
    places = {_where(place): place for part in parts for place in part.unreached}
    missed = set.intersection(*({_where(place) for place in part.unreached} for part in parts))
    sites = max(part.sites for part in parts)
    unseen = parts[0].unseen
    reached = sites - len(missed) - len(unseen)
    return Exercised(
        seconds=sum(part.seconds for part in parts),
        operations=_operations(parts),
        sites=sites,
        reached=reached,
        percent=100 * reached / sites if sites else 0.0,
        unreached=[place for where, place in places.items() if where in missed],
        unseen=unseen,
        conditions=_conditions(parts),
    )


def _operations(parts: Sequence[Exercised]) -> dict[str, int | None]:
    """Calls in all of them; None if none were counted, and some may have been lost with a
    kernel."""
    total: dict[str, int | None] = {}
    for name in dict.fromkeys(name for part in parts for name in part.operations):
        counts = [part.operations.get(name, 0) for part in parts]
        known = sum(count or 0 for count in counts)
        total[name] = None if None in counts and not known else known
    return total


def _where(place: Place) -> tuple[str, int]:
    return place.function, place.offset


def _conditions(parts: Sequence[Exercised]) -> list[Condition]:
    counts: dict[str, Condition] = {}
    for condition in (each for part in parts for each in part.conditions):
        known = counts.get(condition.name)
        if known is None or known.count is None or condition.count is None:
            counts[condition.name] = condition if known is None else known
        else:
            total = known.count + condition.count
            counts[condition.name] = structs.replace(known, count=total)
    return list(counts.values())


def _order(edges: Iterable[Nested]) -> list[Nested]:
    found: dict[tuple[str, str], Nested] = {}
    for edge in edges:
        known = found.get((edge.held, edge.acquired))
        count = edge.count + (known.count if known else 0)
        found[edge.held, edge.acquired] = structs.replace(known or edge, count=count)
    return list(found.values())
