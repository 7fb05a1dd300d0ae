"""What one run shows, by who saw it."""

import pytest
from samples import CLOCK, INSIDE, run_seen

from z3trace.analysis.figures import parts
from z3trace.data import buckets
from z3trace.data.model import OperationTruth


def _parts(way: str) -> list[parts.Part]:
    return list(parts.of(run_seen(way, 1, scale=1, lock_scale=1, seed=1)))


def test_each_witness_is_a_part_of_its_own() -> None:
    assert _parts("none") == []
    for way in ("clocked", "timed", "ops", "lock:page", "all"):
        assert [part.way for part in _parts(way)] == [way]
    assert [part.way for part in _parts("timed+lock:page")] == [
        "probes of timed+lock:page",
        "timed+lock:page",
    ]


def test_only_all_probes_see_an_operation_whole() -> None:
    assert [
        way for way in ("clocked", "timed", "ops", "lock:page", "all") if _parts(way)[0].whole
    ] == ["all"]
    # Where operations are not probed the workload has counted them.
    assert {_parts(way)[0].calls for way in ("timed", "lock:page", "all")} == {1000}


def test_what_probes_add_is_what_they_show_less_what_the_build_timed() -> None:
    probed, timed = _parts("timed+lock:page")
    added = {metric: value for metric, _, value in parts.inside(probed, timed)}
    # A wait of 0 shows nothing of the probes: only one in ten is more.
    assert added == pytest.approx({"wait": INSIDE - CLOCK, "hold": INSIDE - CLOCK})


def test_a_mean_from_buckets_says_how_far_it_may_be_off() -> None:
    def latency(values: dict[int, int]) -> tuple[float, float]:
        spread: dict[int, int] = {}
        for value, count in values.items():
            spread[buckets.index(value)] = spread.get(buckets.index(value), 0) + count
        truth = OperationTruth(operation="x", calls=1, buckets=sorted(spread.items()))
        series, off = parts._latency(truth)
        return series.sum / series.count, off

    mean, off = latency(dict.fromkeys(range(800, 1200), 1))
    assert mean == pytest.approx(999.5, rel=0.002)
    assert off < 0.002
    # All in one bucket of 992 to 1023: any value of it may be the mean.
    mean, off = latency({1000: 10})
    assert mean * (1 - off) == pytest.approx(992, rel=0.001)
    assert mean * (1 + off) == pytest.approx(1023, rel=0.001)
