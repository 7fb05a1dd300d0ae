"""A check's file, and a lost guest's console, judged: everything that its reports say."""

from collections.abc import Sequence
from typing import Literal

from z3trace.analysis.checks.deaths import deaths
from z3trace.analysis.checks.exercised import exercised
from z3trace.analysis.checks.findings import (
    SCHEMA,
    Death,
    Event,
    Nested,
    Places,
    Report,
    Violation,
)
from z3trace.analysis.checks.hang import hang
from z3trace.analysis.checks.order import nested, one_direction, order_violations
from z3trace.analysis.checks.violations import incidents_of, violations
from z3trace.data.checkfile import Check


def _lost_events(check: Check) -> dict[str, int]:
    """Events that are missing; what a rule judges is no loss here."""
    if check.end is None:
        return {}
    ledger = check.end.ledger
    counts = {
        "unmatched returns": ledger.unmatched_returns,
        "depth overflows": ledger.depth_overflows,
        "held overflows": ledger.held_overflows,
        "slot collisions": ledger.slot_collisions,
        "skipped programs": ledger.skipped_programs or 0,
        "missed probes": ledger.missed_probes or 0,
    }
    return {name: count for name, count in counts.items() if count}


def report(
    check: Check, console: str = "", lost: str = "", reference: Sequence[Nested] | None = None
) -> Report:
    """Everything of a check; *lost*: why its guest was, *reference*: nesting of a good
    kernel, of which anything else is a violation."""
    header, place = check.header, Places(check.header.sites)
    incidents = incidents_of(check, console)
    order = nested(check.progress.edges if check.progress else [], place)
    known = None if reference is None else {(edge.held, edge.acquired) for edge in reference}
    broken = [
        *one_direction(violations(check, incidents, place), order),
        *order_violations(order, known),
    ]
    missing = _lost_events(check)
    whole = check.end is not None and not (missing or header.not_judged)
    module = header.module.name
    died = deaths(console, module, broken, last_events(broken)) if lost else []
    return Report(
        schema=SCHEMA,
        tool=header.tool,
        target=header.target,
        label=header.label,
        kernel=header.environment.kernel,
        cpus=header.environment.cpus,
        module=header.module.name,
        workload=header.workload,
        command=header.command,
        verdict=_verdict([*broken, *died], lost, whole=whole),
        violations=broken,
        exercised=exercised(check, incidents, place),
        order=order,
        reference=None if reference is None else list(reference),
        not_judged=dict(header.not_judged),
        lost_events=missing,
        crossed=check.progress.crossed if check.progress else 0,
        workload_status=check.end.result.status if check.end else None,
        interrupted=check.end.interrupted if check.end else False,
        hang=hang(check, incidents, console, lost),
        deaths=died,
    )


def last_events(violations: Sequence[Violation]) -> list[Event]:
    """The lock events before the last incident that is known in full."""
    instances = [instance for each in violations for instance in each.instances]
    last = max(instances, key=lambda instance: instance.time, default=None)
    return last.events if last else []


def _verdict(
    violations: Sequence[Violation | Death], lost: str, *, whole: bool
) -> Literal["violations", "clean", "lost", "incomplete"]:
    if violations:
        return "violations"
    if lost:
        return "lost"
    return "clean" if whole else "incomplete"
