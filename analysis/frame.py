"""Recordings -> one tidy table of per-run statistics.

A row is one number of one run: ``side, run, seed, metric, operation, lock,
statistic, unit, value``.  The run is the unit of everything that follows.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from z3trace.analysis.quantiles import bounded

from z3trace.model import Recording, Run

COLUMNS = ["side", "run", "seed", "metric", "operation", "lock", "statistic", "unit", "value"]
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
#: A quantile is quoted only if at least this many values lie above it.
_TAIL = 5

_Row = tuple[str, str, str, str, str, float]


def _series_rows(run: Run) -> Iterator[_Row]:
    for series in run.series:
        if series.metric in ("corrected_wait", "corrected_hold"):
            continue  # near 0 where a lock is free: a ratio of these says nothing
        key = (series.metric, series.operation, series.lock)
        yield (*key, "mean", series.unit, series.sum / series.count)
        possible = {n: q for n, q in QUANTILES.items() if series.count * (1 - q) >= _TAIL}
        for name, value in zip(possible, bounded(series, list(possible.values())), strict=True):
            yield (*key, name, series.unit, float(value))


def _lock_rows(run: Run) -> Iterator[_Row]:
    calls = sum(counts.returns for counts in run.operations)
    for counts in run.locks:
        if counts.acquisitions:
            share = counts.contended / counts.acquisitions
            yield ("contended", "", counts.lock, "share", "of acquisitions", share)
        if calls and (counts.acquisitions or counts.trylock_failures):
            rate = counts.acquisitions / calls
            yield ("acquisitions", "", counts.lock, "mean", "per operation", rate)
            rate = counts.trylock_failures / calls
            yield ("trylock_failures", "", counts.lock, "mean", "per operation", rate)


def _throughput_rows(run: Run) -> Iterator[_Row]:
    calls = sum(truth.calls for truth in run.result.operations)
    if calls and run.result.elapsed:
        yield ("throughput", "", "", "mean", "ops/s", calls / (run.result.elapsed / 1e9))
    elif run.result.elapsed:
        yield ("elapsed", "", "", "mean", "s", run.result.elapsed / 1e9)


def per_run(recording: Recording, side: str) -> pd.DataFrame:
    """The table of one recording.  Throughput comes from unprobed runs alone."""
    rows: list[tuple[object, ...]] = []
    for run in recording.latency_runs():
        found = [row for row in _series_rows(run) if row[0].endswith("latency")]
        rows += [(side, run.number, run.seed, *row) for row in found]
    for run in recording.probed():
        found = [row for row in _series_rows(run) if not row[0].endswith("latency")]
        rows += [(side, run.number, run.seed, *row) for row in [*found, *_lock_rows(run)]]
    for run in recording.unprobed():
        rows += [(side, run.number, run.seed, *row) for row in _throughput_rows(run)]
    return pd.DataFrame(rows, columns=COLUMNS)


def tidy(recordings: Sequence[tuple[str, Recording]]) -> pd.DataFrame:
    """The tables of several recordings under each other."""
    frames = [per_run(recording, side) for side, recording in recordings]
    return pd.concat(frames, ignore_index=True)


def merged_counts(
    recording: Recording, metric: str, name: str
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Bucket counts of one series over the runs it comes from, shape (976,); for drawing."""
    from z3trace.analysis.quantiles import dense

    from z3trace.buckets import BUCKETS

    total = np.zeros(BUCKETS)
    latency = metric.endswith("latency")
    for run in recording.latency_runs() if latency else recording.probed():
        for series in run.series:
            if series.metric == metric and name in (series.operation, series.lock):
                total += dense(series)
    return total
