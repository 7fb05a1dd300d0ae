"""What one run shows of the target, by who saw it: probes, a timed build, the workload.

A run may have several witnesses.  Each is a *part* with its own way, and no part mixes
what two of them saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from z3trace.data import buckets
from z3trace.data.counts import (
    Ledger,
    LockCounts,
    Nesting,
    OperationCounts,
    Series,
    SiteCounts,
)
from z3trace.data.fields import Record
from z3trace.data.model import OperationTruth, Run
from z3trace.data.timed import TimedCallCounts


@dataclass(frozen=True)
class Part:
    """Figures of a run that were seen in one way.

    *calls*: operations in the run; *whole*: whether operations and all their lock events
    were seen; *ledger*: its entries by name, None for what is unknown; *resolution*:
    operation -> how far its mean may be off as it was read from buckets, as a difference
    of logs.
    """

    way: str
    calls: int = 0
    whole: bool = False
    series: Sequence[Series] = ()
    locks: Sequence[LockCounts] = ()
    operations: Sequence[OperationCounts] = ()
    sites: Sequence[SiteCounts] = ()
    timed_calls: Sequence[TimedCallCounts] = ()
    nesting: Sequence[Nesting] = ()
    ledger: Mapping[str, int | None] = field(default_factory=dict)
    resolution: Mapping[str, float] = field(default_factory=dict)


def _entries(ledger: Record) -> dict[str, int | None]:
    return {name: getattr(ledger, name) for name in ledger.__struct_fields__}


def _by_probes(run: Run, counted: int) -> Part:
    seen = sum(counts.returns for counts in run.operations)
    return Part(
        way=f"probes of {run.way}" if run.timed else run.way,
        calls=seen or counted,
        whole=run.probe in ("", "all"),
        series=run.series,
        locks=run.locks,
        operations=run.operations,
        sites=run.sites,
        nesting=run.nesting,
        ledger=_entries(run.ledger) if run.ledger else dict.fromkeys(Ledger.__struct_fields__),
    )


def _latency(truth: OperationTruth) -> tuple[Series, float]:
    """An operation's latencies as the workload timed them; a value is taken for the middle
    of its bucket.  And how far that may put the mean off: by half of the bucket where it
    stands alone, by nothing where its neighbours show the values to be evenly spread."""
    counts = {index: count for index, count in sorted(truth.buckets) if count}
    middles = {i: (buckets.lower(i) + buckets.upper(i) - 1) / 2 for i in counts}
    total = sum(count * middles[i] for i, count in counts.items())
    unsure = sum(
        max(count - counts.get(i - 1, 0) - counts.get(i + 1, 0), 0) * (buckets.width(i) - 1) / 2
        for i, count in counts.items()
    )
    series = Series(
        metric="latency",
        operation=truth.operation,
        count=sum(counts.values()),
        sum=round(total),
        min=buckets.lower(min(counts)),
        max=buckets.upper(max(counts)) - 1,
        buckets=list(counts.items()),
    )
    return series, unsure / total if total else 0.0


def _by_workload(run: Run, counted: int) -> Part:
    known = [_latency(truth) for truth in run.result.operations if any(n for _, n in truth.buckets)]
    return Part(
        way=run.way,
        calls=counted,
        series=[series for series, _ in known],
        resolution={series.operation: off for series, off in known},
    )


def of(run: Run) -> Iterator[Part]:
    """The parts of a run: none of one without witnesses."""
    counted = sum(truth.calls for truth in run.result.operations)
    if run.probed:
        yield _by_probes(run, counted)
    if run.timed:
        timed = run.timed
        yield Part(
            way=run.way,
            calls=counted,
            series=timed.series,
            locks=timed.locks,
            nesting=timed.nesting,
            timed_calls=timed.calls,
            ledger=_entries(timed.ledger),
        )
    if run.clocked:
        yield _by_workload(run, counted)


def inside(probed: Part, timed: Part) -> Iterator[tuple[str, str, float]]:
    """(metric, lock class, ns) that the probes of a timed build's run add to each wait or
    hold they show: what they recorded less what the build itself timed in that run.

    A wait of 0, for a lock that was free, shows nothing of them.
    """
    own = {(series.metric, series.lock): series for series in timed.series}
    for series in probed.series:
        other = own.get((series.metric, series.lock))
        shown = values_above_0(series)
        if series.metric in ("wait", "hold") and other and other.count and shown:
            added = series.sum / series.count - other.sum / other.count
            yield series.metric, series.lock, added * series.count / shown


def values_above_0(series: Series) -> int:
    """How many values of a series are not 0."""
    return series.count - sum(count for index, count in series.buckets if index == 0)
