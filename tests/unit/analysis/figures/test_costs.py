"""What each way adds, on recordings whose truth is known."""

import msgspec
import numpy as np
import pytest
from samples import CLOCK, FLOOR, INSIDE, recording, seen

from z3trace.analysis.figures import costs
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.ways import Subject
from z3trace.data.model import CallSite, Recording

MEAN = Key("hold", "", "page", "mean", "ns")
HOLD, WAIT, LATENCY = Subject("hold", "page"), Subject("wait", "page"), Subject("latency", "alloc")


@pytest.fixture(scope="module")
def digest() -> Digest:
    return Digest.of(seen("x"))


def _without(*ways: str) -> Digest:
    made = seen("x")
    return Digest.of(
        msgspec.structs.replace(made, runs=[run for run in made.runs if run.way not in ways])
    )


def test_the_cost_inside_a_hold_is_recovered_from_a_timed_build(digest: Digest) -> None:
    for metric in ("hold", "wait"):
        cost = costs.inside(digest, metric, "page")
        assert cost is not None
        assert cost.low <= INSIDE - CLOCK <= cost.high
        assert (cost.runs, cost.source) == (10, "timed build under probes")


def test_a_lock_held_around_nothing_tells_it_too() -> None:
    cost = costs.inside(_without("timed+lock:page"), "hold", "page")
    assert cost is not None
    assert cost.value == pytest.approx(INSIDE + 2)
    assert cost.source == "own lock held around nothing"
    assert costs.inside(_without("timed+lock:page"), "wait", "page") is None


def _with_methods(acquire: str, release: str) -> Recording:
    """Own-lock runs in which a jump shows 100 ns and a trap 700, and a page lock whose
    sites are probed as said."""
    from samples import run_seen, series

    made = seen("x", ways=("lock:page",), runs=4)
    site = made.session.sites[0]
    sites = [
        msgspec.structs.replace(site, number=i, method=method)
        for i, method in enumerate((acquire, release))
    ]
    runs = []
    for run in made.runs:
        taken = msgspec.structs.replace(
            recording("y", runs=1).runs[0].sites[0], site=0, acquisitions=9, releases=0
        )
        given = msgspec.structs.replace(taken, site=1, acquisitions=0, releases=9)
        runs.append(msgspec.structs.replace(run, sites=[taken, given]))
        own = run_seen("own-lock", run.number, scale=1, lock_scale=1, seed=1)
        shown = [
            series("hold", f"own-{word}", [value] * 9)
            for word, value in (("jump", 100), ("trap", 700), ("jump-trap", 400))
        ]
        runs.append(msgspec.structs.replace(own, series=shown))
    session = msgspec.structs.replace(made.session, sites=sites)
    return msgspec.structs.replace(made, session=session, runs=runs)


@pytest.mark.parametrize(
    ("acquire", "release", "expected"),
    [
        ("jump", "jump", 100),
        ("emulated", "emulated", 700),
        ("jump", "emulated", 400),
        ("stepped", "jump", None),
    ],
)
def test_the_own_lock_that_is_probed_alike_is_taken(
    acquire: str, release: str, expected: float | None
) -> None:
    cost = costs.inside(Digest.of(_with_methods(acquire, release)), "hold", "page")
    assert (cost.value if cost else None) == expected
    assert isinstance(Digest.of(_with_methods(acquire, release)).session.sites[0], CallSite)


def test_poll_and_the_workload_stand_in_where_nothing_was_measured_in_place() -> None:
    """poll(2) knows 110 ns, a pair costs the workload 1500: the truth of 280 lies between,
    and the interval has it."""
    cost = costs.shown(_without("timed+lock:page", "own-lock"), HOLD, "lock:page")
    assert cost is not None
    assert cost.low == pytest.approx(80)  # less the calibration's spread
    assert cost.high == pytest.approx(1500, rel=0.1)
    assert cost.low < INSIDE - CLOCK < cost.high
    # By the part that calibration finds inside: 110 of two jumps of 500.
    assert cost.value == pytest.approx(165, rel=0.05)


def test_poll_alone_stands_in_without_unprobed_runs() -> None:
    cost = costs.shown(_without("timed+lock:page", "own-lock", "none"), HOLD, "lock:page")
    assert cost is not None
    assert cost.value == pytest.approx(110)
    assert cost.high - cost.value == 30
    assert cost.source == "poll(2)"


def test_a_corrected_figure_is_the_truth(digest: Digest) -> None:
    """Probes recorded the truth and a constant: without it, all of their runs' means are
    those of the timed build, which saw the very same holds in other runs."""
    cost = costs.shown(digest, HOLD, "lock:page")
    assert cost is not None
    for key in (MEAN, MEAN._replace(statistic="p50"), MEAN._replace(statistic="p99")):
        recorded, _ = digest.rows_of("lock:page")[key]
        truth, _ = digest.rows_of("timed")[key]
        less, off = costs.corrected(digest, key, "lock:page", recorded, cost)
        assert less.mean() == pytest.approx(truth.mean(), rel=0.05)
        assert recorded.mean() > truth.mean() * 1.15
        assert off < 0.01


def test_a_wait_that_was_none_stays_none(digest: Digest) -> None:
    cost = costs.shown(digest, WAIT, "lock:page")
    assert cost is not None
    mean = MEAN._replace(metric="wait")
    less, _ = costs.corrected(digest, mean, "lock:page", digest.rows_of("lock:page")[mean][0], cost)
    assert less.mean() == pytest.approx(digest.rows_of("timed")[mean][0].mean(), rel=0.15)
    assert costs.above_0(digest, WAIT, "lock:page") == pytest.approx(0.1)


def test_the_outside_cost_is_the_workload_s_own_time(digest: Digest) -> None:
    cost = costs.outside(digest, "ops")
    assert cost is not None
    # Slowed by 1.6: 600 ns of a thread's 1000.
    assert cost.low <= 600 <= cost.high
    assert cost.source == "workload's own time, 2 threads", "clean with one thread only"
    one = msgspec.structs.replace(digest.session, workload="zpool-bench:threads=1")
    alone = Digest.of(msgspec.structs.replace(seen("x"), session=one))
    clean = costs.outside(alone, "ops")
    assert clean is not None
    assert clean.source == "workload's own time"
    assert clean.value == pytest.approx(cost.value / 2)


def test_no_cost_comes_from_one_run() -> None:
    digest = Digest.of(seen("x", runs=1))
    assert costs.inside(digest, "hold", "page") is None
    assert costs.outside(digest, "ops") is None


def _share(digest: Digest, key: Key, way: str) -> float:
    of = Subject(key.metric, key.operation or key.lock)
    recorded = float(digest.rows_of(way)[key][0].mean())
    return costs.share(digest, key, way, recorded, costs.shown(digest, of, way))


def test_the_instrument_s_share_of_each_way(digest: Digest) -> None:
    latency = Key("latency", "alloc", "", "mean", "ns")
    assert _share(digest, Key("throughput", "", "", "mean", "ops/s"), "none") == 0
    assert _share(digest, latency, "clocked") == 0
    # 250 ns of a pair of probes in 800 + 250.
    assert _share(digest, latency, "ops") == pytest.approx(FLOOR / (800 + FLOOR), rel=0.1)
    # 280 of 280 + 450 + the clock; the shortest hold bounds the clock reads.
    assert _share(digest, MEAN, "lock:page") == pytest.approx(280 / 750, rel=0.05)
    assert 0 < _share(digest, MEAN, "timed") < 0.25
    assert _share(digest, MEAN._replace(statistic="p50"), "timed") > _share(digest, MEAN, "timed")


def test_probes_on_all_locks_prolong_what_they_show(digest: Digest) -> None:
    """By poll(2) 1 % of such a hold is the instrument's; an operation takes 20 times as
    long, so at least 95 % is."""
    poll = costs.by_poll(digest, HOLD, "all")
    assert poll is not None
    assert poll.value / float(digest.rows_of("all")[MEAN][0].mean()) < 0.02
    assert _share(digest, MEAN, "all") == pytest.approx(0.95, abs=0.01)
    # Not known from the workload: latencies with and without tell.
    uncounted = Digest.of(_uncounted(seen("x")))
    assert _share(uncounted, MEAN, "all") < 0.1, "latencies of the sample are not prolonged"
    alone = Digest.of(_uncounted(seen("x", ways=("none", "all"))))
    assert np.isnan(_share(alone, MEAN, "all"))


def _uncounted(made: Recording) -> Recording:
    """The same of a command that counts no operations."""
    runs = []
    for run in made.runs:
        result = msgspec.structs.replace(run.result, operations=[])
        runs.append(msgspec.structs.replace(run, result=result))
    return msgspec.structs.replace(made, runs=runs)


def test_what_a_lock_takes_of_an_operation(digest: Digest) -> None:
    part, whole = costs.in_an_operation(digest, HOLD, "timed", 450)
    assert part == pytest.approx(450), "one acquisition an operation"
    assert whole == pytest.approx(1000, rel=0.05)
    uncounted = Digest.of(_uncounted(seen("x")))
    part, whole = costs.in_an_operation(uncounted, HOLD, "timed", 450)
    assert (part, whole) == (450, pytest.approx(800 + FLOOR, rel=0.05))


def test_poll_and_place_may_differ_by_so_much() -> None:
    placed = costs.Cost(1000, 950, 1050, "")
    for value, differs in ((1000, False), (1320, False), (1340, True), (640, True), (680, False)):
        assert costs.disagree(placed, costs.Cost(value, value - 30, value + 30, "")) == differs
