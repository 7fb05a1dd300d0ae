"""The figures of one part of a run, see ``parts``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats, Histograms
from z3trace.analysis.figures.parts import Part
from z3trace.data.counts import Series, SiteCounts
from z3trace.data.model import CallSite, Run, Session
from z3trace.data.timed import TimedCall, TimedCallCounts

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


class Known(NamedTuple):
    """What a session says of the numbers in its runs: call sites, the lock calls of its
    timed build, the schema, and which operation a function of the target carries."""

    sites: Mapping[int, CallSite]
    calls: Mapping[int, TimedCall]
    schema: int
    carries: Mapping[str, str] = {}

    @classmethod
    def of(cls, session: Session) -> "Known":
        """Of one session."""
        calls = session.timed.calls if session.timed else []
        return cls(
            {site.number: site for site in session.sites},
            {call.number: call for call in calls},
            session.schema,
            carried(session),
        )


def carried(session: Session) -> dict[str, str]:
    """Function of the target, as the compiler calls it -> the operation that it carries."""
    return {op.symbol or op.function: op.name for op in session.operations if op.attached}


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


def measure(listed: Sequence[Series]) -> list[Measured]:
    """Every series of a part of a run with its quantiles, each histogram read once."""
    latencies = [series for series in listed if series.metric == "latency"]
    others = [series for series in listed if series.metric != "latency"]
    measured = {
        id(each.series): each
        for group, at in ((latencies, _ALL), (others, _QUANTILES))
        for start in range(0, len(group), _AT_ONCE)
        for each in _measured(group[start : start + _AT_ONCE], at)
    }
    return [measured[id(series)] for series in listed]


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


def _series(measured: Sequence[Measured], off: Mapping[str, float]) -> Iterator[Row]:
    for each in measured:
        series = each.series
        if not series.count or not metrics.BY_NAME[series.metric].compared:
            continue

        def key(statistic: str, of: Series = series) -> Key:
            return Key(of.metric, of.operation, of.lock, statistic, of.unit)

        yield key("mean"), series.sum / series.count, off.get(series.operation, 0.0)
        for (name, at), value, wide in zip(
            QUANTILES.items(), each.values.tolist(), each.resolution.tolist(), strict=True
        ):
            if series.count * (1 - at) >= _TAIL:
                yield key(name), value, wide


def _locks(part: Part, calls: int) -> Iterator[Row]:
    for counts in part.locks:
        if counts.acquisitions:
            share = counts.contended / counts.acquisitions
            yield Key("contended", "", counts.lock, "share", "of acquisitions"), share, 0.0
        if calls and (counts.acquisitions or counts.trylock_failures):
            for metric, value in (
                ("acquisitions", counts.acquisitions),
                ("trylock_failures", counts.trylock_failures),
            ):
                yield Key(metric, "", counts.lock, "mean", "per operation"), value / calls, 0.0


def _parts(part: Part) -> Iterator[Row]:
    """An operation's mean latency as wait, hold (a lock held, and no wait) and the rest,
    ns a call.  Before schema 3 nested holds counted twice: such files have no parts."""
    latency = {s.operation: s.sum for s in part.series if s.metric == "latency"}
    for counts in part.operations:
        if not counts.returns or counts.operation not in latency:
            continue
        whole = latency[counts.operation]
        for name, value in (
            ("wait", counts.wait),
            ("hold", counts.hold),
            ("rest", whole - counts.wait - counts.hold),
        ):
            key = Key("part", counts.operation, "", name, "ns")
            yield key, value / counts.returns, 0.0


def _sites(part: Part, known: Known) -> Iterator[Row]:
    """Wait and hold by function and lock class, ns for each operation of the run.  A timed
    build times some of the holds of a call, which stand for all of them."""
    sums: dict[str, list[float]] = {}

    def add(
        function: str, lock: str, counts: SiteCounts | TimedCallCounts, each: float = 1.0
    ) -> None:
        total = sums.setdefault(f"{base_name(function)}: {lock}", [0.0, 0.0])
        total[0] += counts.wait_sum
        total[1] += counts.hold_sum * each

    for seen in part.sites:
        site = known.sites.get(seen.site)
        if site is not None and seen.acquisitions:
            add(site.function, "+".join(sorted(seen.locks)) or "other", seen)
    for timed in part.timed_calls:
        call = known.calls.get(timed.call)
        if call is not None and timed.acquisitions:
            add(call.function, call.lock, timed, timed.acquisitions / max(timed.holds, 1))
    for where, values in sums.items():
        for statistic, value in zip(("wait", "hold"), values, strict=True):
            yield Key("site", "", where, statistic, "ns"), value / part.calls, 0.0


def _taken(part: Part, known: Known) -> Iterator[Row]:
    """How often an operation takes a lock class in one call, by the call sites in the
    function that carries it and in what the compiler put into that function."""
    calls = {counts.operation: counts.entries for counts in part.operations}
    sums: dict[tuple[str, str], int] = {}
    for seen in part.sites:
        site = known.sites.get(seen.site)
        operation = known.carries.get(site.function, "") if site else ""
        if site and site.action != "release" and calls.get(operation):
            pair = (operation, "+".join(sorted(seen.locks)) or "other")
            sums[pair] = sums.get(pair, 0) + seen.acquisitions
    for (operation, lock), count in sums.items():
        key = Key("taken", operation, lock, "mean", "a call")
        yield key, count / calls[operation], 0.0


def workload(run: Run) -> Iterator[Row]:
    """The speed of a run by what the workload tells of itself."""
    calls = sum(truth.calls for truth in run.result.operations)
    if calls and run.result.elapsed:
        rate = calls / (run.result.elapsed / 1e9)
        yield Key("throughput", "", "", "mean", "ops/s"), rate, 0.0
    elif run.result.elapsed:
        yield Key("elapsed", "", "", "mean", "s"), run.result.elapsed / 1e9, 0.0


def figures_of(part: Part, measured: Sequence[Measured], known: Known) -> Iterator[Row]:
    """(key, value, resolution) of everything that is compared of a part of a run."""
    yield from _series(measured, part.resolution)
    yield from _locks(part, part.calls)
    if part.whole and known.schema >= _PARTS_SINCE:
        yield from _parts(part)
    if part.whole:
        yield from _taken(part, known)
    if part.calls and (part.whole or part.timed_calls):
        yield from _sites(part, known)
