"""``compare --fail-on-regression``: what got worse, and what cannot be judged.

A gate that passes says that it looked and found nothing.  So a figure that is gone, one kind
of figure of which none has the runs that a verdict takes, and two sides that are one
recording do not pass: they are named, and end with a status of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from z3trace.analysis import units
from z3trace.analysis.comparing import mismatch
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.words import amount

_JUDGED = ("better", "worse", "no difference", "inconclusive")


@dataclass(frozen=True)
class Outcome:
    """*regressions*: what got worse by so much, with figures; *unjudged*: why the gate cannot
    pass; *notes*: what it did not look at.  A sentence each."""

    regressions: list[str]
    unjudged: list[str]
    notes: list[str]


def judge(comparisons: Sequence[Comparison], least: float = 0.0) -> Outcome:
    """What the gate says of all comparisons; *least*: by how much a figure may get worse,
    0.05 for 5 %."""
    regressions, unjudged, notes = list[str](), list[str](), list[str]()
    for comparison in comparisons:
        label = comparison.labels[1]
        regressions += [f"{label}: {_words(m)}" for m in comparison.regressions(least)]
        unjudged += [f"{label}: {text}" for text in _unjudged(comparison)]
        notes += [f"{label}: {text}" for text in _notes(comparison, least)]
    return Outcome(regressions, unjudged, notes)


def _words(metric: Metric) -> str:
    e = metric.effect
    before, after = (units.value(value, metric.unit) for value in (e.before, e.after))
    change = units.change(e.ratio)
    return f"{metric.key.name()} {before} -> {after}" + (f" ({change})" if change != "-" else "")


def _named(metrics: Sequence[Metric]) -> str:
    return ", ".join(metric.key.name() for metric in metrics)


def _unjudged(comparison: Comparison) -> Iterator[str]:
    if mismatch.one_recording(comparison.before, comparison.after):
        yield "the recording is compared with itself"
    if not comparison.tests:
        yield "no figure of it could be tested"
    asked = [m for m in comparison.metrics if m.primary and m.definition.tested]
    refused = [m for m in asked if m.verdict == "not tested"]
    if refused:
        yield f"too many events were lost to judge {amount(len(refused), 'figure')}"
    gone = _gone(asked)
    if gone:
        yield f"gone, it was recorded before only: {_named(gone)}"
    for name in dict.fromkeys(m.metric for m in asked):
        kind = [m for m in asked if m.metric == name]
        few = [m for m in kind if m.verdict == "too few runs"]
        if few and not any(m.verdict in _JUDGED for m in kind):
            runs = min(min(m.effect.n_before, m.effect.n_after) for m in few)
            tests = amount(comparison.family.primary, "primary test")
            yield (
                f"{amount(runs, 'run')} a side cannot judge {_named(few)}: "
                f"{comparison.needed_runs.primary} are the least among {tests}"
            )
    contradicted = [m for m in asked if m.verdict == "contradicted"]
    if contradicted:
        yield f"two ways of seeing contradict each other: {_named(contradicted)}"


def _gone(asked: Sequence[Metric]) -> list[Metric]:
    """What only the first recording has; a lock class may go with a patch, all cannot."""
    gone = [m for m in asked if m.verdict == "only before"]
    left = {m.metric for m in asked if m.effect.n_after}
    return [m for m in gone if m.definition.subject != "lock" or m.metric not in left]


def _notes(comparison: Comparison, least: float) -> Iterator[str]:
    asked = [m for m in comparison.metrics if m.primary and m.definition.tested]
    small = [m for m in comparison.regressions() if m.worsening() < least]
    if small:
        yield f"worse by less than {least:.3g} of what it was: {_named(small)}"
    gone = set(map(id, _gone(asked)))
    for verdict, words in (
        ("inconclusive", "inconclusive, so it may have got worse"),
        ("too few runs", "not judged, too few runs"),
        ("mostly the instrument", "not judged, mostly the instrument"),
        ("only before", "not judged, only before"),
        ("only after", "not judged, only after"),
    ):
        kind = [m for m in asked if m.verdict == verdict and id(m) not in gone]
        if kind:
            yield f"{words}: {_named(kind)}"
