"""What a check found: violations by call site, what was exercised, the order of locks.

Made of the file that a check wrote and of a lost guest's console, both of which may
have an incident that the other lacks.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from z3trace.analysis.checks.findings import (
    SCHEMA,
    Condition,
    Event,
    Exercised,
    Hang,
    Instance,
    Nested,
    Places,
    Report,
    Violation,
)
from z3trace.analysis.checks.order import nested, one_direction, order_violations
from z3trace.data.checkfile import Check, Incident
from z3trace.data.incident import printed
from z3trace.data.rules import CONDITION_MET

#: Console lines before and after a lockup, oops or panic that are shown.
_TRACE_LINES = 48
_STAMP = re.compile(r"^\[\s*[0-9.]+\]\s?")
_TROUBLE = re.compile(r"soft lockup|BUG: |Oops: |Kernel panic|general protection|rcu: INFO")
#: Of a trace, what tells a reader of the source something.
_TELLING = re.compile(
    _TROUBLE.pattern + r"|^(RIP:|CPU:|Call Trace:)|^ ?</?(TASK|IRQ)>|^ \?? ?[\w.]+\+0x|WARNING:"
)


def _instance(found: Incident, armed: int, place: Places) -> Instance:
    span = max(found.time - found.since, 0) / 1e9 if found.since else None
    waited = found.rule == "stuck-wait"
    return Instance(
        time=(found.time - armed) / 1e9,
        task=found.task,
        task_name=found.task_name,
        cpu=found.cpu,
        address=found.lock,
        held=None if waited else span,
        waited=span if waited else None,
        other_task=found.other_task,
        events=[
            Event(
                time=(step.time - armed) / 1e9,
                kind=step.kind,
                lock=step.lock,
                place=place(step.site),
            )
            for step in found.steps
        ],
    )


def _merged(check: Check, console: str) -> list[Incident]:
    """Incidents of the file and of the console, each once, in the order of time."""
    found = {incident.key(): incident for incident in printed(console, check.header)}
    found |= {incident.key(): incident for incident in check.incidents}
    return sorted(found.values(), key=lambda incident: incident.time)


def _violations(check: Check, incidents: Iterable[Incident], place: Places) -> list[Violation]:
    grouped: dict[tuple[str, int | None], list[Incident]] = {}
    for incident in incidents:
        if incident.rule != CONDITION_MET:
            grouped.setdefault((incident.rule, incident.site), []).append(incident)
    counted = check.progress.offences if check.progress else []
    counts = {(one.rule, one.site): one.count for one in counted}
    found = []
    for key in [*grouped, *(key for key in counts if key not in grouped)]:
        members = grouped.get(key, [])
        first = members[0] if members else None
        where = place(key[1])
        found.append(
            Violation(
                rule=key[0],
                lock=first.lock_class if first else "",
                operation=first.operation if first else "",
                function=where.function,
                offset=where.offset,
                file=where.file,
                line=where.line,
                inlined=where.inlined,
                # The last count before a hang is older than the hang.
                count=max(counts.get(key, 0), len(members)),
                other_lock=first.other_class if first else "",
                other=place.some(first.other) if first else None,
                reverse=[place(n) for n in first.reverse] if first and first.reverse else [],
                instances=[_instance(one, check.header.armed, place) for one in members],
            )
        )
    return found


def _conditions(check: Check, incidents: Iterable[Incident]) -> list[Condition]:
    counts = check.progress.conditions if check.progress else []
    met: dict[str, int] = {}
    for incident in incidents:
        if incident.condition:
            met[incident.condition] = met.get(incident.condition, 0) + 1
    found = []
    for number, one in enumerate(check.header.conditions):
        count = max(counts[number] if number < len(counts) else 0, met.get(one.name, 0))
        found.append(
            Condition(name=one.name, count=None if one.reason else count, reason=one.reason)
        )
    return found


def _exercised(check: Check, incidents: Sequence[Incident], place: Places) -> Exercised:
    progress, sites = check.progress, check.header.sites
    reached = set(progress.reached if progress else [])
    for incident in incidents:
        reached |= {step.site for step in incident.steps}
        reached |= {site for site in (incident.site, incident.other) if site is not None}
    known = {site.number for site in sites}
    reached &= known
    return Exercised(
        seconds=progress.elapsed / 1e9 if progress else 0.0,
        operations=dict(progress.operations) if progress else {},
        sites=len(sites),
        reached=len(reached),
        percent=100 * len(reached) / len(sites) if sites else 0.0,
        unreached=[place(s.number) for s in sites if s.attached and s.number not in reached],
        unseen=[place(s.number) for s in sites if not s.attached],
        conditions=_conditions(check, incidents),
    )


def _hang(console: str, lost: str, uncounted: float) -> Hang | None:
    """What the console says of the end of the kernel, without our own lines."""
    if not lost:
        return None
    lines = [_STAMP.sub("", line).rstrip() for line in console.splitlines()]
    first = next((n for n, line in enumerate(lines) if _TROUBLE.search(line)), len(lines))
    trace = [line for line in lines[first:] if "z3t-check" not in line and _TELLING.search(line)]
    reason = lost.removeprefix("the guest was lost: ")
    return Hang(reason=reason, trace=trace[:_TRACE_LINES], uncounted=uncounted)


def _uncounted(check: Check, incidents: Sequence[Incident]) -> float:
    counted = check.progress.elapsed if check.progress else 0
    last = max((one.time - check.header.armed for one in incidents), default=0)
    return max(last - counted, 0) / 1e9


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
    incidents = _merged(check, console)
    order = nested(check.progress.edges if check.progress else [], place)
    known = None if reference is None else {(one.held, one.acquired) for one in reference}
    violations = [
        *one_direction(_violations(check, incidents, place), order),
        *order_violations(order, known),
    ]
    missing = _lost_events(check)
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
        verdict=_verdict(violations, lost, whole=not (missing or header.not_judged)),
        violations=violations,
        exercised=_exercised(check, incidents, place),
        order=order,
        reference=None if reference is None else list(reference),
        not_judged=dict(header.not_judged),
        lost_events=missing,
        crossed=check.progress.crossed if check.progress else 0,
        workload_status=check.end.result.status if check.end else None,
        interrupted=check.end.interrupted if check.end else False,
        hang=_hang(console, lost, _uncounted(check, incidents)),
    )


def _verdict(
    violations: Sequence[Violation], lost: str, *, whole: bool
) -> Literal["violations", "clean", "lost", "incomplete"]:
    if violations:
        return "violations"
    if lost:
        return "lost"
    return "clean" if whole else "incomplete"
