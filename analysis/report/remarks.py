"""Remarks of a review: what is said below which line of a patch.

Findings of the check, and what the comparison shows of a lock, each in two or three
sentences; the file and line that a remark is about decides where it stands.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace.analysis.checks.findings import Death, Event, Place, Report, Violation
from z3trace.analysis.comparing import loops
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import headline
from z3trace.analysis.report.checkwords import source, times
from z3trace.analysis.units import value
from z3trace.data.patchlines import PatchLine, PatchText
from z3trace.data.rules import BY_NAME, Rule

_UNKNOWN = Rule("", None, "a rule is broken that this version does not know")
#: Lock events before a finding that are told of.
_STEPS = 4
#: Joins a call chain; a > at a line's beginning would pass for a quotation.
CALLS = " -> "
#: A change of a count below this part of it is none.
_SAME = 0.05
_NUMBER = re.compile(r"\b(?:0x)?[0-9a-f]{6,16}\b")
_DECIDED = ("better", "worse", "contradicted")


@dataclass(frozen=True)
class Remark:
    """*paragraphs*: what is said.  *file* and *line*: what it is about, by the file's own
    name; 0: nowhere.  *functions*: in which that is, the innermost last."""

    paragraphs: tuple[str, ...]
    file: str = ""
    line: int = 0
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spot:
    """A line of a patch, by their numbers; *exact*: whether it is the line itself."""

    text: int
    line: int
    exact: bool


def spot(texts: Sequence[PatchText], remark: Remark) -> Spot | None:
    """Below which line a remark stands: the very one, the last patch that has it first, or
    the nearest of its function; None if there is none."""
    lines = list(_lines(texts, remark.file))
    exact = [(t, n, line) for t, n, line in lines if remark.line and line.line == remark.line]
    exact = [each for each in exact if each[2].kind != "removed"]
    if exact:
        text, number, _ = max(exact, key=lambda each: (each[2].kind == "added", each[0]))
        return Spot(text, number, exact=True)
    near = [(t, n, line) for t, n, line in lines if line.line and line.function in remark.functions]
    if not near:
        return None
    text, number, _ = min(near, key=lambda each: (abs(each[2].line - remark.line), -each[0]))
    return Spot(text, number, exact=False)


def _lines(texts: Sequence[PatchText], file: str) -> Iterator[tuple[int, int, PatchLine]]:
    for text, each in enumerate(texts):
        for number, line in enumerate(each.lines):
            if Path(line.path).name == file:
                yield text, number, line


def key(violation: Violation) -> tuple[str, str, str]:
    """By which a finding of the base is known to be that of the patched source too."""
    functions = [violation.function, *violation.inlined]
    return (violation.rule, violation.lock, functions[-2] if len(functions) > 1 else functions[0])


def of_check(after: Report, before: Report | None) -> list[Remark]:
    """One remark for each finding that the base does not have."""
    known = {key(violation) for violation in before.violations} if before else set()
    # Who waits for himself waits for long: that is one finding.
    own = {key(each)[1:] for each in after.violations if each.rule == "double-acquire"}
    same = {("stuck-wait", *which) for which in own}
    new = [each for each in after.violations if key(each) not in known | same]
    told = {at_death(death) for death in before.deaths} if before else set()
    died = [death for death in after.deaths if at_death(death) not in told]
    return [*(_finding(each, after) for each in new), *(_death(each, after) for each in died)]


def at_death(death: Death) -> str:
    """Where a kernel died, by which a death of the base is known to be that of the patched
    source too: one bug of a list shows itself in several words."""
    return death.place.function or _NUMBER.sub("", death.words)


def _death(death: Death, report: Report) -> Remark:
    """What killed the kernel, about the line in the target at which it did."""
    at = f" in {_at(death.place)}" if death.place.function else ""
    chain = CALLS.join([death.place.function, *death.place.inlined])
    sentences = [f"The kernel died{at}, and no rule of locks says why: {death.words}."]
    sentences += [f"Call chain: {chain}."] if death.place.function else []
    shown = death.workloads or [report.workload]
    told = _events(death.events)
    told.append(f"Shown by {shown[0]}" + (f" and {len(shown) - 1} more." if shown[1:] else "."))
    functions = (death.place.function, *death.place.inlined)
    where = (Path(death.place.file).name, death.place.line, functions)
    return Remark((" ".join(sentences), " ".join(told)), *where)


def _finding(violation: Violation, report: Report) -> Remark:
    rule = BY_NAME.get(violation.rule, _UNKNOWN)
    what = f"{rule.meaning[:1].upper()}{rule.meaning[1:]} ({violation.rule})"
    lock = f": the {violation.lock} lock" if violation.lock else ""
    under = f" under the {violation.other_lock} lock" if violation.other_lock else ""
    role = f", {rule.here} {_at(violation.place)}" if violation.file else ""
    within = f", in {violation.operation}" if violation.operation else ""
    often = times(violation.count)
    if report.exercised.seconds >= 1 and not report.hang:
        often += f" in {report.exercised.seconds:.0f} s"
    sentences = [f"{what}{lock}{under}{role}{within}, {often}."]
    if violation.other and violation.other.function:
        sentences.append(f"{rule.there.capitalize()} {_at(violation.other)}.")
    if violation.reverse:
        chain = ", then ".join(_at(place) for place in violation.reverse)
        sentences.append(f"The other order: {chain}.")
    chain = CALLS.join([violation.function, *violation.inlined])
    sentences.append(f"Call chain: {chain}.")
    shown = _reached(violation) + _shown(violation, report)
    place = violation.place
    return Remark(
        (" ".join(sentences), *([" ".join(shown)] if shown else [])),
        Path(place.file).name,
        place.line,
        (place.function, *place.inlined),
    )


def _at(place: Place) -> str:
    return source(place) or f"{place.function}+{place.offset:#x}"


def _reached(violation: Violation) -> list[str]:
    """The task's last lock events."""
    return _events([event for one in violation.instances[:1] for event in one.events])


def _events(events: Sequence[Event]) -> list[str]:
    if not events:
        return []
    told = ", ".join(f"{event.kind} one at {_at(event.place)}" for event in events[-_STEPS:])
    return [f"The task's last lock events: {told}."]


def _shown(violation: Violation, report: Report) -> list[str]:
    shown = violation.workloads or [report.workload]
    return [f"Shown by {shown[0]}" + (f" and {len(shown) - 1} more." if shown[1:] else ".")]


def of_locks(comparison: Comparison) -> list[Remark]:
    """One remark for each lock class whose figures changed, about the lock call that
    takes it most often."""
    remarks = []
    for lock in dict.fromkeys(metric.lock for metric in _figures(comparison)):
        counts = [metric for metric in comparison.select("taken") if metric.lock == lock]
        told = [*_counts(lock, counts), *_verdicts(comparison, lock)]
        if told:
            remarks.append(_about(comparison, lock, told))
    return remarks


def _figures(comparison: Comparison) -> list[Metric]:
    return [*comparison.select("taken"), *comparison.select("wait"), *comparison.select("hold")]


def _counts(lock: str, counts: Sequence[Metric]) -> list[str]:
    """How often each kind of operation takes the lock, if that changed for any."""
    pairs = {metric.operation: (metric.effect.before, metric.effect.after) for metric in counts}
    if not any(_differs(*pair) for pair in pairs.values()):
        return []
    listed = ", ".join(
        f"{_times(after)} for {operation} ({_times(before)} before)"
        for operation, (before, after) in pairs.items()
        if _differs(before, after)
    )
    return [f"The {lock} lock is taken so often in one call: {listed}."]


def _times(each: float) -> str:
    return "never" if math.isnan(each) else value(each, "a call")


def _differs(before: float, after: float) -> bool:
    return not abs(after - before) <= _SAME * max(abs(before), abs(after))


def _verdicts(comparison: Comparison, lock: str) -> list[str]:
    means = [*comparison.select("wait", "mean"), *comparison.select("hold", "mean")]
    decided = [metric for metric in means if metric.lock == lock and metric.verdict in _DECIDED]
    return [f"{_capital(headline.claim(metric))}." for metric in decided]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about(comparison: Comparison, lock: str, told: Sequence[str]) -> Remark:
    """About the lock call that takes *lock* most often after the patch, else before it."""
    for digest in (comparison.after, comparison.before):
        found = [each for each in loops.takings(digest) if each.lock == lock and each.site.file]
        if found:
            most = max(found, key=lambda each: each.each)
            site, functions = most.site, (most.site.function, *most.site.inlined)
            if most.each > loops.ONCE:
                here = f"{value(most.each, 'a call')} of them at {headline.place(site)}"
                told = [f"{told[0]} In {most.operation}, {here}.", *told[1:]]
            return Remark(tuple(told), Path(site.file).name, site.line, functions)
    return Remark(tuple(told))
