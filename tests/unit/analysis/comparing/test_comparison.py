"""Two recordings compared."""

import msgspec
import numpy as np
import pytest
from samples import recording

from z3trace.analysis.comparing.comparison import Comparison, compare, compare_all
from z3trace.analysis.comparing.seen import paired
from z3trace.analysis.figures.recording import Digest
from z3trace.data.counts import Series
from z3trace.data.model import Recording
from z3trace.errors import IncomparableError


def compared(before: Recording, after: Recording) -> Comparison:
    return compare(Digest.of(before), Digest.of(after))


def test_a_recording_against_itself_shows_no_difference() -> None:
    same = recording(runs=10)
    found = compare(Digest.of(same), Digest.of(same))
    assert {m.verdict for m in found.metrics} <= {"no difference", "inconclusive", "not tested"}


def test_a_real_change_is_found_in_the_right_direction() -> None:
    found = compared(recording("before"), recording("after", scale=0.7, seed=2))
    verdicts = {(m.metric, m.statistic): m.verdict for m in found.metrics}
    assert verdicts["latency", "p50"] == "better"
    assert verdicts["throughput", "mean"] == "better"
    worse = compared(recording("before"), recording("after", scale=1.4, seed=2))
    assert {m.verdict for m in worse.select("latency")} == {"worse"}


def test_the_main_lines_are_what_is_tested() -> None:
    found = compared(recording("before"), recording("after", scale=0.7, seed=2))
    assert [(m.metric, m.statistic) for m in found.main()] == [
        ("throughput", "mean"),
        *(("latency", s) for s in ("mean", "p50", "p99")),
        *(("wait", s) for s in ("mean", "p50", "p99")),
        *(("hold", s) for s in ("mean", "p50", "p99")),
    ]
    tested = {m.metric for m in found.metrics if m.verdict != "not tested"}
    assert tested == {"throughput", "latency", "wait", "hold"}
    assert found.tests == sum(np.isfinite(m.p_adjusted) for m in found.metrics)


def test_a_regression_is_measured_in_its_own_direction() -> None:
    worse = compared(recording("before"), recording("after", scale=1.4, seed=2))
    by_metric = {m.metric: m for m in worse.regressions()}
    assert by_metric["throughput"].worsening() == pytest.approx(1 - 1 / 1.4, abs=0.05)
    assert by_metric["latency"].worsening() == pytest.approx(0.4, abs=0.1)
    assert worse.regressions(2.0) == []


def test_a_mean_below_the_unit_of_the_clock_is_no_regression() -> None:
    """Waits of 1 ns in few of many acquisitions, twice as often after: 0.4 and 0.8 ns."""

    def barely(made: Recording, share: int) -> Recording:
        def rare(series: Series, number: int) -> Series:
            if (series.metric, series.lock) != ("wait", "page"):
                return series
            ones = share + number % 3
            return msgspec.structs.replace(
                series, count=1000, sum=ones, min=0, max=1, buckets=[(0, 1000 - ones), (1, ones)]
            )

        runs = [
            msgspec.structs.replace(run, series=[rare(series, run.number) for series in run.series])
            for run in made.runs
        ]
        return msgspec.structs.replace(made, runs=runs)

    def said(before: int, after: int) -> str:
        sides = (barely(recording("before"), before), barely(recording("after", seed=2), after))
        (mean,) = compared(*sides).select("wait", "mean")
        return mean.verdict

    assert said(400, 800) == "no difference"
    assert said(700, 999) == "no difference"


def test_several_are_one_family() -> None:
    first, second = (recording("after", scale=0.9, seed=seed) for seed in (2, 3))
    before = Digest.of(recording("before"))
    alone = compare(before, Digest.of(first))
    both = compare_all(before, [Digest.of(first), Digest.of(second)])
    assert both[0].tests == both[1].tests == 2 * alone.tests
    for strict, loose in zip(both[0].metrics, alone.metrics, strict=True):
        assert strict.effect == loose.effect
        assert not strict.p_adjusted < loose.p_adjusted


def test_nothing_recorded_cannot_be_compared() -> None:
    empty = Digest("x.z3t", recording("x").session)
    with pytest.raises(IncomparableError, match=r"x\.z3t has no whole run that counts"):
        compare(empty, Digest.of(recording("after")))


def test_runs_are_pairs_if_they_were_made_in_turn() -> None:
    def started(made: Recording, second: int) -> Digest:
        runs = [
            msgspec.structs.replace(
                run, started=run.started.replace(":00.000", f":{second:02d}.000")
            )
            for run in made.runs
        ]
        return Digest.of(msgspec.structs.replace(made, runs=runs))

    before, after = started(recording("before"), 10), started(recording("after"), 20)
    assert paired(before, after, "all")
    late = recording("after")
    moved = [msgspec.structs.replace(run, started="2027" + run.started[4:]) for run in late.runs]
    assert not paired(before, Digest.of(msgspec.structs.replace(late, runs=moved)), "all")
