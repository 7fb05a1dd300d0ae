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
from z3trace.data.rules import NO_FREES

_FULL = "held overflows"
_MANY = "more locks seemed to be held than there is room for"


def _lost_events(check: Check) -> dict[str, int]:
    """Events that are missing; what a rule judges is no loss here."""
    if check.end is None:
        return {}
    ledger = check.end.ledger
    counts = {
        "unmatched returns": ledger.unmatched_returns,
        "depth overflows": ledger.depth_overflows,
        _FULL: ledger.held_overflows,
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
    found = [
        *one_direction(violations(check, incidents, place), order),
        *order_violations(order, known),
    ]
    # The order of locks is known all the same, but not for sure.
    broken = [each for each in found if each.rule not in header.not_judged]
    missing = _lost_events(check)
    not_judged = dict(header.not_judged)
    if "double-acquire" in not_judged and missing.pop(_FULL, 0):
        # What fills the list are locks whose releases are not seen: no event is lost to it
        # that another rule would judge.
        not_judged["stuck-wait"] = f"{_MANY}: {not_judged['double-acquire']}"
    unjudged = any(reason != NO_FREES for reason in not_judged.values())
    whole = check.end is not None and not (missing or unjudged)
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
        exercised=exercised(check, incidents, place, lost=bool(lost)),
        order=order,
        reference=None if reference is None else list(reference),
        not_judged={
            rule: reason
            for rule, reason in not_judged.items()
            if rule != "new-nesting" or reference is not None
        },
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
