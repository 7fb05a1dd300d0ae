"""A figure as it was seen in one way, and whether it may carry a verdict."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from samples import CLOCK, seen

from z3trace.analysis.comparing.comparison import Comparison, Metric, compare, compare_all
from z3trace.analysis.comparing.seen import MOST, paired, worthy
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.data.counts import Ledger
from z3trace.data.model import Run
from z3trace.data.timed import TimedLedger
from z3trace.errors import IncomparableError

HOLD = Key("hold", "", "page", "mean", "ns")


def _found(*ways: str, lock_scale: float = 1.0, runs: int = 10) -> Comparison:
    """Of recordings with runs of these ways only, and of what they need."""
    before = seen("before", ways=("none", *ways), runs=runs)
    after = seen("after", ways=("none", *ways), lock_scale=lock_scale, seed=2, runs=runs)
    return compare(Digest.of(before), Digest.of(after))


def _mean(comparison: Comparison, metric: str = "hold") -> Metric:
    (mean,) = comparison.select(metric, "mean")
    return mean


def test_a_figure_comes_from_its_best_way_and_says_so() -> None:
    whole = _found("timed", "lock:page", "timed+lock:page", "all")
    assert _mean(whole).way == "timed"
    assert [w.way for w in _mean(whole).witnesses] == ["lock:page", "all"]
    assert _mean(_found("lock:page", "all")).way == "lock:page"
    assert {m.way for m in whole.select("throughput")} == {"none"}


def test_one_constant_on_both_sides_hides_no_change() -> None:
    """Recorded with 300 ns more on both sides a hold of 0.7 looks like 0.82.  What is left
    is what a timed build shows: the hold, 453 ns on average, and its own clock."""
    found = _mean(_found("lock:page", "timed+lock:page", lock_scale=0.7))
    assert found.corrected
    truth = (0.7 * 453 + CLOCK) / (453 + CLOCK)
    assert found.effect.low <= truth <= found.effect.high
    assert found.effect.ratio == pytest.approx(truth, abs=0.02)


def test_what_is_not_known_of_the_cost_widens_the_interval() -> None:
    # Without runs that measure it in place, poll(2)'s 110 ns and their spread of 30.
    loose = _mean(_found("lock:page", lock_scale=0.7))
    tight = _mean(_found("lock:page", "timed+lock:page", lock_scale=0.7))
    assert loose.effect.resolution > 0.05 > tight.effect.resolution
    assert loose.effect.high - loose.effect.low > tight.effect.high - tight.effect.low


def test_no_verdict_where_most_of_it_is_the_instrument_s() -> None:
    """Locks held for a quarter: 300 of 400 ns are the probes', on both sides, whatever
    the change is; it counts in no family either."""
    found = _found("lock:page", "timed+lock:page", lock_scale=0.2)
    hold = _mean(found)
    assert hold.share[1] > MOST > hold.share[0]
    assert hold.verdict == "mostly the instrument"
    assert np.isnan(hold.p_adjusted)
    assert found.regressions() == []
    assert found.tests == sum(np.isfinite(m.p_adjusted) for m in found.metrics)


def test_a_lock_seen_with_all_probes_is_for_coverage() -> None:
    found = _found("all", lock_scale=0.5)
    for metric in ("wait", "hold"):
        assert _mean(found, metric).way == "all"
        assert min(_mean(found, metric).share) > 0.9
        assert _mean(found, metric).verdict == "mostly the instrument"


def test_an_unknown_share_forbids_a_verdict_of_all_probes_only() -> None:
    unknown = float("nan")
    assert not worthy(HOLD, "all", unknown)
    assert worthy(HOLD, "all", 0.4)
    assert not worthy(HOLD, "timed", 0.6)
    assert worthy(HOLD, "timed", unknown)
    assert worthy(Key("latency", "alloc", "", "mean", "ns"), "all", unknown)


def test_a_lock_that_takes_longer_than_its_operation_is_the_instrument_s() -> None:
    """Holds of 2000 ns in operations of 1000 of their thread: half is not the lock's."""
    found = _found("timed", lock_scale=5)
    hold = _mean(found)
    assert hold.share[1] == pytest.approx(0.55, abs=0.03)
    assert hold.verdict == "mostly the instrument"
    assert any("longer for each operation than an operation takes" in c for c in found.caveats)
    assert not any("longer for" in c for c in _found("timed").caveats)


def test_equal_sides_differ_in_no_way() -> None:
    for seed in range(4):
        sides = [Digest.of(seen(name, seed=10 * seed + i)) for i, name in enumerate("ab")]
        found = compare(*sides)
        assert {m.verdict for m in found.metrics} <= {
            *("no difference", "inconclusive", "not tested", "mostly the instrument")
        }
        assert found.contradictions == []


def test_several_recordings_are_seen_in_the_same_way() -> None:
    sides = [Digest.of(seen(name)) for name in "ab"]
    lacks = Digest.of(seen("c", ways=("none", "ops", "lock:page", "all")))
    first, second = compare_all(sides[0], [sides[1], lacks])
    assert _mean(first).way == _mean(second).way == "lock:page"


def test_pairs_are_of_one_way() -> None:
    before, after = seen("before"), seen("after", seed=2)
    moved = [
        msgspec.structs.replace(run, seed=99) if run.way == "all" else run for run in after.runs
    ]
    sides = Digest.of(before), Digest.of(msgspec.structs.replace(after, runs=moved))
    assert paired(*sides, "timed")
    assert not paired(*sides, "all")


def test_runs_that_do_not_count_are_in_no_figure() -> None:
    made = seen("before")
    slow = [
        msgspec.structs.replace(run, unused="disturbed" if i % 2 else "warm-up")
        for i, run in enumerate(seen("slow", scale=9, runs=2).runs)
    ]
    more = msgspec.structs.replace(made, runs=[*slow, *made.runs])
    plain, found = (compare(Digest.of(x), Digest.of(seen("after"))) for x in (made, more))
    assert [m.effect.before for m in plain.metrics] == [m.effect.before for m in found.metrics]
    said = "before: not counted: 8 to warm up, 8 that the host disturbed (made again) of 96 runs"
    assert said in found.caveats
    assert said not in plain.caveats


def _lossy(way: str, lost: Callable[[Run], Run]) -> Digest:
    made = seen("before")
    runs = [lost(run) if run.way == way else run for run in made.runs]
    return Digest.of(msgspec.structs.replace(made, runs=runs))


def test_a_way_that_lost_events_gives_its_place_to_another() -> None:
    def lost(run: Run) -> Run:
        timed = msgspec.structs.replace(run.timed, ledger=TimedLedger(held_overflows=50))
        return msgspec.structs.replace(run, timed=timed)

    lossy = _lossy("timed", lost)
    assert lossy.damaged("timed")
    assert _mean(compare(lossy, Digest.of(seen("after")))).way == "lock:page"
    only = Digest.of(seen("after", ways=("none", "timed")))
    with pytest.raises(IncomparableError, match=r"500 of 10500 .*\(timed build\)"):
        compare(lossy, only)


def test_a_loss_where_no_verdict_comes_from_refuses_none() -> None:
    def lost(run: Run) -> Run:
        return msgspec.structs.replace(run, ledger=Ledger(skipped_programs=90))

    lossy = _lossy("all", lost)
    assert lossy.damaged("all")
    assert _mean(compare(lossy, Digest.of(seen("after")))).verdict != "not tested"
