"""What a check found: violations by call site, what was exercised, the order of locks.

Made of the file that a check wrote and of a lost guest's console, both of which may
have an incident that the other lacks.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from z3trace import checkfile, runfile
from z3trace.checkfile import Check, Edge, Incident
from z3trace.model import CallSite
from z3trace.runfile import part_name

SCHEMA = 1
#: Console lines before and after a lockup, oops or panic that are shown.
_TRACE_LINES = 48
_STAMP = re.compile(r"^\[\s*[0-9.]+\]\s?")
_TROUBLE = re.compile(r"soft lockup|BUG: |Oops: |Kernel panic|general protection|rcu: INFO")
#: Of a trace, what tells a reader of the source something.
_TELLING = re.compile(
    _TROUBLE.pattern + r"|^(RIP:|CPU:|Call Trace:)|^ ?</?(TASK|IRQ)>|^ \?? ?[\w.]+\+0x|WARNING:"
)
#: What these tell is no broken rule.
_NO_OFFENCE = ("condition-met",)


class Place(Struct, frozen=True, kw_only=True):
    """A call site in words."""

    function: str = ""
    offset: int = 0
    file: str = ""
    line: int = 0
    inlined: list[str] = []
    lock_function: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """A lock event before an incident; *time* in seconds since the probes were in place."""

    time: float
    kind: str
    lock: str
    place: Place


class Instance(Struct, frozen=True, kw_only=True):
    """One incident in full: *time* as in ``Event``, *held* and *waited* in seconds."""

    time: float
    task: int
    task_name: str
    cpu: int
    address: str
    held: float | None = None
    waited: float | None = None
    other_task: int = 0
    events: list[Event] = []


class Violation(Struct, frozen=True, kw_only=True):
    """A rule broken at a call site, *count* times; *other* is the site that belongs to
    it, and *reverse* the sites (held, asked for) of an inversion's other order."""

    rule: str
    lock: str
    operation: str
    function: str
    offset: int
    file: str
    line: int
    count: int
    inlined: list[str] = []
    other_lock: str = ""
    other: Place | None = None
    reverse: list[Place] = []
    instances: list[Instance] = []


class Condition(Struct, frozen=True, kw_only=True):
    """How often a path was met; None: it cannot be counted here, and why."""

    name: str
    count: int | None
    reason: str = ""


class Exercised(Struct, frozen=True, kw_only=True):
    """What the workload reached: calls by operation, lock call sites, conditions."""

    seconds: float
    operations: dict[str, int]
    sites: int
    reached: int
    percent: float
    unreached: list[Place]
    unseen: list[Place]
    conditions: list[Condition]


class Nested(Struct, frozen=True, kw_only=True):
    """A lock class asked for while another was held."""

    held: str
    acquired: str
    count: int
    held_at: Place | None = None
    acquired_at: Place | None = None


class Hang(Struct, frozen=True, kw_only=True):
    """Why the kernel was lost, and what its console said."""

    reason: str
    trace: list[str]
    #: Seconds from the last count of everything to the last incident; what was reached
    #: in between is not known.
    uncounted: float = 0.0


class Report(Struct, frozen=True, kw_only=True):
    """All that a check's reports say."""

    schema: int
    tool: str
    target: str
    label: str
    kernel: str
    cpus: int
    module: str
    workload: str
    command: list[str]
    verdict: Literal["violations", "clean", "lost", "incomplete"]
    violations: list[Violation]
    exercised: Exercised
    order: list[Nested]
    reference: list[Nested] | None
    not_judged: dict[str, str]
    lost_events: dict[str, int]
    crossed: int
    workload_status: int | None
    #: Ctrl-C ended the check: it judged up to then.
    interrupted: bool = False
    hang: Hang | None


class _Sites:
    """Call sites by number, in words."""

    def __init__(self, sites: Sequence[CallSite]) -> None:
        self._sites = {site.number: site for site in sites}

    def __call__(self, number: int | None) -> Place:
        site = None if number is None else self._sites.get(number)
        if site is None:
            return Place()
        return Place(
            function=site.function,
            offset=site.offset,
            file=site.file,
            line=site.line,
            inlined=list(site.inlined),
            lock_function=site.lock_function,
        )

    def some(self, number: int | None) -> Place | None:
        return None if number is None else self(number)


def _instance(found: Incident, armed: int, place: _Sites) -> Instance:
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
    found = {incident.key(): incident for incident in checkfile.printed(console, check.header)}
    found |= {incident.key(): incident for incident in check.incidents}
    return sorted(found.values(), key=lambda incident: incident.time)


def _violations(check: Check, incidents: Iterable[Incident], place: _Sites) -> list[Violation]:
    grouped: dict[tuple[str, int | None], list[Incident]] = {}
    for incident in incidents:
        if incident.rule not in _NO_OFFENCE:
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


def _one_direction(found: Sequence[Violation], order: Sequence[Nested]) -> list[Violation]:
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


def _nested(edges: Iterable[Edge], place: _Sites) -> list[Nested]:
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


def _order_violations(
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
        return _nested(edges, _Sites(check.header.sites))
    counts: dict[tuple[str, str], int] = {}
    for run in runfile.read(path).runs:
        for pair in run.nesting:
            key = (pair.held, pair.acquired)
            counts[key] = counts.get(key, 0) + pair.count
    return [Nested(held=held, acquired=got, count=n) for (held, got), n in counts.items()]


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


def _exercised(check: Check, incidents: Sequence[Incident], place: _Sites) -> Exercised:
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
    header, place = check.header, _Sites(check.header.sites)
    incidents = _merged(check, console)
    order = _nested(check.progress.edges if check.progress else [], place)
    known = None if reference is None else {(one.held, one.acquired) for one in reference}
    violations = [
        *_one_direction(_violations(check, incidents, place), order),
        *_order_violations(order, known),
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
