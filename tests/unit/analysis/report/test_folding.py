"""Which figures are shown, and what is said of the others."""

from dataclasses import replace

import pytest
from samples import seen

from z3trace.analysis.comparing.comparison import Comparison, Metric, compare
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.report import folding
from z3trace.analysis.statistics.effect import Effect
from z3trace.analysis.statistics.verdict import Verdict


def _metric(name: str, verdict: Verdict, before: float = 1000) -> Metric:
    metric, subject, statistic = name.split()
    of = (subject, "") if metric == "latency" else ("", subject)
    effect = Effect(before, before, 1.0, 0.9, 1.1, 0.01, 10, 10, 0.02)
    return Metric(Key(metric, *of, statistic, "ns"), effect, 0.01, verdict, 0.1, None, "timed")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(Digest.of(seen("before", runs=5)), Digest.of(seen("after", runs=5, seed=2)))


def _fold(comparison: Comparison, *metrics: Metric, primary: bool = False) -> folding.Folded:
    return folding.fold(replace(comparison, metrics=list(metrics)), primary=primary)


def test_what_was_decided_is_shown_and_the_rest_named(comparison: Comparison) -> None:
    folded = _fold(
        comparison,
        _metric("latency alloc mean", "better"),
        _metric("latency alloc p50", "inconclusive"),
        _metric("latency free mean", "inconclusive"),
        _metric("wait page mean", "mostly the instrument"),
        _metric("hold page mean", "contradicted"),
        _metric("hold page p50", "no difference"),
    )
    assert [m.key.name() for m in folded.shown] == ["latency alloc mean"]
    assert folded.lines == [
        "no difference (within 2 %): hold page p50",
        "inconclusive: latency alloc p50, free mean",
        "mostly the instrument, no verdict: wait page mean",
        "contradicted by another way, no verdict: hold page mean",
        "2 are inconclusive; no number of runs within reason settles them",
    ]


def test_a_median_that_adds_nothing_is_folded_and_what_is_worse_never(
    comparison: Comparison,
) -> None:
    better, worse = _metric("latency a mean", "better"), _metric("latency a p50", "worse")
    same, other = _metric("latency a p99", "better"), _metric("latency b p50", "better")
    folded = _fold(comparison, better, worse, replace(same, key=same.key), other)
    assert folded.shown == [better, worse, same, other], "p99 is a first question itself"
    median = _metric("latency a p50", "better")
    folded = _fold(comparison, better, median)
    assert folded.shown == [better]
    assert folded.lines == ["also better: latency a p50"]


def test_first_questions_are_shown_whatever_became_of_them(comparison: Comparison) -> None:
    quiet = _metric("hold page mean", "inconclusive")
    nothing = _metric("wait stale mean", "no difference", before=0)
    median = _metric("hold page p50", "inconclusive")
    folded = _fold(comparison, quiet, nothing, median, primary=True)
    assert folded.shown == [quiet]
    assert "no difference (within 2 %): wait stale mean" in folded.lines
