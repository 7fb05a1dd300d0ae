"""KTAP, version 1: results that a kernel's CI reads (Documentation/dev-tools/ktap.rst).

What could not be judged is skipped, never passed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from z3trace.analysis.checks.findings import Report
from z3trace.analysis.comparing import loops
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import headline
from z3trace.analysis.report.checkwords import source
from z3trace.analysis.report.prose import ascii_only
from z3trace.data.rules import RULES

_VERSION = "KTAP version 1"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.:-]+")
#: Verdicts that are none: what they say is a reason to skip.
_JUDGED = {"better": True, "no difference": True, "worse": False}


@dataclass(frozen=True)
class Test:
    """*passed*: None if it was skipped; *said*: diagnostic lines, or why it was skipped."""

    name: str
    passed: bool | None
    said: Sequence[str] = ()


def _lines(tests: Sequence[Test]) -> Iterable[str]:
    yield f"1..{len(tests)}"
    for number, test in enumerate(tests, 1):
        name = _UNSAFE.sub("_", test.name)
        if test.passed is None:
            yield f"ok {number} {name} # SKIP {ascii_only('; '.join(test.said))}"
            continue
        yield from (f"# {ascii_only(text)}" for text in test.said)
        yield f"{'ok' if test.passed else 'not ok'} {number} {name}"


def document(tests: Sequence[Test]) -> str:
    """A whole document of *tests*."""
    return "".join(f"{line}\n" for line in (_VERSION, *_lines(tests)))


def nested(groups: Sequence[tuple[str, Sequence[Test]]]) -> str:
    """A document of named groups of tests, each of which passes if none of its tests fails."""
    out = [_VERSION, f"1..{len(groups)}"]
    for number, (name, tests) in enumerate(groups, 1):
        out += [f"  {_VERSION}", f"  # Subtest: {_UNSAFE.sub('_', name)}"]
        out += [f"  {line}" for line in _lines(tests)]
        failed = any(test.passed is False for test in tests)
        skipped = all(test.passed is None for test in tests)
        end = " # SKIP nothing could be judged" if skipped else ""
        out.append(f"{'not ok' if failed else 'ok'} {number} {_UNSAFE.sub('_', name)}{end}")
    return "".join(f"{line}\n" for line in out)


def of_check(report: Report) -> list[Test]:
    """A test for each rule, and one for the kernel's life."""
    tests, missed = [], _missed(report)
    for rule in RULES:
        broken = [each for each in report.violations if each.rule == rule.name]
        if broken:
            said = [f"{e.lock or 'a lock'} at {source(e.place)}, {e.count} times" for e in broken]
            tests.append(Test(rule.name, passed=False, said=said))
        elif rule.name in report.not_judged:
            tests.append(Test(rule.name, None, [report.not_judged[rule.name]]))
        elif rule.number is None and report.reference is None:
            tests.append(Test(rule.name, None, ["no reference"]))
        elif missed:
            tests.append(Test(rule.name, None, [missed]))
        else:
            tests.append(Test(rule.name, passed=True))
    words = [death.words for death in report.deaths] or (
        [report.hang.reason] if report.hang else []
    )
    if not words and report.workload_status is None:
        return [*tests, Test("kernel-lives", None, [missed])]
    return [*tests, Test("kernel-lives", passed=not words, said=words)]


def _missed(report: Report) -> str:
    """Why a rule that was not seen broken may have been all the same; empty if it was not."""
    if report.hang:
        return "the kernel was lost before everything was seen"
    if report.workload_status is None:
        return "the check did not come to its end"
    if report.workload_status and not report.interrupted:
        return f"the workload ended with status {report.workload_status}"
    if report.lost_events:
        return f"events are missing: {', '.join(report.lost_events)}"
    return ""


def of_comparison(comparison: Comparison) -> list[Test]:
    """A test for each figure that carries a verdict, and one for lock calls in loops."""
    told = [headline.loop(each) for each in loops.loops(comparison)]
    tests = [_of_metric(metric) for metric in comparison.main()]
    return [*tests, Test("no-lock-in-a-loop", passed=not told, said=told)]


def _of_metric(metric: Metric) -> Test:
    passed = _JUDGED.get(metric.verdict)
    said = [metric.verdict] if passed is None else [headline.claim(metric)]
    return Test(metric.key.name().replace(" ", "."), passed, said)
