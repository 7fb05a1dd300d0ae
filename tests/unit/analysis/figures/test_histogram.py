"""Quantiles and their resolution, of one histogram."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from samples import series

from z3trace.analysis.figures import histogram
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.statistics.effect import Sample, effects
from z3trace.data import buckets
from z3trace.data.counts import Series


def _quantiles(made: Series, at: Sequence[float]) -> tuple[Floats, Floats]:
    """Of one series."""
    values, resolution = histogram.Histograms([made]).quantiles(at)
    return values[0], resolution[0]


@given(st.lists(st.integers(1, 10**9), min_size=50, max_size=200))
def test_quantiles_are_off_by_at_most_a_bucket(values: list[int]) -> None:
    found, resolution = _quantiles(series("latency", "alloc", values), [0.5, 0.9])
    exact = np.quantile(values, [0.5, 0.9], method="inverted_cdf")
    assert np.all(np.abs(found - exact) <= exact / 16 + 1)
    assert np.all(resolution <= np.log(1 + 1 / 16) + 1e-9)


def test_values_on_a_clock_s_ticks_widen_the_interval() -> None:
    """All in one bucket, which is all that is known: 1000 and 1020 are the same then."""
    ticks, smooth = [1000] * 500, [int(x) for x in np.random.default_rng(9).lognormal(7, 0.5, 5000)]
    _, alone = _quantiles(series("latency", "alloc", [1, *ticks, 5000]), [0.5])
    _, even = _quantiles(series("latency", "alloc", smooth), [0.5])
    assert alone[0] > 0.015
    assert even[0] < 0.005
    effect = effects([Sample([1000.0] * 8, [1020.0] * 8, False, 2 * float(alone[0]))])[0]
    assert effect.low < 1 < effect.high


def test_no_wait_is_none_and_not_less_than_a_nanosecond() -> None:
    counts = np.zeros(buckets.BUCKETS)
    counts[0], counts[buckets.index(1000)] = 90, 10
    assert histogram.quantiles(counts, (0.1, 0.5, 0.85)).tolist() == [0, 0, 0]
    series = Series(
        metric="wait",
        lock="page",
        count=100,
        sum=10_000,
        min=0,
        max=1000,
        buckets=[(0, 90), (buckets.index(1000), 10)],
    )
    values, _ = _quantiles(series, (0.1, 0.5, 0.85, 0.99))
    assert values[:3].tolist() == [0, 0, 0]
    assert values[3] > 900


def test_nothing_has_no_quantiles() -> None:
    assert np.isnan(histogram.quantiles(np.zeros(buckets.BUCKETS), [0.5])).all()
    empty = Series(metric="wait", count=0, sum=0, min=0, max=0, buckets=[])
    values, resolution = _quantiles(empty, [0.5])
    assert np.isnan(values).all()
    assert resolution.tolist() == [0]


def test_cells_hold_every_value_and_ecdf_ends_at_all() -> None:
    values = [0, 1, 15, 16, 1000, 1000, 10**12]
    made = histogram.Histograms([series("latency", "alloc", values)])
    assert made.cells(0).sum() == len(values)
    counts = np.zeros(buckets.BUCKETS)
    counts[made.index[0]] = made.counts[0]
    edges, share = histogram.ecdf(counts)
    assert share[-1] == 1
    assert np.all(np.diff(share) > 0)
    assert edges[0] == 1
    assert edges[-1] > 10**12


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=40), min_size=1, max_size=8))
def test_series_taken_in_together_are_as_each_alone(several: list[list[int]]) -> None:
    """Long and short ones, with empty ones among them."""
    empty = Series(metric="wait", count=0, sum=0, min=0, max=0, buckets=[])
    made = [series("wait", "page", values) if values else empty for values in several]
    at = [0.1, 0.5, 0.99]
    together = histogram.Histograms(made).quantiles(at)
    for row, each in enumerate(made):
        for all_of_them, alone in zip(together, _quantiles(each, at), strict=True):
            assert np.array_equal(all_of_them[row], alone, equal_nan=True)


def test_buckets_without_values_are_none() -> None:
    gaps = Series(
        metric="wait", count=2, sum=11, min=1, max=10, buckets=[(0, 0), (1, 1), (5, 0), (10, 1)]
    )
    (index,) = histogram.Histograms([gaps]).index
    assert index.tolist() == [1, 10]
