"""The figures of one run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats, Histograms
from z3trace.data.counts import Series
from z3trace.data.model import CallSite, Run

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
#: A quantile is quoted only if at least this many values lie above it.
_TAIL = 5
_PARTS_SINCE = 3  # schema
#: Where the curve of a latency is taken: even on the scale of 1/(1-p), up to p99.9.
AT = 1 - 1 / np.logspace(np.log10(1.05), 3, 25)


class Key(NamedTuple):
    """What a figure is of.  *lock* of a call site's figure is ``function: lock class``."""

    metric: str
    operation: str
    lock: str
    statistic: str
    unit: str

    def name(self, *, statistic: bool = True) -> str:
        """In words, such as ``latency alloc p50``, or without its statistic."""
        parts = (self.metric, self.operation or self.lock, self.statistic if statistic else "")
        return " ".join(part for part in parts if part)


Row = tuple[Key, float, float]
#: What the compiler puts behind the name of a copy that it made.
_CLONE = re.compile(r"(\.(constprop|isra|part|cold)(\.\d+)?)+$")


def base_name(function: str) -> str:
    """The function as it is called in the source."""
    return _CLONE.sub("", function)


class Measured(NamedTuple):
    """A series of a run: its occupied buckets, ``values`` and ``resolution`` at QUANTILES,
    and for a latency the ``curve`` at AT and the counts by ``histogram.CELLS``."""

    series: Series
    occupied: "npt.NDArray[np.int64]"
    counts: Floats
    values: Floats
    resolution: Floats
    curve: Floats | None = None
    cells: "npt.NDArray[np.float32] | None" = None


_QUANTILES = np.array(list(QUANTILES.values()))
_ALL = np.concatenate([_QUANTILES, AT])
#: Series that are taken in together: bounds the memory.
_AT_ONCE = 64


def measure(run: Run) -> list[Measured]:
    """Every series of a run with its quantiles, each histogram read once."""
    latencies = [series for series in run.series if series.metric == "latency"]
    others = [series for series in run.series if series.metric != "latency"]
    measured = {
        id(each.series): each
        for group, at in ((latencies, _ALL), (others, _QUANTILES))
        for start in range(0, len(group), _AT_ONCE)
        for each in _measured(group[start : start + _AT_ONCE], at)
    }
    return [measured[id(series)] for series in run.series]


def _measured(group: Sequence[Series], at: Floats) -> Iterator[Measured]:
    histograms = Histograms(group)
    values, resolution = histograms.quantiles(at)
    n = _QUANTILES.size
    for row, series in enumerate(group):
        whole = series.metric == "latency"
        yield Measured(
            *(series, histograms.index[row], histograms.counts[row]),
            *(values[row, :n], resolution[row, :n]),
            *((values[row, n:], histograms.cells(row)) if whole else ()),
        )


def _series(measured: Sequence[Measured]) -> Iterator[Row]:
    for each in measured:
        series = each.series
        if not series.count or not metrics.BY_NAME[series.metric].compared:
            continue

        def key(statistic: str, of: Series = series) -> Key:
            return Key(of.metric, of.operation, of.lock, statistic, of.unit)

        yield key("mean"), series.sum / series.count, 0.0
        for (name, at), value, wide in zip(
            QUANTILES.items(), each.values.tolist(), each.resolution.tolist(), strict=True
        ):
            if series.count * (1 - at) >= _TAIL:
                yield key(name), value, wide


def _locks(run: Run, calls: int) -> Iterator[Row]:
    for counts in run.locks:
        if counts.acquisitions:
            share = counts.contended / counts.acquisitions
            yield Key("contended", "", counts.lock, "share", "of acquisitions"), share, 0.0
        if calls and (counts.acquisitions or counts.trylock_failures):
            for metric, value in (
                ("acquisitions", counts.acquisitions),
                ("trylock_failures", counts.trylock_failures),
            ):
                yield Key(metric, "", counts.lock, "mean", "per operation"), value / calls, 0.0


def _parts(run: Run) -> Iterator[Row]:
    """An operation's mean latency as wait, hold (a lock held, and no wait) and the rest,
    ns a call.  Before schema 3 nested holds counted twice: such files have no parts."""
    latency = {s.operation: s.sum for s in run.series if s.metric == "latency"}
    for counts in run.operations:
        if not counts.returns or counts.operation not in latency:
            continue
        whole = latency[counts.operation]
        for part, value in (
            ("wait", counts.wait),
            ("hold", counts.hold),
            ("rest", whole - counts.wait - counts.hold),
        ):
            key = Key("part", counts.operation, "", part, "ns")
            yield key, value / counts.returns, 0.0


def _sites(run: Run, sites: Mapping[int, CallSite], calls: int) -> Iterator[Row]:
    """Wait and hold by function and lock class, ns for each operation of the run."""
    sums: dict[tuple[str, str], list[int]] = {}
    for counts in run.sites:
        site = sites.get(counts.site)
        if site is None or not counts.acquisitions:
            continue
        function = base_name(site.function)
        where = (function, "+".join(sorted(counts.locks)) or "other")
        total = sums.setdefault(where, [0, 0])
        total[0] += counts.wait_sum
        total[1] += counts.hold_sum
    for (function, lock), values in sums.items():
        for statistic, value in zip(("wait", "hold"), values, strict=True):
            key = Key("site", "", f"{function}: {lock}", statistic, "ns")
            yield key, value / calls, 0.0


def _workload(run: Run) -> Iterator[Row]:
    calls = sum(truth.calls for truth in run.result.operations)
    if calls and run.result.elapsed:
        rate = calls / (run.result.elapsed / 1e9)
        yield Key("throughput", "", "", "mean", "ops/s"), rate, 0.0
    elif run.result.elapsed:
        yield Key("elapsed", "", "", "mean", "s"), run.result.elapsed / 1e9, 0.0


def figures_of(
    run: Run, measured: Sequence[Measured], sites: Mapping[int, CallSite], schema: int
) -> Iterator[Row]:
    """(key, value, resolution) of everything that is compared of a run."""
    if not run.probed:
        yield from _workload(run)
        return
    calls = sum(counts.returns for counts in run.operations)
    yield from _series(measured)
    yield from _locks(run, calls)
    if run.probe in ("", "all"):
        if schema >= _PARTS_SINCE:
            yield from _parts(run)
        if calls:
            yield from _sites(run, sites, calls)
