"""The plain-text report of a check: ASCII, at most 72 columns, fit for a mailing list."""

from collections.abc import Sequence

from z3trace.analysis.checks.findings import Death, Place, Report, Violation
from z3trace.analysis.report.checkwords import (
    UNCOUNTED,
    circumstances,
    event,
    meaning,
    operations,
    places,
    source,
    summary,
    times,
    title,
    where,
)
from z3trace.analysis.report.prose import WIDTH, ascii_only, heading, shell_command, wrap
from z3trace.analysis.report.table import Table
from z3trace.printable import joined

_LISTED = 40  # unreached call sites that the text names


def _violation(violation: Violation) -> list[str]:
    out = [*wrap(title(violation)), *wrap(meaning(violation), "  ")]
    for role, text in places(violation):
        out += wrap(f"{role} {text}", "  ", "    ")
    for instance in violation.instances[:1]:
        out += wrap(circumstances(instance), "  ", "    ")
        if instance.events:
            out.append("  the task's last lock events:")
            out += [ascii_only(f"    {event(each)}")[:WIDTH] for each in instance.events]
    return [*out, ""]


def _death(death: Death) -> list[str]:
    out = wrap(death.words)
    if death.place.function:
        out += wrap(f"in {where(death.place)}", "  ", "    ")
    if death.events:
        out.append("  the last lock events that are known:")
        out += [ascii_only(f"    {event(each)}")[:WIDTH] for each in death.events]
    return out


def _fitted(header: list[str], rows: list[list[str]]) -> list[str]:
    return [ascii_only(line)[:WIDTH] for line in Table(header, rows).cut(WIDTH).aligned()]


def _exercised(report: Report) -> list[str]:
    done, counted = report.exercised, report.hang is None
    out = heading("What was exercised")
    rows = [[name, times] for name, times in operations(report)]
    rows += [
        [condition.name, "not counted here" if condition.count is None else str(condition.count)]
        for condition in done.conditions
    ]
    out += _fitted(["", "times"], rows)
    never = [condition.name for condition in done.conditions if condition.count == 0]
    if never and counted:
        out += ["", *wrap(f"Never met, so nothing is known of it: {', '.join(never)}.")]
    reached = f"{'' if counted else 'at least '}{done.reached} of {done.sites}"
    out += ["", *wrap(f"Lock call sites: {reached} ({done.percent:.0f} %).")]
    if done.unreached and counted:
        out += _place_list("Not reached:", done.unreached)
    if done.unseen:
        out += _place_list("Cannot be seen:", done.unseen)
    return [*out, ""]


def _place_list(caption: str, listed: Sequence[Place]) -> list[str]:
    names: dict[str, list[str]] = {}
    for place in listed[:_LISTED]:
        names.setdefault(place.function, []).append(source(place) or f"+{place.offset:#x}")
    out = [caption]
    for function, lines in names.items():
        out += wrap(f"{function}: {', '.join(lines)}", "  ", "    ")
    if len(listed) > _LISTED:
        out.append(f"  and {len(listed) - _LISTED} more")
    return out


def _order(report: Report) -> list[str]:
    if not report.order:
        return []
    out = heading("Lock order (held > asked for)")
    rows = [
        [f"{edge.held} > {edge.acquired}", str(edge.count), source(edge.acquired_at or Place())]
        for edge in report.order
    ]
    out += _fitted(["", "times", "first at"], rows)
    if "order-inversion" in report.not_judged:
        out += wrap("Some of these may never have been: see what could not be judged.")
    same = [edge.held for edge in report.order if edge.held == edge.acquired]
    if same:
        out += wrap(f"Two of one class at once, whose order is not judged: {', '.join(same)}.")
    if report.crossed:
        out += wrap(f"Released in another order than taken: {times(report.crossed)}.")
    return [*out, ""]


def _blind(report: Report) -> list[str]:
    out: list[str] = []
    for reason in dict.fromkeys(report.not_judged.values()):
        names = [rule for rule, why in report.not_judged.items() if why == reason]
        out += wrap(f"{', '.join(names)}: {reason}", "- ", "  ")
    for name, count in report.lost_events.items():
        out += wrap(f"{name}: {count}; a rule may have been broken or not in these", "- ", "  ")
    if report.interrupted:
        out += wrap("interrupted: judged up to then", "- ", "  ")
    elif report.workload_status:
        out += wrap(f"the workload ended with status {report.workload_status}", "- ", "  ")
    return [*heading("What could not be judged"), *out, ""] if out else []


def render(report: Report) -> str:
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
    for death in report.deaths:
        out += [*heading("What killed the kernel"), *_death(death), ""]
    out += [*_exercised(report), *_order(report), *_blind(report)]
    if report.hang and report.hang.trace:
        out += heading("The console's last words")
        out += [ascii_only(f"  {line}")[:WIDTH].rstrip() for line in report.hang.trace]
        out.append("")
    out += heading("To reproduce")
    out += shell_command(report.command)
    return joined(out)
