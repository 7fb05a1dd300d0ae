"""What a check found, as text for a mail, JSON, HTML, and a picture of the lock order."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from z3trace import paths
from z3trace.analysis.checks.findings import (
    Event,
    Exercised,
    Instance,
    Nested,
    Place,
    Report,
    Violation,
)
from z3trace.analysis.report.prose import WIDTH, ascii_only, heading, shell_command, wrap
from z3trace.columns import table
from z3trace.data.rules import BY_NAME, Rule

#: Of a rule that this version does not know.
_UNKNOWN = Rule("", None, "")
UNCOUNTED = "The counts below end {:.1f} s before the last finding: more was reached"
_LISTED = 40  # unreached call sites that the text names


def source(place: Place) -> str:
    """``file:line`` where that is known."""
    return f"{Path(place.file).name}:{place.line}" if place.file else ""


def where(place: Place) -> str:
    """``function+0x12 (file:line, inlined < chain)``."""
    if not place.function:
        return "unknown"
    inside = ", ".join(
        part for part in (source(place), " < ".join(reversed(place.inlined))) if part
    )
    return f"{place.function}+{place.offset:#x}" + (f" ({inside})" if inside else "")


def meaning(violation: Violation) -> str:
    """What the broken rule says."""
    return BY_NAME.get(violation.rule, _UNKNOWN).meaning


def place_of(violation: Violation) -> Place:
    """Where a violation was."""
    return Place(
        function=violation.function,
        offset=violation.offset,
        file=violation.file,
        line=violation.line,
        inlined=violation.inlined,
    )


def places(violation: Violation) -> list[tuple[str, str]]:
    """(role, place) of everything a violation points to."""
    rule = BY_NAME.get(violation.rule, _UNKNOWN)
    found = [(rule.here, where(place_of(violation)))] if violation.function else []
    if violation.other:
        found.append((rule.there, where(violation.other)))
    if violation.reverse:
        chain = ", then ".join(where(place) for place in violation.reverse)
        found.append(("other order", chain))
    return found


def _seconds(value: float) -> str:
    return f"{value:.6f} s"


def circumstances(one: Instance) -> str:
    """Who, where and when, in one sentence."""
    words = [f"at {_seconds(one.time)}: {one.task_name or 'task'} {one.task}, CPU {one.cpu}"]
    words.append(f"lock {one.address}")
    if one.waited is not None:
        words.append(f"waiting for {_seconds(one.waited)}")
    elif one.held is not None:
        words.append(f"held for {_seconds(one.held)}")
    if one.other_task:
        words.append(f"held by task {one.other_task}")
    return ", ".join(words)


def event(one: Event) -> str:
    at = source(one.place) or f"{one.place.function}+{one.place.offset:#x}"
    return f"{one.time:.6f} {one.kind} {one.lock} {at} {one.place.function}"


def title(violation: Violation) -> str:
    locks = violation.lock + (f" under {violation.other_lock}" if violation.other_lock else "")
    parts = [violation.rule]
    if locks:
        parts.append(f"lock {locks}")
    if violation.operation:
        parts.append(f"operation {violation.operation}")
    return ", ".join([*parts, times(violation.count)])


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _violation(violation: Violation) -> list[str]:
    out = [*wrap(title(violation)), *wrap(meaning(violation), "  ")]
    for role, text in places(violation):
        out += wrap(f"{role} {text}", "  ", "    ")
    for one in violation.instances[:1]:
        out += wrap(circumstances(one), "  ", "    ")
        if one.events:
            out.append("  the task's last lock events:")
            out += [ascii_only(f"    {event(each)}")[:WIDTH] for each in one.events]
    return [*out, ""]


def summary(report: Report) -> str:
    """One sentence: what was found, or what was exercised without finding anything."""
    done = report.exercised
    made = sum(done.operations.values())
    scope = (
        f"{made} operations, {done.reached} of {done.sites} lock call sites ({done.percent:.0f} %)"
    )
    broken = len(report.violations)
    said = f"{broken} {'violation' if broken == 1 else 'violations'}"
    if report.hang and report.hang.uncounted:
        # The counts are older than what was found.
        lost = "the kernel was lost"
        return f"{said}, and {lost}" if broken else f"{lost}, no rule was seen broken before"
    if report.verdict == "violations":
        return f"{said} in {scope}"
    if report.verdict == "lost":
        return f"the kernel was lost, no rule was seen broken before, in {scope}"
    if report.verdict == "incomplete":
        return f"no violation seen in {scope}, but not everything could be judged"
    return f"no violation in {scope}"


def _exercised(done: Exercised, *, counted: bool) -> list[str]:
    out = heading("What was exercised")
    rows = [[name, str(count)] for name, count in done.operations.items()]
    rows += [
        [one.name, "not counted here" if one.count is None else str(one.count)]
        for one in done.conditions
    ]
    out += [ascii_only(line) for line in table(["", "times"], rows)]
    never = [one.name for one in done.conditions if one.count == 0]
    if never and counted:
        out += ["", *wrap(f"Never met, so nothing is known of it: {', '.join(never)}.")]
    reached = f"{'' if counted else 'at least '}{done.reached} of {done.sites}"
    out += ["", *wrap(f"Lock call sites: {reached} ({done.percent:.0f} %).")]
    if done.unreached and counted:
        out += _place_list("Not reached:", done.unreached)
    if done.unseen:
        out += _place_list("Cannot be seen:", done.unseen)
    return [*out, ""]


def _place_list(title_text: str, found: Sequence[Place]) -> list[str]:
    names: dict[str, list[str]] = {}
    for place in found[:_LISTED]:
        names.setdefault(place.function, []).append(source(place) or f"+{place.offset:#x}")
    out = [title_text]
    for function, where_ in names.items():
        out += wrap(f"{function}: {', '.join(where_)}", "  ", "    ")
    if len(found) > _LISTED:
        out.append(f"  and {len(found) - _LISTED} more")
    return out


def _order(report: Report) -> list[str]:
    if not report.order:
        return []
    out = heading("Lock order (held > asked for)")
    rows = [
        [f"{one.held} > {one.acquired}", str(one.count), source(one.acquired_at or Place())]
        for one in report.order
    ]
    out += [ascii_only(line) for line in table(["", "times", "first at"], rows)]
    same = [one.held for one in report.order if one.held == one.acquired]
    if same:
        out += wrap(f"Two of one class at once, whose order is not judged: {', '.join(same)}.")
    if report.crossed:
        out += wrap(f"Released in another order than taken: {times(report.crossed)}.")
    return [*out, ""]


def _blind(report: Report) -> list[str]:
    out: list[str] = []
    for rule, reason in report.not_judged.items():
        out += wrap(f"{rule}: {reason}", "- ", "  ")
    for name, count in report.lost_events.items():
        out += wrap(f"{name}: {count}; a rule may have been broken or not in these", "- ", "  ")
    if report.interrupted:
        out += wrap("interrupted: judged up to then", "- ", "  ")
    elif report.workload_status:
        out += wrap(f"the workload ended with status {report.workload_status}", "- ", "  ")
    return [*heading("What could not be judged"), *out, ""] if out else []


def text(report: Report) -> str:
    """The report as a mail: ASCII, at most 72 columns."""
    out = [
        *wrap(f"z3trace check: {report.target}, {report.label}: {summary(report)}"),
        *wrap(f"kernel {report.kernel}, {report.cpus} CPUs, {report.workload}"),
        "",
    ]
    if report.hang:
        out += [*heading("The kernel was lost"), *wrap(report.hang.reason)]
        if report.hang.uncounted:
            out += wrap(f"{UNCOUNTED.format(report.hang.uncounted)}.")
        out.append("")
    if report.violations:
        out += heading("Violations")
        for violation in report.violations:
            out += _violation(violation)
    counted = not (report.hang and report.hang.uncounted)
    out += [*_exercised(report.exercised, counted=counted), *_order(report), *_blind(report)]
    if report.hang and report.hang.trace:
        out += heading("The console's last words")
        out += [ascii_only(f"  {line}")[:WIDTH].rstrip() for line in report.hang.trace]
        out.append("")
    out += heading("To reproduce")
    out += shell_command(report.command)
    return "\n".join(line.rstrip() for line in out) + "\n"


def as_json(report: Report) -> str:
    """The report as JSON, ``findings.SCHEMA``."""
    return json.dumps(msgspec.to_builtins(report), indent=1, allow_nan=False) + "\n"


def graphs(report: Report) -> dict[str, list[Nested]]:
    """Title -> lock order, for the picture: the reference beside what was found."""
    found = {report.label: report.order}
    return {"reference": report.reference, **found} if report.reference is not None else found


def write_all(report: Report, directory: Path) -> list[Path]:
    """Write check.txt, .json, .html and lock-order.svg; the paths written."""
    from z3trace.analysis.plots import lockorder, style
    from z3trace.analysis.report import checkhtml

    written = {"check.txt": text(report), "check.json": as_json(report)}
    figure = lockorder.draw(
        {
            name: {(one.held, one.acquired): one.count for one in edges}
            for name, edges in graphs(report).items()
        }
    )
    drawing = style.svg(figure)
    style.close(figure)
    written |= {
        "check.html": checkhtml.render(report, drawing),
        "lock-order.svg": drawing,
    }
    for name, content in written.items():
        paths.write_atomic(directory / name, content)
    return [directory / name for name in written]
