"""What must hold over all runs of a recording: looked at by its writer and by its reader."""

from collections.abc import Iterator
from itertools import chain

from z3trace.data import limits
from z3trace.data.counts import Series
from z3trace.data.model import Run


class Whole:
    """The runs of one recording so far."""

    def __init__(self) -> None:
        self.runs = 0
        self._series = 0
        self._names: set[str] = set()

    def take(self, run: Run) -> None:
        """Count a run in; ValueError if it does not hold together, or is too much."""
        for listed in _all_series(run):
            _check_series(listed)
        names = self._names.union(_names(run))
        series = self._series + sum(map(len, _all_series(run)))
        if self.runs == limits.RUNS or series > limits.ALL_SERIES:
            raise ValueError(f"more than {limits.RUNS} runs or {limits.ALL_SERIES} histograms")
        if len(names) > limits.NAMES:
            raise ValueError(f"more than {limits.NAMES} names of operations, locks and facts")
        self.runs, self._series, self._names = self.runs + 1, series, names


def _all_series(run: Run) -> Iterator[list[Series]]:
    """What the probes saw, and what a timed build told."""
    yield run.series
    if run.timed is not None:
        yield run.timed.series


def _check_series(listed: list[Series]) -> None:
    kinds = {(series.metric, series.operation, series.lock) for series in listed}
    if len(kinds) != len(listed):
        raise ValueError("a series is there twice")
    for series in listed:
        indexes = [index for index, _ in series.buckets]
        if indexes != sorted(set(indexes)):
            raise ValueError("the buckets of a series are not in rising order")
        if sum(count for _, count in series.buckets) != series.count:
            raise ValueError("a series' count is not the sum of its buckets")
        if series.count and not series.min <= series.max:
            raise ValueError("a series' minimum is above its maximum")


def _names(run: Run) -> Iterator[str]:
    """All names by which figures of a run are kept."""
    parts = [part for part in (run, run.timed) if part is not None]
    for series in chain.from_iterable(_all_series(run)):
        yield series.operation or series.lock
    for operation in run.operations:
        yield operation.operation
    for truth in run.result.operations:
        yield truth.operation
    for lock in chain.from_iterable(part.locks for part in parts):
        yield lock.lock
    for site in run.sites:
        yield from site.locks
    for pair in chain.from_iterable(part.nesting for part in parts):
        yield from (pair.held, pair.acquired)
    yield from run.result.facts
